package org.qcowfs.tree;

import java.io.IOException;

/** An entry of the mounted tree. Immutable in kind and place; thread-safe. */
public sealed interface Node permits DirectoryNode, FileNode {
  /**
   * What fsync(2) means: brings every write that has returned as far as the cache mode promises.
   * Does nothing where nothing can have been written.
   */
  default void flush() throws IOException {}
}
