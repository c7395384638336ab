package org.qcowfs.it.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.qcowfs.it.kit.Await;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.MountTable;

/**
 * A host disk that fails as it is told: the image file is shown by QEMU's own FUSE export, with its
 * driver for faults between. {@link #close} ends it; the image file itself stays.
 */
final class FaultyHost implements AutoCloseable {
  private final Process daemon;
  private final Path shown;

  private FaultyHost(Process daemon, Path shown) {
    this.daemon = daemon;
    this.shown = shown;
  }

  /**
   * Shows a file with faults.
   *
   * @param faults members of the object that configures QEMU's {@code blkdebug} driver, as JSON
   */
  static FaultyHost showing(Path file, String faults) {
    Path directory = file.resolveSibling("host");
    Path shown = directory.resolve("shown.qcow2");
    Path ready = directory.resolve("pid");
    try {
      Files.createDirectories(directory);
      Files.deleteIfExists(ready);
      if (Files.notExists(shown)) {
        Files.createFile(shown);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String debug = "{\"driver\":\"blkdebug\",\"node-name\":\"d\",\"image\":\"f\",%s}";
    String export = "type=fuse,id=e,node-name=r,writable=on,growable=on,mountpoint=" + shown;
    Process daemon =
        Command.of(
                "qemu-storage-daemon",
                "--blockdev",
                "driver=file,node-name=f,filename=" + file,
                "--blockdev",
                debug.formatted(faults),
                "--blockdev",
                "driver=blkdebug,node-name=r,image=d", // tells the one below of flushes
                "--export",
                export,
                "--pidfile",
                ready)
            .start(directory.resolve("out"), directory.resolve("err"));
    Await.until("the host's disk", () -> Files.exists(ready) || !daemon.isAlive());
    assertThat(daemon.isAlive()).as("the host's disk, see %s/err", directory).isTrue();
    return new FaultyHost(daemon, shown);
  }

  /** The image as the host shows it. */
  Path image() {
    return shown;
  }

  @Override
  public void close() {
    daemon.destroy();
    Command.awaitEnd(daemon.toHandle());
    Await.until("the end of the host's disk", () -> !MountTable.isMounted(shown));
  }
}
