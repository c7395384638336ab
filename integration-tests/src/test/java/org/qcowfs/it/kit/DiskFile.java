package org.qcowfs.it.kit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * A file open for reading and writing, with each method one system call: no more, and no less.
 * Offsets and lengths are bytes. A call that fails fails the test with the host's words.
 *
 * <p>Thread-safe as far as the system calls are.
 */
public final class DiskFile implements AutoCloseable {
  /** No flags: a write is acknowledged when the kernel has handed it on. */
  public static final int PLAIN = 0;

  /** {@code O_DSYNC}: each write as if {@code fdatasync} followed it. */
  public static final int DSYNC = 0x1000;

  /** {@code O_SYNC}: each write as if {@code fsync} followed it. */
  public static final int SYNC = 0x10_1000;

  /** {@code O_DIRECT}: past the kernel's cache; asks for aligned memory, offsets and lengths. */
  public static final int DIRECT =
      System.getProperty("os.arch").equals("aarch64") ? 0x1_0000 : 0x4000;

  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x8_0000;
  private static final int KEEP_SIZE = 1;
  private static final int PUNCH_HOLE = 2;
  private static final int ZERO_RANGE = 0x10;
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_SHARED = 1;
  private static final int MS_SYNC = 4;
  private static final int PAGE_BYTES = 4096;

  private static final LibC LIBC = LibraryLoader.create(LibC.class).load("c");
  private static final Runtime RUNTIME = Runtime.getRuntime(LIBC);

  private final Path name;
  private final int fd;

  private DiskFile(Path name, int fd) {
    this.name = name;
    this.fd = fd;
  }

  /** Opens it with some of the flags above. */
  public static DiskFile open(Path name, int flags) {
    int fd = LIBC.open(name.toString(), O_RDWR | O_CLOEXEC | flags, 0);
    DiskFile file = new DiskFile(name, fd);
    file.check("open", fd);
    return file;
  }

  /** Writes all bytes, by one call unless the kernel takes fewer. */
  public void write(byte[] bytes, long offset) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    write(buffer, offset);
  }

  /** Writes the remaining bytes of a direct buffer. */
  public void write(ByteBuffer direct, long offset) {
    long at = offset;
    while (direct.hasRemaining()) {
      long count = check("write", LIBC.pwrite(fd, direct, direct.remaining(), at));
      direct.position(direct.position() + (int) count);
      at += count;
    }
  }

  /** Reads that many bytes, all of which must be there. */
  public byte[] read(long offset, int length) {
    byte[] bytes = new byte[length];
    read(ByteBuffer.allocateDirect(length), offset).get(bytes);
    return bytes;
  }

  /** Fills the remaining bytes of a direct buffer, all of which must be there, and flips it. */
  public ByteBuffer read(ByteBuffer direct, long offset) {
    long at = offset;
    while (direct.hasRemaining()) {
      long count = check("read", LIBC.pread(fd, direct, direct.remaining(), at));
      if (count == 0) {
        throw new AssertionError("%s ends at %d".formatted(name, at));
      }
      direct.position(direct.position() + (int) count);
      at += count;
    }
    return direct.flip();
  }

  public void fsync() {
    check("fsync", LIBC.fsync(fd));
  }

  public void fdatasync() {
    check("fdatasync", LIBC.fdatasync(fd));
  }

  public void truncate(long bytes) {
    check("ftruncate", LIBC.ftruncate(fd, bytes));
  }

  /** Makes a hole; the size stays. */
  public void punchHole(long offset, long length) {
    check("punch hole", LIBC.fallocate(fd, PUNCH_HOLE | KEEP_SIZE, offset, length));
  }

  /** Makes zeros; the size stays. */
  public void zeroRange(long offset, long length) {
    check("zero range", LIBC.fallocate(fd, ZERO_RANGE | KEEP_SIZE, offset, length));
  }

  /** Takes space without changing what is read; the size stays. */
  public void allocate(long offset, long length) {
    check("fallocate", LIBC.fallocate(fd, KEEP_SIZE, offset, length));
  }

  /** Changes bytes through a shared mapping, which {@code msync} brings out before it goes. */
  public void writeMapped(byte[] bytes, long offset) {
    try (Mapping mapping = map(offset, bytes.length)) {
      mapping.put(bytes, offset);
      mapping.msync();
    }
  }

  /** Maps a range, shared and for writing. */
  public Mapping map(long offset, long length) {
    long start = offset / PAGE_BYTES * PAGE_BYTES;
    long bytes = offset + length - start;
    Pointer memory = LIBC.mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, fd, start);
    check("mmap", memory.address());
    return new Mapping(memory, start, bytes);
  }

  /** A part of the file as memory. */
  public final class Mapping implements AutoCloseable {
    private final Pointer memory;
    private final long start;
    private final long length;

    private Mapping(Pointer memory, long start, long length) {
      this.memory = memory;
      this.start = start;
      this.length = length;
    }

    /** Changes bytes in memory; the kernel writes them when it likes, page by page. */
    public void put(byte[] bytes, long offset) {
      memory.put(offset - start, bytes, 0, bytes.length);
    }

    /** Has every changed page written, many at a time, and flushed as {@code fsync} would. */
    public void msync() {
      check("msync", LIBC.msync(memory, length, MS_SYNC));
    }

    @Override
    public void close() {
      check("munmap", LIBC.munmap(memory, length));
    }
  }

  private long check(String call, long result) {
    if (result == -1) {
      String reason = LIBC.strerror(RUNTIME.getLastError());
      throw new UncheckedIOException(new IOException(call + " of " + name + ": " + reason));
    }
    return result;
  }

  /** What {@code close(2)} says counts too: it is where a disk tells that a flush failed. */
  @Override
  public void close() {
    check("close", LIBC.close(fd));
  }
}
