package org.qcowfs.cli;

import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.qcowfs.error.ImageLockedException.WayOut;
import org.qcowfs.image.ImageFormat;
import org.qcowfs.image.OpenOptions;
import org.qcowfs.image.ReferencePolicy;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * How a command that only reads opens its image: the options that {@code info} and {@code map}
 * share.
 */
final class ImageOptions {
  private final Supplier<@Nullable ImageFormat> format;
  private final Supplier<@Nullable ImageFormat> backingFormat;
  private final Supplier<@Nullable String> references;
  private final BooleanSupplier forceShare;

  /** Adds the options to those of a command. */
  ImageOptions(CommandUsage usage) {
    format =
        usage.value(
            ImageFormat.class,
            new FormatName(),
            "FORMAT",
            "The image's format, qcow2 or raw, where its name does not tell.",
            "-f",
            "--format");
    backingFormat =
        usage.value(
            ImageFormat.class,
            new FormatName(),
            "FORMAT",
            "The format of a backing file whose image records none.",
            "--backing-format");
    references =
        usage.text(
            "POLICY",
            "Which further files the image may name: same-dir (default), none, any, or"
                + " DIR[:DIR...].",
            "--references");
    forceShare =
        usage.flag(
            "Read the image even while another program writes to it.", "-U", "--force-share");
  }

  OpenOptions openOptions() {
    String policy = Objects.requireNonNullElse(references.get(), "same-dir");
    OpenOptions options =
        OpenOptions.defaults()
            .withReferences(ReferencePolicy.parse(policy))
            .withForceShare(forceShare.getAsBoolean());
    ImageFormat given = format.get();
    if (given != null) {
      options = options.withFormat(given);
    }
    ImageFormat below = backingFormat.get();
    return below == null ? options : options.withBackingFormat(below);
  }

  /** As {@link ImageUser#insteadOfWaiting}. */
  static String insteadOfWaiting(WayOut wayOut) {
    return wayOut == WayOut.FORCE_SHARE
        ? ", or read along at your own risk with --force-share"
        : "";
  }

  private static final class FormatName implements ITypeConverter<ImageFormat> {
    @Override
    public ImageFormat convert(String name) {
      return ImageFormat.byName(name)
          .orElseThrow(() -> new TypeConversionException("'" + name + "' is not qcow2 or raw"));
    }
  }
}
