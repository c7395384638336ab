package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.qcowfs.error.ImageLockedException.WayOut;
import org.qcowfs.image.Image;
import org.qcowfs.image.Images;
import org.qcowfs.image.OpenOptions;
import org.qcowfs.report.AllocationMap;
import org.qcowfs.report.MapJson;
import org.qcowfs.report.MapText;

/** {@code qcowfs map}: which parts of the disk hold data, and where it lies. */
final class MapCommand implements Command, ImageUser {
  private final CommandUsage usage =
      new CommandUsage(
          this, "map", "Shows which parts of the disk hold data, and in which file it lies where.");

  private final Supplier<Path> image = usage.required(0, Path.class, "IMAGE", "The image file.");

  private final BooleanSupplier json =
      usage.flag("Print JSON, holes included, as qemu-img map --output=json does.", "--json");

  private final Supplier<@Nullable Long> startOffset =
      usage.value(
          Long.class,
          new ByteCount(),
          "BYTES",
          "Start there; suffixes K to E count in powers of 1024.",
          "--start-offset");

  private final Supplier<@Nullable Long> maxLength =
      usage.value(Long.class, new ByteCount(), "BYTES", "Show no more than that.", "--max-length");

  private final Supplier<@Nullable String> snapshot =
      usage.text(
          "NAME",
          "Map the internal snapshot of that name or ID instead of the disk.",
          "--snapshot");

  private final ImageOptions options = new ImageOptions(usage);

  @Override
  public CommandUsage usage() {
    return usage;
  }

  @Override
  public Integer call() throws IOException {
    OpenOptions how = options.openOptions();
    String name = snapshot.get();
    try (Image opened = Images.open(image.get(), name == null ? how : how.withSnapshot(name))) {
      AllocationMap map =
          AllocationMap.of(
              opened,
              Objects.requireNonNullElse(startOffset.get(), 0L),
              Objects.requireNonNullElse(maxLength.get(), Long.MAX_VALUE));
      if (json.getAsBoolean()) {
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
