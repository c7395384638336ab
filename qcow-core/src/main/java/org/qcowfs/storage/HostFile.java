package org.qcowfs.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntFunction;
import org.qcowfs.error.HostIoException;
import org.qcowfs.error.ImageLockedException;

/**
 * A regular file or a block device of the host.
 *
 * <p>Thread rules: requests pass side by side and share no position; only a change of the size, or
 * a write to the last part of a block that is reached around the page cache, waits for the others.
 *
 * <p>A block device has a size that does not change.
 */
public final class HostFile implements BlockStorage {
  private final Path name;
  private final Path directory;
  private final int fd;
  private final boolean writable;
  private final FileCalls calls;
  private final Posix.Status status;
  private final RequestGate gate = new RequestGate();
  private final DiskFlush diskFlush;
  private final HostSpace space;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** Changed only by who is alone in the gate, read only by who is inside. */
  private Transfer transfer;

  HostFile(
      Path name, Path directory, int fd, boolean writable, FileCalls calls, Posix.Status status) {
    this.name = name;
    this.directory = directory;
    this.fd = fd;
    this.writable = writable;
    this.calls = calls;
    this.status = status;
    this.diskFlush = new DiskFlush(calls);
    this.space = new HostSpace(calls, status.isBlockDevice());
    this.transfer = new BufferedTransfer(calls);
  }

  /** Loads the native calls, as opening the first file would. Any thread. */
  public static void loadNativeCalls() {
    Posix.load();
  }

  /**
   * Opens a file for reading, and never waits in doing so (a FIFO is refused, not waited for).
   *
   * @throws HostIoException when the host refuses, or the file is neither regular nor a block
   *     device
   */
  public static HostFile openReadOnly(Path name) throws IOException {
    return HostFileOpener.open(name, false, DescriptorCalls::new);
  }

  /**
   * Opens an existing file for reading and writing, and never waits in doing so. Nothing of it is
   * changed.
   *
   * @throws HostIoException when the host refuses, or the file is neither regular nor a block
   *     device
   */
  public static HostFile openReadWrite(Path name) throws IOException {
    return openReadWrite(name, DescriptorCalls::new);
  }

  /** As {@link #openReadWrite(Path)}, with calls that may differ from the kernel's. */
  static HostFile openReadWrite(Path name, IntFunction<FileCalls> calls) throws IOException {
    return HostFileOpener.open(name, true, calls);
  }

  @Override
  public Path name() {
    return name;
  }

  @Override
  public boolean isWritable() {
    return writable;
  }

