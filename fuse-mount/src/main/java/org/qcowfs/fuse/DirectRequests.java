package org.qcowfs.fuse;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.qcowfs.errno.Errno;
import org.qcowfs.fuse.wire.FileRequest;
import org.qcowfs.fuse.wire.FuseDevice;
import org.qcowfs.fuse.wire.Negotiation;
import org.qcowfs.fuse.wire.Opcode;
import org.qcowfs.fuse.wire.OpenReply;
import org.qcowfs.fuse.wire.ReplyVectors;
import org.qcowfs.fuse.wire.RequestBuffer;
import org.qcowfs.fuse.wire.RequestHeader;

/**
 * Requests that are read from the kernel without libfuse. Those that reads and writes consist of
 * are answered here as well, at once and without taking memory; the others libfuse has answered by
 * the callbacks, and what it sends comes by here.
 */
final class DirectRequests implements RequestSource {
  /** How many bytes libfuse is told that a request may have, from which it finds max_write. */
  static final int CHANNEL_BYTES = Negotiation.MAX_DATA_BYTES + 4096;

  /** What the threads of a session share. */
  record Shared(
      LibFuse2 library,
      long session,
      long channel,
      FuseDevice device,
      AtomicReference<Negotiation> negotiation,
      HeldBytes held,
      OpenFiles files,
      CallbackRunner callbacks) {}

  private final Shared shared;
  private final RequestBuffer buffer;
  private final ByteBuffer request;
  private boolean parallelWrites;

  /**
   * @param buffer reads from the same device; closed with this object
   */
  DirectRequests(Shared shared, RequestBuffer buffer) {
    this.shared = shared;
    this.buffer = buffer;
    this.request = buffer.request();
  }

  @Override
  public int receive() {
    return buffer.receive();
  }

  @Override
  public long node() {
    return RequestHeader.node(request);
  }

  @Override
  public boolean canWriteInParallel() {
    return shared.negotiation.get().parallelWrites();
  }

  @Override
  public void allowParallelWrites() {
    parallelWrites = true;
  }

  @Override
  public void process(int bytes) {
    int opcode = RequestHeader.opcode(request);
    if (opcode == Opcode.NOTIFY_REPLY) {
      shared.held.arrived(request);
    } else if (!shared.negotiation.get().longRequests()) {
      processByLibfuse(bytes);
    } else if (Opcode.isOfOpenFile(opcode)) {
      processHere(opcode, bytes);
    } else if (opcode != Opcode.INTERRUPT) {
      // Of an interrupted request that it has never seen, libfuse would ask again and again.
      processByLibfuse(bytes);
    }
  }

  private void processByLibfuse(int bytes) {
    parallelWrites = false;
    shared.library.process(shared.session, buffer.requestAddress(), bytes, shared.channel);
  }

  private void processHere(int opcode, int bytes) {
    OpenHandle handle = shared.files.get(FileRequest.file(request));
    long answer;
    try {
      answer = handle == null ? -Errno.EBADF : answer(opcode, bytes, handle);
    } catch (Throwable e) {
      answer = shared.callbacks.failed(Opcode.name(opcode), path(handle), e);
    }
    if (shared.callbacks.isTracing()) {
      shared.callbacks.trace(Opcode.name(opcode), path(handle), answer);
    }
    int sent = reply(opcode, answer);
    // not known: it was interrupted; no device: just unmounted
    if (sent < 0 && sent != -Errno.ENOENT && sent != -Errno.ENODEV) {
      throw new IllegalStateException(
          "answering a %s failed with error number %d".formatted(Opcode.name(opcode), -sent));
    }
  }

  private static String path(@Nullable OpenHandle handle) {
    return handle == null ? "a file that is not open" : handle.path();
  }

  /** Returns a count, an offset, 0, or a negative error number. */
  private long answer(int opcode, int bytes, OpenHandle handle) throws IOException {
    int expected = FileRequest.bytes(opcode);
    long size = FileRequest.size(request);
    boolean carriesData = opcode == Opcode.WRITE;
    if (bytes != RequestHeader.length(request)
        || bytes != (carriesData ? expected + size : expected)) {
      return -Errno.EINVAL;
    }
    long offset = FileRequest.offset(request);
    return switch (opcode) {
      case Opcode.READ -> read(handle, size, offset);
      case Opcode.WRITE -> write(handle, size, offset);
      case Opcode.FALLOCATE ->
          FileRange.fallocate(
              handle.file(), FileRequest.mode(request), offset, FileRequest.length(request));
      default -> seek(handle, offset);
    };
  }

  private int read(OpenHandle handle, long size, long offset) throws IOException {
    return size > Negotiation.MAX_DATA_BYTES
        ? -Errno.EINVAL
        : handle.read(buffer.data((int) size), offset);
  }

  private int write(OpenHandle handle, long size, long offset) throws IOException {
    ByteBuffer source = buffer.data((int) size);
    return FileRequest.writesPages(request)
        ? handle.writeBack(source, offset)
        : handle.write(source, offset, FileRequest.openFlags(request));
  }

  private long seek(OpenHandle handle, long offset) throws IOException {
    long found =
        switch (FileRequest.whence(request)) {
          case FileRequest.SEEK_DATA -> offset < 0 ? -1 : handle.file().nextData(offset);
          case FileRequest.SEEK_HOLE -> offset < 0 ? -1 : handle.file().nextHole(offset);
          default -> -Errno.EINVAL;
        };
    return found == -1 ? -Errno.ENXIO : found;
  }

  private int reply(int opcode, long answer) {
    if (answer < 0 || opcode == Opcode.FALLOCATE) {
      return buffer.replyError((int) Math.min(answer, 0));
    }
    return opcode == Opcode.READ ? buffer.replyData((int) answer) : buffer.replyLong(answer);
  }

  /**
   * Sends what libfuse answers to the request in hand, with what libfuse does not know of.
   *
   * @param vectors address of {@code struct iovec}s
   * @return 0 or a negative error number
   */
  int send(long vectors, int count) {
    if (ReplyVectors.hasBody(vectors, count)) {
      switch (RequestHeader.opcode(request)) {
        case Opcode.INIT -> {
          Negotiation agreed = Negotiation.of(request);
          if (shared.callbacks.isTracing()) { // else the mount would wait for the logging library
            log(agreed);
          }
          if (agreed.longRequests()) {
            shared.negotiation.set(agreed); // before any other thread gets a request
            return buffer.replyWidened(
                agreed, ReplyVectors.body(vectors), ReplyVectors.bodyBytes(vectors));
          }
        }
        case Opcode.OPEN -> {
          if (parallelWrites) {
            OpenReply.allowParallelWrites(ReplyVectors.body(vectors));
          }
        }
        default -> {}
      }
    }
    return shared.device.send(vectors, count);
  }

  private static void log(Negotiation agreed) {
    Loggers.of(DirectRequests.class)
        .debug(
            agreed.longRequests()
                ? "requests of open files are answered without libfuse (protocol 7.{})"
                : "libfuse answers every request: this kernel does not know the longer ones",
            agreed.minor());
  }

  @Override
  public void close() {
    buffer.close();
  }
}
