package org.qcowfs.fuse;

/** Where a session thread gets requests from, and who answers them. Belongs to that thread. */
interface RequestSource extends AutoCloseable {
  /**
   * Waits for a request.
   *
   * @return its size in bytes, 0 when the filesystem was unmounted, or a negative error number
   */
  int receive();

  /** Has the request answered that was received last. */
  void process(int bytes);

  /** The number by which the kernel knows the file that the request is about. */
  long node();

  /** Whether writes of one open file can reach us side by side, if its opening allows it. */
  default boolean canWriteInParallel() {
    return false;
  }

  /** The file that this request opens is one whose writes shall reach us side by side. */
  default void allowParallelWrites() {}

  /** Gives back the memory. */
  @Override
  void close();
}
