package org.qcowfs.fuse;

import jnr.ffi.Pointer;
import jnr.ffi.Struct;
import ru.serce.jnrfuse.struct.FuseFileInfo;

/**
 * The fields of libfuse's {@code struct fuse_file_info} at their true offsets: jnr-fuse gives each
 * bit of the bit field a byte, and so finds none of them.
 *
 * <pre>
 * offset  0  int   flags of open(2)
 * offset 16  int   of a write: 1 where the kernel writes out pages
 * offset 20  int   bit field: 1 direct_io, 2 keep_cache, 4 flush, 8 nonseekable
 * offset 24  long  handle
 * offset 32  long  lock owner
 * </pre>
 */
final class FileInfo {
  private static final int OFFSET_FLAGS = 0;
  private static final int OFFSET_WRITES_PAGES = 16;
  private static final int OFFSET_BITS = 20;
  private static final int OFFSET_HANDLE = 24;

  private static final int DIRECT_IO = 1;
  private static final int KEEP_CACHE = 2;
  private static final int O_ACCMODE = 3;

  /** The one flag whose value is not the same on all machines. */
  private static final int O_DIRECT =
      System.getProperty("os.arch", "").equals("aarch64") ? 0x10000 : 0x4000;

  private FileInfo() {}

  static long handle(FuseFileInfo info) {
    return memory(info).getLong(OFFSET_HANDLE);
  }

  static void setHandle(FuseFileInfo info, long handle) {
    memory(info).putLong(OFFSET_HANDLE, handle);
  }

  /** Lets the kernel keep the pages that earlier readers of the file left in its cache. */
  static void keepCache(FuseFileInfo info) {
    Pointer memory = memory(info);
    memory.putInt(OFFSET_BITS, memory.getInt(OFFSET_BITS) | KEEP_CACHE);
  }

  /** Lets every read of the file come to us, and not only until somebody else has read there. */
  static void bypassCache(FuseFileInfo info) {
    Pointer memory = memory(info);
    memory.putInt(OFFSET_BITS, memory.getInt(OFFSET_BITS) | DIRECT_IO);
  }

  /** The flags of open(2), of a write as they are by then. */
  static int flags(FuseFileInfo info) {
    return memory(info).getInt(OFFSET_FLAGS);
  }

  /** Of a write: whether pages are written out, and not what a program hands to write(2). */
  static boolean writesPages(FuseFileInfo info) {
    return memory(info).getInt(OFFSET_WRITES_PAGES) != 0;
  }

  static boolean isForWriting(FuseFileInfo info) {
    return (flags(info) & O_ACCMODE) != 0;
  }

  static boolean isDirect(FuseFileInfo info) {
    return (flags(info) & O_DIRECT) != 0;
  }

  private static Pointer memory(FuseFileInfo info) {
    return Struct.getMemory(info);
  }
}
