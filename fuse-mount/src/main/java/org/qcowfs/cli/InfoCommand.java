package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.qcowfs.error.ImageLockedException.WayOut;
import org.qcowfs.image.ImageInfo;
import org.qcowfs.image.Images;
import org.qcowfs.report.InfoJson;
import org.qcowfs.report.InfoText;

/**
 * {@code qcowfs info}: what an image says of itself. Opens no other file, unless asked for the
 * chain.
 */
final class InfoCommand implements Command, ImageUser {
  private final CommandUsage usage =
      new CommandUsage(
          this,
          "info",
          "Shows what an image says of itself: sizes, format, backing file, snapshots.");

  private final Supplier<Path> image = usage.required(0, Path.class, "IMAGE", "The image file.");

  private final BooleanSupplier json =
      usage.flag("Print JSON, as qemu-img info --output=json does.", "--json");

  private final BooleanSupplier backingChain =
      usage.flag("Show the backing files too, down to the last.", "--backing-chain");

  private final ImageOptions options = new ImageOptions(usage);

  @Override
  public CommandUsage usage() {
    return usage;
  }

  @Override
  public Integer call() throws IOException {
    List<ImageInfo> chain =
        backingChain.getAsBoolean()
            ? Images.chainInfo(image.get(), options.openOptions())
            : List.of(Images.info(image.get(), options.openOptions()));
    if (!json.getAsBoolean()) {
      InfoText.write(chain, ZoneId.systemDefault(), System.out);
    } else if (backingChain.getAsBoolean()) {
      InfoJson.writeChain(chain, System.out);
    } else {
      InfoJson.write(chain.get(0), System.out);
    }
    StandardOutput.check();
    return ExitCodes.DONE;
  }

  @Override
  public String insteadOfWaiting(WayOut wayOut) {
    return ImageOptions.insteadOfWaiting(wayOut);
  }
}