  /**
   * The real path of the directory in which the name was looked up: what becomes of directories and
   * links after that changes nothing.
   */
  public Path directory() {
    return directory;
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
      return calls.size();
    } catch (HostIoException e) {
      throw named(e);
    }
  }

  @Override
  public long allocatedBytes() throws IOException {
    try {
      return calls.status().allocatedBytes();
    } catch (HostIoException e) {
      throw named(e);
    }
  }

  @Override
  public int read(ByteBuffer destination, long hostOffset) throws IOException {
    gate.enter();
    try {
      return transfer.read(destination, hostOffset);
    } catch (HostIoException e) {
      throw located(e, hostOffset);
    } finally {
      gate.leave();
    }
  }

  @Override
  public void write(ByteBuffer source, long hostOffset) throws IOException {
    checkChangeable();
    gate.enter();
    try {
      if (!transfer.mustBeAlone(hostOffset + source.remaining())) {
        transfer.write(source, hostOffset);
        return;
      }
    } catch (HostIoException e) {
      throw located(e, hostOffset);
    } finally {
      gate.leave();
    }
    writeAlone(new ByteBuffer[] {source}, hostOffset);
  }

  @Override
  public void write(ByteBuffer[] sources, long hostOffset) throws IOException {
    long end = hostOffset;
    for (ByteBuffer source : sources) {
      end += source.remaining();
    }
    checkChangeable();
    gate.enter();
    try {
      if (!transfer.mustBeAlone(end)) {
        transfer.write(sources, hostOffset);
        return;
      }
    } catch (HostIoException e) {
      throw located(e, hostOffset);
    } finally {
      gate.leave();
    }
    writeAlone(sources, hostOffset);
  }

  private void writeAlone(ByteBuffer[] sources, long hostOffset) throws IOException {
    alone(hostOffset, () -> transfer.writeAlone(sources, hostOffset));
  }

  @Override
  public void flushToDisk() throws IOException {
    try {
      diskFlush.flush();
    } catch (HostIoException e) {
      throw named(e);
    }
  }

  /**
   * Switches between the host's page cache and O_DIRECT, while other threads go on. Any offset,
   * length and memory will do either way; with O_DIRECT, those that are not aligned are copied.
   *
   * <p>What was written before is as durable as it was: this is not a flush.
   *
   * @throws HostIoException with EINVAL where the host's file system has no O_DIRECT
   */
  public void setDirect(boolean direct) throws IOException {
    gate.enterAlone();
    try {
      transfer = transferOf(direct);
    } catch (HostIoException e) {
      throw e.errno() == Posix.EINVAL
          ? new HostIoException(
              Posix.EINVAL,
              name
                  + ": its file system offers no O_DIRECT; use another cache mode than none and"
                  + " directsync")
          : named(e);
    } finally {
      gate.leaveAlone();
    }
  }

  private Transfer transferOf(boolean direct) throws HostIoException {
    if (!direct) {
      calls.setDirect(false);
      return new BufferedTransfer(calls);
    }
    DirectAlignment alignment = calls.directAlignment();
    if (!alignment.isUsable()) {
      throw new HostIoException(Posix.EINVAL, "no O_DIRECT");
    }
    calls.setDirect(true);
    return new DirectTransfer(calls, alignment);
  }

  @Override
  public void resize(long bytes) throws IOException {
    if (status.isBlockDevice()) {
      throw new HostIoException(
          Posix.EINVAL,
          name + ": is a block device, whose size is fixed; resize the device itself");
    }
    alone(bytes, () -> calls.ftruncate(bytes));
  }

  @Override
  public void punchHole(long hostOffset, long bytes) throws IOException {
    if (!fallocate(HostSpace.PUNCH_HOLE, hostOffset, bytes)) {
      alone(hostOffset, () -> space.zeroUpToEnd(transfer, hostOffset, bytes));
    }
  }

  @Override
  public void zeroRange(long hostOffset, long bytes) throws IOException {
    if (!fallocate(HostSpace.ZERO_RANGE, hostOffset, bytes)) {
      for (long done = 0; done < bytes; done += Zeros.BYTES_MAX) {
        int piece = (int) Math.min(Zeros.BYTES_MAX, bytes - done);
        write(Zeros.buffers(piece), hostOffset + done);
      }
    }
  }

  @Override
  public void allocate(long hostOffset, long bytes) throws IOException {
    if (!fallocate(HostSpace.ALLOCATE, hostOffset, bytes)) {
      alone(hostOffset, () -> space.fillHoles(transfer, hostOffset, bytes));
    }
  }

  /** False where the host cannot do it and somebody must write zeros instead. */
  private boolean fallocate(int mode, long hostOffset, long bytes) throws IOException {
    checkChangeable();
    if (bytes == 0) {
      return true;
    }
    gate.enter();
    try {
      transfer.enterRange(hostOffset, bytes);
      try {
        return space.fallocate(mode, hostOffset, bytes);
      } finally {
        transfer.leaveRange(hostOffset, bytes);
      }
    } catch (HostIoException e) {
      throw located(e, hostOffset);
    } finally {
      gate.leave();
    }
  }

  private interface Change {
    void make() throws HostIoException;
  }

  private void alone(long hostOffset, Change change) throws IOException {
    checkChangeable();
    gate.enterAlone();
    try {
      change.make();
    } catch (HostIoException e) {
      throw located(e, hostOffset);
    } finally {
      gate.leaveAlone();
    }
  }

  private void checkChangeable() throws HostIoException {
    if (!writable) {
      throw new HostIoException(Posix.EBADF, name + ": is open for reading only");
    }
    checkSound();
  }

  /**
   * Refuses to go on once a flush to disk has failed.
   *
   * @throws HostIoException with the error number of that flush
   */
  public void checkSound() throws HostIoException {
    try {
      diskFlush.checkSound();
    } catch (HostIoException e) {
      throw named(e);
    }
  }

  @Override
  public long nextData(long hostOffset) throws IOException {
    if (status.isBlockDevice()) { // the kernel looks for no holes in one
      return hostOffset < size() ? hostOffset : -1;
    }
    return seek(hostOffset, Posix.SEEK_DATA);
  }

  @Override
  public long nextHole(long hostOffset) throws IOException {
    long hole = status.isBlockDevice() ? -1 : seek(hostOffset, Posix.SEEK_HOLE);
    return hole < 0 ? Math.max(hostOffset, size()) : hole;
  }

  private long seek(long hostOffset, int whence) throws IOException {
    try {
      return calls.lseek(hostOffset, whence);
    } catch (HostIoException e) {
      throw named(e);
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
      throw named(e);
    } catch (ImageLockedException e) {
      throw e.in(name);
    }
  }

  @Override
  public void close() throws IOException {
    if (closed.compareAndSet(false, true)) {
      calls.close();
    }
  }

  private HostIoException located(HostIoException e, long hostOffset) {
    return new HostIoException(
        e.errno(), "%s: %s, at host offset 0x%x".formatted(name, e.getMessage(), hostOffset));
  }

  private HostIoException named(HostIoException e) {
    return new HostIoException(e.errno(), name + ": " + e.getMessage());
  }
}
