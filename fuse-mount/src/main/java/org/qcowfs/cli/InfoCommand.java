package org.qcowfs.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.List;
import java.util.concurrent.Callable;
import org.qcowfs.error.ImageLockedException.WayOut;
import org.qcowfs.image.ImageInfo;
import org.qcowfs.image.Images;
import org.qcowfs.report.InfoJson;
import org.qcowfs.report.InfoText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code qcowfs info}: what an image says of itself. Opens no other file, unless asked for the
 * chain.
 */
@Command(
    name = "info",
    description = "Shows what an image says of itself: sizes, format, backing file, snapshots.")
final class InfoCommand implements Callable<Integer>, ImageUser {
  @Parameters(paramLabel = "IMAGE", description = "The image file.")
  private Path image;

  @Option(names = "--json", description = "Print JSON, as qemu-img info --output=json does.")
  private boolean json;

  @Option(names = "--backing-chain", description = "Show the backing files too, down to the last.")
  private boolean backingChain;

  @Mixin private ImageOptions options = new ImageOptions();

  @Override
  public Integer call() throws IOException {
    List<ImageInfo> chain =
        backingChain
            ? Images.chainInfo(image, options.openOptions())
            : List.of(Images.info(image, options.openOptions()));
    if (!json) {
      InfoText.write(chain, ZoneId.systemDefault(), System.out);
    } else if (backingChain) {
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
