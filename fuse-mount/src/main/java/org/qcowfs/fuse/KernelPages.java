package org.qcowfs.fuse;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.qcowfs.errno.Errno;
import org.qcowfs.tree.PageCache;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the kernel write out and forget pages of files, by the notifications of the protocol. */
final class KernelPages {
  private final AtomicBoolean failed = new AtomicBoolean();
  private volatile @Nullable Session session;

  private record Session(LibFuse2 library, long channel, RequestThreads threads) {}

  /** Begins to work: nobody can have opened a file before. */
  void connect(LibFuse2 library, long channel, RequestThreads threads) {
    session = new Session(library, channel, threads);
  }

  /**
   * The pages of a file.
   *
   * @param node by which the kernel knows the file, as long as somebody has it open
   */
  PageCache of(long node) {
    return (offset, length) -> drop(node, offset, length);
  }

  private void drop(long node, long offset, long length) throws IOException {
    Session connected = session;
    if (connected == null) {
      throw new IllegalStateException("not mounted yet");
    }
    connected.threads.whileOthersServe(
        () -> {
          int answer =
              connected.library.fuse_lowlevel_notify_inval_inode(
                  connected.channel, node, offset, length);
          // not known: nobody has it any more; no device: just unmounted
          if (answer < 0 && answer != -Errno.ENOENT && answer != -Errno.ENODEV) {
            report(-answer);
          }
        });
  }

  private void report(int errno) {
    if (failed.compareAndSet(false, true)) {
      Logger log = LoggerFactory.getLogger(KernelPages.class);
      log.error(
          "the kernel keeps outdated pages of the disk (error number {}); do not use the disk's"
              + " file and those of its partitions at once",
          errno);
    }
  }
}
