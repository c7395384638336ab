package org.qcowfs.it.kit;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;

/** A file as lseek(2) sees it: ranges of data, holes between them. Offsets are bytes. */
public final class SparseFile implements AutoCloseable {
  /** Nothing is there any more: what {@code ENXIO} says. */
  public static final long NOTHING = -1;

  private static final int O_RDONLY_CLOEXEC = 0x8_0000;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final int SEEK_END = 2;
  private static final int ENXIO = 6;

  private static final LibC LIBC = LibraryLoader.create(LibC.class).load("c");
  private static final Runtime RUNTIME = Runtime.getRuntime(LIBC);

  private final Path name;
  private final int fd;

  /** A range of data. */
  public record Data(long start, long end) {}

  private SparseFile(Path name, int fd) {
    this.name = name;
    this.fd = fd;
  }

  public static SparseFile open(Path name) {
    int fd = LIBC.open(name.toString(), O_RDONLY_CLOEXEC, 0);
    assertThat(fd).as("open of %s", name).isNotNegative();
    return new SparseFile(name, fd);
  }

  public long size() {
    return seek(0, SEEK_END);
  }

  /** Where data begins, at the offset or behind it; {@link #NOTHING} if there is none. */
  public long nextData(long offset) {
    return seek(offset, SEEK_DATA);
  }

  /** Where a hole begins, at the offset or behind it; the end of the file counts as one. */
  public long nextHole(long offset) {
    return seek(offset, SEEK_HOLE);
  }

  private long seek(long offset, int whence) {
    long found = LIBC.lseek(fd, offset, whence);
    if (found < 0 && RUNTIME.getLastError() != ENXIO) {
      String reason = LIBC.strerror(RUNTIME.getLastError());
      throw new UncheckedIOException(new IOException("lseek of " + name + ": " + reason));
    }
    return found;
  }

  /** All its data, from one end to the other. */
  public List<Data> data() {
    List<Data> all = new ArrayList<>();
    long size = size();
    long at = nextData(0);
    while (at != NOTHING) {
      long end = nextHole(at);
      assertThat(end).as("end of the data of %s at %d", name, at).isGreaterThan(at);
      all.add(new Data(at, end));
      at = end < size ? nextData(end) : NOTHING;
    }
    assertThat(nextData(size)).as("data behind the end").isEqualTo(NOTHING);
    assertThat(nextHole(size)).as("a hole behind the end").isEqualTo(NOTHING);
    return all;
  }

  /** What of a file of that size is data according to {@code qemu-img map --output=json}. */
  public static List<Data> dataOf(JsonNode map, long size) {
    List<Data> all = new ArrayList<>();
    for (JsonNode extent : map) {
      long start = extent.get("start").asLong();
      long end = Math.min(start + extent.get("length").asLong(), size);
      if (extent.get("zero").asBoolean() || start >= end) {
        continue;
      }
      int last = all.size() - 1;
      if (last >= 0 && all.get(last).end() == start) {
        all.set(last, new Data(all.get(last).start(), end));
      } else {
        all.add(new Data(start, end));
      }
    }
    return all;
  }

  /** What of the data lies in a window, as seen from the window's start. */
  public static List<Data> within(List<Data> data, long start, long end) {
    return data.stream()
        .filter(range -> range.start() < end && range.end() > start)
        .map(
            range ->
                new Data(
                    Math.max(range.start(), start) - start, Math.min(range.end(), end) - start))
        .toList();
  }

  /** Asserts that the file's data is what the map says; without the accelerator, all is data. */
  public static void assertAsMapped(Path file, JsonNode map) {
    try (SparseFile sparse = open(file)) {
      long size = sparse.size();
      List<Data> expected = Accelerator.ON ? dataOf(map, size) : List.of(new Data(0, size));
      assertThat(sparse.data()).as("data of %s", file).isEqualTo(expected);
    }
  }

  @Override
  public void close() {
    LIBC.close(fd);
  }
}
