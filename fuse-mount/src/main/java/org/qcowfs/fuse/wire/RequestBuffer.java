package org.qcowfs.fuse.wire;

import com.kenai.jffi.MemoryIO;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory for one request at a time and for its answer. Belongs to one thread.
 *
 * <pre>
 * page 0     answer: struct fuse_out_header, then the structure that follows it; two struct iovec
 * page 1     ends with the first 80 bytes of the request: those of a WRITE before its data
 * page 2 …   data of a WRITE, or what a READ is answered with
 * </pre>
 *
 * {@code struct fuse_out_header} is
 *
 * <pre>
 * offset  0  u32  length of the whole answer
 * offset  4  s32  negative error number, or 0
 * offset  8  u64  number of the request
 * </pre>
 *
 * So data begins on a page, as host files want it that are open with O_DIRECT.
 */
public final class RequestBuffer implements AutoCloseable {
  private static final MemoryIO MEMORY = MemoryIO.getInstance();
  private static final int PAGE_BYTES = 4096;

  /** How long a request may be. The kernel wants room for the longest, and a bit more. */
  private static final int REQUEST_BYTES = Negotiation.MAX_DATA_BYTES + PAGE_BYTES;

  private static final int OFFSET_REQUEST = 2 * PAGE_BYTES - FileRequest.OFFSET_DATA;
  private static final int OFFSET_ERROR = 4;
  private static final int OFFSET_UNIQUE = 8;

  /** Length of the answer's header, and offset of what follows it. */
  private static final int HEADER_BYTES = 16;

  private static final int OFFSET_VECTORS = 256;
  private static final int VECTOR_BYTES = 16;

  private final FuseDevice device;
  private final long memory;
  private final long start;
  private final ByteBuffer request;
  private final ByteBuffer data;
  private final ByteBuffer reply;

  public RequestBuffer(FuseDevice device) {
    this.device = device;
    this.memory = MEMORY.allocateMemory(OFFSET_REQUEST + REQUEST_BYTES + PAGE_BYTES, false);
    this.start = (memory + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    this.request = at(OFFSET_REQUEST, REQUEST_BYTES);
    this.data = at(2 * PAGE_BYTES, Negotiation.MAX_DATA_BYTES);
    this.reply = at(0, PAGE_BYTES);
    vector(0, start, HEADER_BYTES);
  }

  private ByteBuffer at(int offset, int bytes) {
    return MEMORY.newDirectByteBuffer(start + offset, bytes).order(ByteOrder.nativeOrder());
  }

  private void vector(int index, long address, long bytes) {
    int offset = OFFSET_VECTORS + index * VECTOR_BYTES;
    reply.putLong(offset, address);
    reply.putLong(offset + Long.BYTES, bytes);
  }

  /** Waits for a request. Returns what {@link FuseDevice#receive} does. */
  public int receive() {
    return device.receive(start + OFFSET_REQUEST, REQUEST_BYTES);
  }

  /** The request that was received last; only what it is long of it means something. */
  public ByteBuffer request() {
    return request;
  }

  /** Where the request lies in memory. */
  public long requestAddress() {
    return start + OFFSET_REQUEST;
  }

  /**
   * The data of a WRITE, or room for the answer to a READ: what that leaves of the request is its
   * header and its fixed fields.
   *
   * @param bytes at most {@link Negotiation#MAX_DATA_BYTES}
   * @return always the same buffer, from 0 to that limit
   */
  public ByteBuffer data(int bytes) {
    return data.clear().limit(bytes);
  }

  /** Answers with the first bytes of {@link #data}. Returns what {@link FuseDevice#send} does. */
  public int replyData(int bytes) {
    header(HEADER_BYTES + bytes, 0);
    vector(0, start, HEADER_BYTES);
    vector(1, start + 2 * PAGE_BYTES, bytes);
    return device.send(start + OFFSET_VECTORS, 2);
  }

  /** Answers with a structure of 8 bytes, or one that ends with zeros and has as many. */
  public int replyLong(long value) {
    reply.putLong(HEADER_BYTES, value);
    return replyWith(Long.BYTES);
  }

  /**
   * Answers with success or a failure, and nothing else.
   *
   * @param error 0 or a negative error number
   */
  public int replyError(int error) {
    header(HEADER_BYTES, error);
    vector(0, start, HEADER_BYTES);
    return device.send(start + OFFSET_VECTORS, 1);
  }

  /**
   * Answers an INIT with libfuse's answer, widened by what else was agreed on.
   *
   * @param address of libfuse's structure
   * @param bytes how long that is
   */
  public int replyWidened(Negotiation negotiation, long address, int bytes) {
    for (int i = 0; i < Math.min(bytes, Negotiation.SHORT_REPLY_BYTES); i++) {
      reply.put(HEADER_BYTES + i, MEMORY.getByte(address + i));
    }
    negotiation.widen(request, reply.position(HEADER_BYTES));
    return replyWith(Negotiation.REPLY_BYTES);
  }

  private int replyWith(int bytes) {
    header(HEADER_BYTES + bytes, 0);
    vector(0, start, HEADER_BYTES + bytes);
    return device.send(start + OFFSET_VECTORS, 1);
  }

  private void header(int bytes, int error) {
    reply.putInt(0, bytes);
    reply.putInt(OFFSET_ERROR, error);
    reply.putLong(OFFSET_UNIQUE, RequestHeader.unique(request));
  }

  @Override
  public void close() {
    MEMORY.freeMemory(memory);
  }
}
