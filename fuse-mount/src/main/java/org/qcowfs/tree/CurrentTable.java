package org.qcowfs.tree;

import java.io.IOException;
import org.qcowfs.image.partition.PartitionTable;

/** The partition table of a disk as it is now. Thread-safe. */
@FunctionalInterface
interface CurrentTable {
  /**
   * Reads the table where it is not known. A failure is not remembered.
   *
   * @throws IOException when a sector that it lies in cannot be read
   */
  PartitionTable get() throws IOException;
}
