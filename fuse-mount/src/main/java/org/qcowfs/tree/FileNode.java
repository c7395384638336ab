package org.qcowfs.tree;

import java.io.IOException;

/** A regular file. */
public non-sealed interface FileNode extends Node {
  /** Size in bytes. */
  long size() throws IOException;

  /** How many of its bytes are allocated: what {@code st_blocks} counts, in bytes. */
  long allocatedBytes() throws IOException;

  /** A handle on the contents, to be closed by the caller. */
  OpenFile open() throws IOException;
}
