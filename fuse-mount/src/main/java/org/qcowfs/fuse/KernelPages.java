package org.qcowfs.fuse;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.qcowfs.errno.Errno;
import org.qcowfs.tree.PageCache;
import org.slf4j.Logger;

/** Makes the kernel write out and forget pages of files, by the notifications of the protocol. */
final class KernelPages {
  /** The smallest page; larger ones only take more steps. */
  private static final int PAGE_BYTES = 4096;

  private final AtomicBoolean failed = new AtomicBoolean();
  private volatile @Nullable Session session;

  private record Session(LibFuse2 library, long channel, RequestThreads threads, HeldBytes held) {}

  /** Begins to work: nobody can have opened a file before. */
  void connect(LibFuse2 library, long channel, RequestThreads threads, HeldBytes held) {
    session = new Session(library, channel, threads, held);
  }

  /**
   * The pages of a file.
   *
   * @param node by which the kernel knows the file, as long as somebody has it open
   */
  PageCache of(long node) {
    return new PageCache() {
      @Override
      public void drop(long offset, long length) throws IOException {
        Session connected = connected();
        connected.threads.whileOthersServe(() -> forget(connected, node, offset, length));
      }

      @Override
      public void dropOutdated(ByteBuffer written, long offset) throws IOException {
        Session connected = connected();
        connected.threads.whileOthersServe(
            () -> {
              connected.threads.awaitThoseInHand();
              dropOther(connected, node, written, offset);
            });
      }
    };
  }

  private Session connected() {
    Session connected = session;
    if (connected == null) {
      throw new IllegalStateException("not mounted yet");
    }
    return connected;
  }

  private void forget(Session connected, long node, long offset, long length) {
    int answer = connected.library.invalidate(connected.channel, node, offset, length);
    // not known: nobody has it any more; no device: just unmounted
    if (answer < 0 && answer != -Errno.ENOENT && answer != -Errno.ENODEV) {
      report(-answer);
    }
  }

  /** Drops the pages that hold other bytes than these at their place. */
  private void dropOther(Session connected, long node, ByteBuffer bytes, long offset) {
    ByteBuffer written = bytes.slice();
    while (written.hasRemaining()) {
      long from = offset + written.position();
      byte[] held = connected.held.from(node, from, written.remaining());
      if (held.length == 0) {
        skip(written, untilNextPage(from));
      }
      ByteBuffer kept = ByteBuffer.wrap(held);
      while (kept.hasRemaining()) {
        long at = offset + written.position();
        int piece = Math.min(kept.remaining(), untilNextPage(at));
        if (!kept.slice().limit(piece).equals(written.slice().limit(piece))) {
          forget(connected, node, at, piece);
        }
        skip(kept, piece);
        skip(written, piece);
      }
    }
  }

  private static int untilNextPage(long offset) {
    return PAGE_BYTES - (int) (offset % PAGE_BYTES);
  }

  private static void skip(ByteBuffer bytes, int count) {
    bytes.position(bytes.position() + Math.min(count, bytes.remaining()));
  }

  private void report(int errno) {
    if (failed.compareAndSet(false, true)) {
      Logger log = Loggers.of(KernelPages.class);
      log.error(
          "the kernel keeps outdated pages of the disk (error number {}); do not use the disk's"
              + " file and those of its partitions at once",
          errno);
    }
  }
}
