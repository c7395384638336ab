package org.qcowfs.fuse.wire;

import java.nio.ByteBuffer;

/**
 * What kernel and filesystem agree on at the mount, by the request and the answer INIT.
 *
 * <pre>
 *                struct fuse_init_in      struct fuse_init_out
 * offset  0  u32 major version, 7         major version
 * offset  4  u32 minor version            minor version
 * offset  8  u32 max_readahead            max_readahead
 * offset 12  u32 flags offered            flags accepted
 * offset 16      flags2 (u32)             max_background, congestion_threshold (u16 each)
 * offset 20  u32                          max_write
 * offset 24  u32                          time_gran
 * offset 28      (unused to the end)      max_pages, map_alignment (u16 each)
 * offset 32                               flags2, unused
 * length         64, of old kernels 16    64; kernels take less, and up to 7.22 gave no room for more than 24
 * </pre>
 *
 * @param minor version of the protocol that kernel and we speak
 * @param longRequests whether a request may be as long as {@link #MAX_DATA_BYTES} of data make it
 */
public record Negotiation(int minor, boolean longRequests) {
  /** How much data a request may carry. More than that has shown no gain. */
  public static final int MAX_DATA_BYTES = 1 << 20;

  /** Nothing is agreed on yet, or nothing but what libfuse knows. */
  public static final Negotiation NONE = new Negotiation(0, false);

  /** Length of the answer. */
  static final int REPLY_BYTES = 64;

  /** How long the answer of libfuse 2.9 is, which ends before the granularity of times. */
  static final int SHORT_REPLY_BYTES = 24;

  private static final int MAJOR = 7;

  /** The newest version whose requests we know. */
  private static final int NEWEST_MINOR = 39;

  /**
   * Linux 6.6, which forgets what it has cached of the bytes that are written past the cache, and
   * first writes out what was changed in mappings. Writes side by side came with 7.37.
   */
  private static final int PARALLEL_WRITES_MINOR = 39;

  private static final int OFFSET_MAJOR = 0;
  private static final int OFFSET_MINOR = 4;
  private static final int OFFSET_FLAGS = 12;
  private static final int OFFSET_MAX_BACKGROUND = 16;
  private static final int OFFSET_CONGESTION = 18;
  private static final int OFFSET_MAX_WRITE = 20;
  private static final int OFFSET_MAX_PAGES = 28;

  /** One open file may have several requests under way that bypass the cache. */
  private static final int ASYNC_DIO = 1 << 15;

  /** Lookups and listings of one directory may run side by side. */
  private static final int PARALLEL_DIROPS = 1 << 18;

  /** The answer says how many pages a request may carry. */
  private static final int MAX_PAGES = 1 << 22;

  /**
   * No file of ours has a privilege that a write would have to take from it. Said once, this saves
   * the kernel from asking for {@code security.capability} before each write.
   */
  private static final int HANDLE_KILLPRIV_V2 = 1 << 28;

  private static final int PAGE_BYTES = 4096;

  /**
   * How many requests may be under way whose sender does not wait: also those that write out what a
   * request in hand waits for ({@code DiskPages}). The kernel's own limit of 12 could be used up by
   * requests that all wait like that.
   */
  private static final int MAX_BACKGROUND = 1024;

  /**
   * What can be agreed on.
   *
   * @param request an INIT as it was received
   */
  public static Negotiation of(ByteBuffer request) {
    int offered = request.getInt(RequestHeader.BYTES + OFFSET_FLAGS);
    if (request.getInt(RequestHeader.BYTES + OFFSET_MAJOR) != MAJOR || (offered & MAX_PAGES) == 0) {
      return NONE;
    }
    int minor = request.getInt(RequestHeader.BYTES + OFFSET_MINOR);
    return new Negotiation(Math.min(minor, NEWEST_MINOR), true);
  }

  /** Whether writes that bypass the cache can be let in side by side, and none of it goes stale. */
  public boolean parallelWrites() {
    return longRequests && minor >= PARALLEL_WRITES_MINOR;
  }

  /**
   * Makes the answer from that of libfuse.
   *
   * @param request the INIT
   * @param reply holds libfuse's answer from its position on, and has room for {@link #REPLY_BYTES}
   */
  void widen(ByteBuffer request, ByteBuffer reply) {
    int start = reply.position();
    int offered = request.getInt(RequestHeader.BYTES + OFFSET_FLAGS);
    int wanted = ASYNC_DIO | PARALLEL_DIROPS | MAX_PAGES | HANDLE_KILLPRIV_V2;
    for (int i = SHORT_REPLY_BYTES; i < REPLY_BYTES; i += Integer.BYTES) {
      reply.putInt(start + i, 0);
    }
    reply.putInt(start + OFFSET_MINOR, minor);
    int accepted = reply.getInt(start + OFFSET_FLAGS);
    reply.putInt(start + OFFSET_FLAGS, accepted | (wanted & offered));
    reply.putShort(start + OFFSET_MAX_BACKGROUND, (short) MAX_BACKGROUND);
    reply.putShort(start + OFFSET_CONGESTION, (short) MAX_BACKGROUND);
    reply.putInt(start + OFFSET_MAX_WRITE, MAX_DATA_BYTES);
    reply.putShort(start + OFFSET_MAX_PAGES, (short) (MAX_DATA_BYTES / PAGE_BYTES));
  }
}
