package org.qcowfs.tree;

import java.io.IOException;
import org.qcowfs.image.BlockDevice;

/** Where a disk comes from that is opened when it is first needed; gives the same one each time. */
@FunctionalInterface
interface DeviceSource {
  BlockDevice open() throws IOException;
}
