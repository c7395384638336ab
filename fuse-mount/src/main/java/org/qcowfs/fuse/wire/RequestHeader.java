package org.qcowfs.fuse.wire;

import java.nio.ByteBuffer;

/**
 * What every request begins with: {@code struct fuse_in_header}, 40 bytes.
 *
 * <pre>
 * offset  0  u32  length of the whole request
 * offset  4  u32  opcode
 * offset  8  u64  number of the request, which the answer repeats
 * offset 16  u64  number of the file or directory
 * offset 24  u32  user, group and process of who asks
 * </pre>
 */
public final class RequestHeader {
  /** Length of the header, and offset of what follows it. */
  public static final int BYTES = 40;

  private static final int OFFSET_OPCODE = 4;
  private static final int OFFSET_UNIQUE = 8;
  private static final int OFFSET_NODE = 16;

  private RequestHeader() {}

  public static int length(ByteBuffer request) {
    return request.getInt(0);
  }

  public static int opcode(ByteBuffer request) {
    return request.getInt(OFFSET_OPCODE);
  }

  public static long unique(ByteBuffer request) {
    return request.getLong(OFFSET_UNIQUE);
  }

  public static long node(ByteBuffer request) {
    return request.getLong(OFFSET_NODE);
  }
}
