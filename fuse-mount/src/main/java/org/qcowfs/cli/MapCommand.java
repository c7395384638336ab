package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.qcowfs.error.ImageLockedException.WayOut;
import org.qcowfs.image.Image;
import org.qcowfs.image.Images;
import org.qcowfs.image.OpenOptions;
import org.qcowfs.report.AllocationMap;
import org.qcowfs.report.MapJson;
import org.qcowfs.report.MapText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code qcowfs map}: which parts of the disk hold data, and where it lies. */
@Command(
    name = "map",
    description = "Shows which parts of the disk hold data, and in which file it lies where.")
final class MapCommand implements Callable<Integer>, ImageUser {
  @Parameters(paramLabel = "IMAGE", description = "The image file.")
  private Path image;

  @Option(
      names = "--json",
      description = "Print JSON, holes included, as qemu-img map --output=json does.")
  private boolean json;

  @Option(
      names = "--start-offset",
      paramLabel = "BYTES",
      converter = ByteCount.class,
      description = "Start there; suffixes K to E count in powers of 1024.")
  private long startOffset;

  @Option(
      names = "--max-length",
      paramLabel = "BYTES",
      converter = ByteCount.class,
      description = "Show no more than that.")
  private long maxLength = Long.MAX_VALUE;

  @Option(
      names = "--snapshot",
      paramLabel = "NAME",
      description = "Map the internal snapshot of that name or ID instead of the disk.")
  private @Nullable String snapshot;

  @Mixin private ImageOptions options = new ImageOptions();

  @Override
  public Integer call() throws IOException {
    OpenOptions how = options.openOptions();
    try (Image opened = Images.open(image, snapshot == null ? how : how.withSnapshot(snapshot))) {
      AllocationMap map = AllocationMap.of(opened, startOffset, maxLength);
      if (json) {
        MapJson.write(map, System.out);
      } else {
        MapText.write(map, System.out);
      }
    }
    StandardOutput.check();
    return ExitCodes.DONE;
  }

  @Override
  public String insteadOfWaiting(WayOut wayOut) {
    return ImageOptions.insteadOfWaiting(wayOut);
  }
}
