package org.qcowfs.fuse;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.qcowfs.fuse.wire.FuseDevice;

/**
 * What a mount needs of native code: libfuse, and the table of callbacks. Making the two takes
 * longer than all else in a start, as jnr-ffi writes a class for each callback.
 *
 * <p>Serves one mount.
 */
record NativeParts(LibFuse2 library, TreeFileSystem fileSystem) {
  private static final AtomicReference<@Nullable FutureTask<NativeParts>> PREPARED =
      new AtomicReference<>();

  /** Makes the parts of the next mount, which waits for this to run. */
  static Runnable preparation() {
    FutureTask<NativeParts> parts = new FutureTask<>(NativeParts::make);
    PREPARED.set(parts);
    return parts;
  }

  /**
   * The parts that are being prepared, or new ones.
   *
   * @throws IOException when libfuse is missing
   */
  static NativeParts take() throws IOException {
    FutureTask<NativeParts> prepared = PREPARED.getAndSet(null);
    if (prepared == null) {
      return make();
    }
    try {
      return prepared.get();
    } catch (ExecutionException e) {
      return make(); // which fails in the same way, or not at all
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted before the mount", e);
    }
  }

  private static NativeParts make() throws IOException {
    LibFuse2 library = load();
    LibC.load();
    FuseDevice.load();
    return new NativeParts(library, new TreeFileSystem());
  }

  private static LibFuse2 load() throws IOException {
    try {
      return new LibFuse2();
    } catch (UnsatisfiedLinkError e) {
      throw new IOException(
          LibFuse2.FILE
              + " is missing or cannot be loaded; install the package libfuse2, or libfuse2t64 on"
              + " newer systems",
          e);
    }
  }
}
