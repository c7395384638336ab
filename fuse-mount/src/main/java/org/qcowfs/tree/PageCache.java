package org.qcowfs.tree;

import java.io.IOException;
import java.nio.ByteBuffer;

/** What the kernel keeps of a file's contents to answer readers by itself. */
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

  /**
   * After a program's write through the pages has reached the file, and before it is answered: as
   * {@link #drop}, but of those pages only in which other bytes stand where it wrote. So it does
   * not wait for a page that the kernel keeps locked until that answer: there the bytes stand
   * already.
   *
   * <p>First waits until the reads are answered that have begun before.
   *
   * @param written its remaining bytes; not changed
   */
  void dropOutdated(ByteBuffer written, long offset) throws IOException;
}
