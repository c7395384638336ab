package org.qcowfs.fuse;

import com.kenai.jffi.MemoryIO;
import java.io.IOException;
import java.lang.ref.Reference;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.qcowfs.fuse.wire.FuseDevice;
import org.qcowfs.fuse.wire.Negotiation;
import org.qcowfs.fuse.wire.RequestBuffer;
import org.qcowfs.tree.Node;

/**
 * A mounted tree: a libfuse session, and the permanent Java threads that take requests from the
 * kernel and process them. Ends when somebody unmounts.
 *
 * <p>Thread rules: {@link #awaitEnd} and {@link #stopServing} may be called by any thread; the
 * others by the one that mounted.
 */
public final class FuseSession {
  /**
   * The extended attribute ({@code user.} left out) by which the root of a mount tells the process
   * that serves it, in decimal digits.
   */
  public static final String SERVING_PROCESS = "qcowfs.pid";

  private static final MemoryIO MEMORY = MemoryIO.getInstance();
  private static final int POINTER_BYTES = 8;

  /** Fewer would leave a slow read of the host alone with the kernel's other requests. */
  private static final int MIN_THREADS = 4;

  private final LibFuse2 library;

  /** Holds the closures that native code calls: they must stay reachable as long as the session. */
  private final TreeFileSystem fileSystem;

  private final long fuse;
  private final long mountpoint;
  private final Serving serving = new Serving();
  private final RequestThreads threads;

  /** As {@link #fileSystem}. Null where libfuse receives the requests itself. */
  private final @Nullable ReplyChannel replies;

  private FuseSession(
      LibFuse2 library,
      TreeFileSystem fileSystem,
      KernelPages pages,
      MountSettings settings,
      Mounted mounted) {
    this.library = library;
    this.fileSystem = fileSystem;
    this.fuse = mounted.fuse;
    this.mountpoint = mounted.mountpoint;
    long session = library.getSession(fuse);
    long channel = library.firstChannel(session);
    FuseDevice device = new FuseDevice(library.channelFd(channel));
    HeldBytes held = new HeldBytes(device);
    this.replies =
        settings.accelerate() ? new ReplyChannel(library, library.channelFd(channel)) : null;
    Supplier<RequestSource> sources =
        replies == null
            ? () -> new LibfuseRequests(library, held, session, channel)
            : direct(session, device, held, replies);
    Runnable atEnd =
        () -> {
          held.end();
          library.exit(session);
        };
    this.threads = new RequestThreads(serving, ended -> loop(sources, atEnd, ended));
    pages.connect(library, channel, threads, held);
  }

  private Supplier<RequestSource> direct(
      long session, FuseDevice device, HeldBytes held, ReplyChannel channel) {
    DirectRequests.Shared shared =
        new DirectRequests.Shared(
            library,
            session,
            channel.address(),
            device,
            new AtomicReference<>(Negotiation.NONE),
            held,
            fileSystem.openFiles,
            fileSystem.callbacks);
    return () -> new DirectRequests(shared, new RequestBuffer(shared.device()));
  }

  private Runnable loop(Supplier<RequestSource> sources, Runnable atEnd, Runnable ended) {
    return new RequestLoop(
        sources,
        serving,
        () -> {
          atEnd.run();
          ended.run();
        });
  }

  /** Addresses of what {@code fuse_setup} made. */
  private record Mounted(long fuse, long mountpoint) {}

  /** How many threads serve requests where the user says nothing. */
  public static int defaultThreads() {
    return Math.max(MIN_THREADS, Runtime.getRuntime().availableProcessors());
  }

  /**
   * Makes ready what every mount needs of native code. To be run by a thread of its own while
   * another finds out what to mount: the next {@link #mount} waits for it, and throws what it
   * failed with.
   */
  public static Runnable preparation() {
    return NativeParts.preparation();
  }

  /**
   * Mounts the tree and begins to serve it. On return the kernel knows the mount, but may not have
   * got its first answer.
   *
   * @throws FuseMountException when it cannot be mounted; nothing is left behind then
   * @throws IOException when libfuse is missing
   */
  public static FuseSession mount(Node root, MountSettings settings) throws IOException {
    NativeParts parts = NativeParts.take();
    LibFuse2 library = parts.library();
    TreeFileSystem fileSystem = parts.fileSystem();
    KernelPages pages = new KernelPages();
    fileSystem.serve(root, settings, pages);
    StandardStreams.Captured<Mounted> setup =
        StandardStreams.capturingErrors(() -> setUp(library, fileSystem, settings));
    if (setup.result().fuse == 0) {
      throw new FuseMountException(oneLine(setup.printed()));
    }
    FuseSession session = new FuseSession(library, fileSystem, pages, settings, setup.result());
    session.threads.start(settings.threads());
    return session;
  }

  private static Mounted setUp(
      LibFuse2 library, TreeFileSystem fileSystem, MountSettings settings) {
    String[] arguments = {
      "qcowfs", settings.mountpoint().toString(), "-f", "-o", settings.fuseOptions()
    };
    long out = MEMORY.allocateMemory(2 * POINTER_BYTES, true);
    try {
      long fuse = library.setup(arguments, fileSystem.operations(), out, out + POINTER_BYTES);
      return new Mounted(fuse, MEMORY.getAddress(out));
    } finally {
      MEMORY.freeMemory(out);
    }
  }

  private static String oneLine(String printed) {
    return printed
        .lines()
        .filter(line -> !line.isBlank())
        .findFirst()
        .map(line -> line.replaceFirst("^[a-z0-9]+: ", ""))
        .orElse("libfuse gave no reason");
  }

  /** Waits until the tree is unmounted and every request answered. */
  public void awaitEnd() throws InterruptedException {
    threads.awaitEnd();
  }

  /** As {@link #awaitEnd}, but not for longer than that. Returns whether the session has ended. */
  public boolean awaitEnd(long timeout, TimeUnit unit) throws InterruptedException {
    return threads.awaitEnd(timeout, unit);
  }

  /**
   * Serves no further request, and waits until those in hand are answered. For a process that is
   * about to end although programs still use the mount: until it does, they wait.
   */
  public void stopServing() {
    serving.stop();
  }

  /**
   * Frees the session. Only once it has ended: before that libfuse would unmount whatever lies at
   * the mountpoint.
   */
  public void close() {
    if (!threads.hasEnded()) {
      throw new IllegalStateException("requests are still served");
    }
    try {
      library.teardown(fuse, mountpoint);
      if (replies != null) {
        replies.close();
      }
    } finally {
      Reference.reachabilityFence(fileSystem);
      Reference.reachabilityFence(replies);
    }
  }
}
