package org.qcowfs.image;

import java.io.IOException;
import org.qcowfs.mapping.Qcow2Layer;

/** Gives a layer; it may have been dropped from memory and be read again. */
@FunctionalInterface
interface LayerSource {
  Qcow2Layer get() throws IOException;
}
