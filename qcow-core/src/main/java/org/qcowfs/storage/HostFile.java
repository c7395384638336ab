package org.qcowfs.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.qcowfs.error.HostIoException;
import org.qcowfs.error.ImageLockedException;

/**
 * A regular file or a block device of the host, open for reading.
 *
 * <p>Thread rules: reads are {@code pread}: they share no position and take no lock.
 */
public final class HostFile implements BlockStorage {
  /** Copies for callers whose buffer lies on the heap; one chunk a thread. */
  private static final ThreadLocal<ByteBuffer> BOUNCE =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(64 << 10));

  private final Path name;
  private final int fd;
  private final Posix.Status status;
  private final AtomicBoolean closed = new AtomicBoolean();

  private HostFile(Path name, int fd, Posix.Status status) {
    this.name = name;
    this.fd = fd;
    this.status = status;
  }

  /**
   * Opens a file for reading, and never waits in doing so (a FIFO is refused, not waited for).
   *
   * @throws HostIoException when the host refuses, or the file is neither regular nor a block
   *     device
   */
  public static HostFile openReadOnly(Path name) throws IOException {
    int fd;
    try {
      fd = Posix.open(name.toString(), Posix.O_RDONLY | Posix.O_NONBLOCK | Posix.O_CLOEXEC);
    } catch (HostIoException e) {
      throw named(name, e);
    }
    try {
      Posix.Status status = Posix.status(fd);
      if (!status.isRegularFile() && !status.isBlockDevice()) {
        throw new HostIoException(
            Posix.EINVAL,
            name
                + ": "
                + (status.isDirectory() ? "is a directory" : "is neither a file nor a block device")
                + ", not a disk image");
      }
      return new HostFile(name, fd, status);
    } catch (IOException e) {
      Posix.close(fd);
      throw e;
    }
  }

  @Override
  public Path name() {
    return name;
  }

  /** Whether the file is a regular one. */
  public boolean isRegularFile() {
    return status.isRegularFile();
  }

  /** Whether both are the same file of the host, under whatever names. */
  public boolean isSameFile(HostFile other) {
    return status.device() == other.status.device() && status.inode() == other.status.inode();
  }

  /** Where the open file really lies, whatever has become of the name since it was opened. */
  public Path realPath() throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/self/fd", Integer.toString(fd)));
  }

  @Override
  public long size() throws IOException {
    try {
      return status.isRegularFile() ? Posix.status(fd).size() : Posix.lseek(fd, 0, Posix.SEEK_END);
    } catch (HostIoException e) {
      throw named(name, e);
    }
  }

  @Override
  public long allocatedBytes() throws IOException {
    try {
      return Posix.status(fd).allocatedBytes();
    } catch (HostIoException e) {
      throw named(name, e);
    }
  }

  @Override
  public int read(ByteBuffer destination, long hostOffset) throws IOException {
    try {
      return destination.isDirect()
          ? readDirect(destination, hostOffset)
          : readThroughBounce(destination, hostOffset);
    } catch (HostIoException e) {
      throw new HostIoException(
          e.errno(), "%s: %s, at host offset 0x%x".formatted(name, e.getMessage(), hostOffset));
    }
  }

  private int readDirect(ByteBuffer direct, long hostOffset) throws HostIoException {
    int total = 0;
    while (direct.hasRemaining()) {
      int count = Posix.pread(fd, direct, hostOffset + total);
      if (count == 0) {
        break;
      }
      total += count;
    }
    return total;
  }

  private int readThroughBounce(ByteBuffer destination, long hostOffset) throws HostIoException {
    ByteBuffer bounce = BOUNCE.get();
    int total = 0;
    while (destination.hasRemaining()) {
      bounce.clear().limit(Math.min(bounce.capacity(), destination.remaining()));
      int count = Posix.pread(fd, bounce, hostOffset + total);
      if (count == 0) {
        break;
      }
      destination.put(bounce.flip());
      total += count;
    }
    return total;
  }

  @Override
  public long nextData(long hostOffset) throws IOException {
    return seek(hostOffset, Posix.SEEK_DATA);
  }

  @Override
  public long nextHole(long hostOffset) throws IOException {
    long hole = seek(hostOffset, Posix.SEEK_HOLE);
    return hole < 0 ? Math.max(hostOffset, size()) : hole;
  }

  private long seek(long hostOffset, int whence) throws IOException {
    try {
      return Posix.lseek(fd, hostOffset, whence);
    } catch (HostIoException e) {
      throw named(name, e);
    }
  }

  /**
   * Takes the locks by which QEMU and we tell each other how an image is used.
   *
   * @throws ImageLockedException when another user of the file excludes this one
   */
  public void lock(ImageLock lock) throws IOException {
    try {
      lock.take(fd);
    } catch (HostIoException e) {
      throw named(name, e);
    } catch (ImageLockedException e) {
      throw e.in(name);
    }
  }

  @Override
  public void close() throws IOException {
    if (closed.compareAndSet(false, true)) {
      Posix.close(fd);
    }
  }

  private static HostIoException named(Path name, HostIoException e) {
    return new HostIoException(e.errno(), name + ": " + e.getMessage());
  }
}
