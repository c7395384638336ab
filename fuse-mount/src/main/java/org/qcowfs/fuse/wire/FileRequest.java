package org.qcowfs.fuse.wire;

import java.nio.ByteBuffer;

/**
 * A request about an open file, for which {@link Opcode#isOfOpenFile} holds. All of them begin
 * alike:
 *
 * <pre>
 *                struct fuse_read_in    fuse_write_in    fuse_lseek_in      fuse_fallocate_in
 * offset  0  u64 open file              open file        open file          open file
 * offset  8  u64 offset                 offset           offset             offset
 * offset 16  u32 size                   size             whence             length (u64)
 * offset 20  u32 read_flags             write_flags      padding
 * offset 24      lock owner (u64)       lock owner (u64)                    mode (u32)
 * offset 32  u32 flags of open(2)       flags of open(2)
 * length         40                     40, then data    24                 32
 * </pre>
 *
 * Of the flags of a write, {@code FUSE_WRITE_CACHE} (1) says that the kernel writes out pages that
 * were changed through mappings, and the open file is any that can be written. {@code
 * FUSE_WRITE_KILL_SUIDGID} (4) is sent only to who has asked for it; without it the kernel clears
 * set-user-ID bits by a request of its own.
 */
public final class FileRequest {
  public static final int SEEK_DATA = 3;
  public static final int SEEK_HOLE = 4;

  private static final int OFFSET_FILE = RequestHeader.BYTES;
  private static final int OFFSET_OFFSET = RequestHeader.BYTES + 8;
  private static final int OFFSET_SIZE = RequestHeader.BYTES + 16;
  private static final int OFFSET_WRITE_FLAGS = RequestHeader.BYTES + 20;
  private static final int OFFSET_MODE = RequestHeader.BYTES + 24;
  private static final int OFFSET_OPEN_FLAGS = RequestHeader.BYTES + 32;

  private static final int WRITE_CACHE = 1;

  /** Where a write has its data. */
  static final int OFFSET_DATA = RequestHeader.BYTES + 40;

  private FileRequest() {}

  /** How long such a request is, without the data of a write. */
  public static int bytes(int opcode) {
    return switch (opcode) {
      case Opcode.LSEEK -> RequestHeader.BYTES + 24;
      case Opcode.FALLOCATE -> RequestHeader.BYTES + 32;
      default -> OFFSET_DATA;
    };
  }

  /** The number that the opening of the file was answered with. */
  public static long file(ByteBuffer request) {
    return request.getLong(OFFSET_FILE);
  }

  public static long offset(ByteBuffer request) {
    return request.getLong(OFFSET_OFFSET);
  }

  /** How much to read or write, in bytes. Unsigned, as the kernel means it. */
  public static long size(ByteBuffer request) {
    return Integer.toUnsignedLong(request.getInt(OFFSET_SIZE));
  }

  /** Of a write: the flags of open(2) as they hold for it, so that O_DSYNC may have been added. */
  public static int openFlags(ByteBuffer request) {
    return request.getInt(OFFSET_OPEN_FLAGS);
  }

  /** Of a write: whether pages are written out, and not what a program hands to write(2). */
  public static boolean writesPages(ByteBuffer request) {
    return (request.getInt(OFFSET_WRITE_FLAGS) & WRITE_CACHE) != 0;
  }

  /** Of lseek(2): {@link #SEEK_DATA} or {@link #SEEK_HOLE}. */
  public static int whence(ByteBuffer request) {
    return request.getInt(OFFSET_SIZE);
  }

  /** Of fallocate(2): how long the range is, in bytes. */
  public static long length(ByteBuffer request) {
    return request.getLong(OFFSET_SIZE);
  }

  /** Of fallocate(2): its mode. */
  public static int mode(ByteBuffer request) {
    return request.getInt(OFFSET_MODE);
  }
}
