package org.qcowfs.it.cache;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.qcowfs.it.kit.Await;
import org.qcowfs.it.kit.DiskFile;
import org.qcowfs.it.kit.MountedImage;
import org.qcowfs.it.kit.TestDirectory;

/** A writable mount, its daemon watched, its disk open. Nothing is flushed in the background. */
final class TracedMount implements AutoCloseable {
  private final Path notes = TestDirectory.create("trace");
  private final MountedImage mount;
  private final ProcessHandle daemon;
  private final Strace strace;
  private DiskFile disk;
  private boolean ended;

  TracedMount(Path image, CacheRow row, String... options) {
    List<String> all =
        Stream.concat(
                Stream.of("rw", "cache=" + row.mode(), "flush_interval=0"), Stream.of(options))
            .toList();
    mount = MountedImage.mount(image, all.toArray(String[]::new));
    daemon = mount.daemon();
    strace = Strace.attach(daemon, image.getParent(), notes);
    disk = DiskFile.open(mount.disk(), DiskFile.PLAIN);
  }

  DiskFile disk() {
    return disk;
  }

  /** The calls that the daemon made while {@code work} ran. */
  List<HostCall> callsOf(Runnable work) {
    var unused = strace.take();
    work.run();
    return strace.take();
  }

  /** The calls of a {@code close(2)}. Before and afterwards, the disk is open. */
  List<HostCall> callsOfClose() {
    List<HostCall> calls = callsOf(disk::close);
    disk = DiskFile.open(mount.disk(), DiskFile.PLAIN);
    return calls;
  }

  /** The calls of one write through a descriptor with those flags, its close not included. */
  List<HostCall> callsOfWrite(int flags, byte[] bytes, long offset) {
    return callsOfWrite(mount.disk(), flags, bytes, offset);
  }

  /** The calls of one write to the first partition, as soon as there is one. */
  List<HostCall> callsOfWriteToPartition(int flags, byte[] bytes, long offset) {
    Path partition = mount.file("partitions/1.raw");
    Await.until("there is a partition", () -> Files.exists(partition));
    return callsOfWrite(partition, flags, bytes, offset);
  }

  private List<HostCall> callsOfWrite(Path file, int flags, byte[] bytes, long offset) {
    DiskFile other = DiskFile.open(file, flags);
    List<HostCall> calls = callsOf(() -> other.write(bytes, offset));
    other.close();
    return calls;
  }

  /** Closes the disk and unmounts it; the calls of the unmount. */
  List<HostCall> callsOfUnmount() {
    ended = true;
    disk.close();
    var unused = strace.take();
    mount.close();
    return strace.takeUntilEnd();
  }

  /** Whether the daemon has the file open past the page cache. */
  boolean hasOpenDirectly(Path file) {
    Path process = Path.of("/proc", String.valueOf(daemon.pid()));
    try (Stream<Path> links = Files.list(process.resolve("fd"))) {
      for (Path link : links.toList()) {
        if (Files.exists(link) && Files.readSymbolicLink(link).equals(file)) {
          Path info = process.resolve("fdinfo").resolve(link.getFileName());
          return (flags(Files.readAllLines(info)) & DiskFile.DIRECT) != 0;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new AssertionError("the daemon does not have " + file + " open");
  }

  private static int flags(List<String> info) {
    String line = info.stream().filter(l -> l.startsWith("flags:")).findFirst().orElseThrow();
    return Integer.parseInt(line.substring("flags:".length()).strip(), 8);
  }

  /** After a failure it is unmounted; else there is nothing left to do. */
  @Override
  public void close() {
    strace.close();
    if (!ended) {
      disk.close();
      mount.close();
    }
  }
}
