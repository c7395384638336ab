package org.qcowfs.cli;

import org.jspecify.annotations.Nullable;
import org.qcowfs.error.ImageLockedException.WayOut;
import org.qcowfs.image.ImageFormat;
import org.qcowfs.image.OpenOptions;
import org.qcowfs.image.ReferencePolicy;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/**
 * How a command that only reads opens its image: the options that {@code info} and {@code map}
 * share.
 */
final class ImageOptions {
  @Option(
      names = {"-f", "--format"},
      paramLabel = "FORMAT",
      converter = FormatName.class,
      description = "The image's format, qcow2 or raw, where its name does not tell.")
  private @Nullable ImageFormat format;

  @Option(
      names = "--backing-format",
      paramLabel = "FORMAT",
      converter = FormatName.class,
      description = "The format of a backing file whose image records none.")
  private @Nullable ImageFormat backingFormat;

  @Option(
      names = "--references",
      paramLabel = "POLICY",
      defaultValue = "same-dir",
      description =
          "Which further files the image may name: same-dir (default), none, any, or DIR[:DIR...].")
  private String references = "same-dir";

  @Option(
      names = {"-U", "--force-share"},
      description = "Read the image even while another program writes to it.")
  private boolean forceShare;

  OpenOptions openOptions() {
    OpenOptions options =
        OpenOptions.defaults()
            .withReferences(ReferencePolicy.parse(references))
            .withForceShare(forceShare);
    if (format != null) {
      options = options.withFormat(format);
    }
    return backingFormat == null ? options : options.withBackingFormat(backingFormat);
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
