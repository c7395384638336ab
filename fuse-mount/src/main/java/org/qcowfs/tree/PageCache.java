package org.qcowfs.tree;

import java.io.IOException;

/** What the kernel keeps of a file's contents to answer readers by itself. */
@FunctionalInterface
public interface PageCache {
  /**
   * Writes out what programs have changed by way of mmap(2) in the pages of that range, and then
   * forgets the pages; who has them mapped gets them anew. Returns when both have happened. The
   * writing is a request like any other, so hold nothing that a request may wait for.
   *
   * @param length in bytes, at least 1
   * @throws IOException when the mount ends meanwhile; nothing may be done to the disk then
   */
  void drop(long offset, long length) throws IOException;
}
