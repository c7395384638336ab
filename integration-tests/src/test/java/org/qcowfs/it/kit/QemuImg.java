package org.qcowfs.it.kit;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;

/**
 * QEMU's {@code qemu-img}: makes images and says what they hold. Runs in the directory of the
 * image, since QEMU takes the name of an external data file relative to its working directory.
 */
public final class QemuImg {
  private QemuImg() {}

  /** Runs it in the directory of an image and asserts success. */
  public static CommandResult on(Path image, Object... arguments) {
    Command command = Command.of("qemu-img").with(List.of(arguments));
    return command.in(image.toAbsolutePath().getParent()).run().succeeded();
  }

  /** Creates a qcow2 image; {@code options} as after {@code -o}, may be empty. */
  public static Path create(Path image, String options, long virtualBytes) {
    Command create = Command.of("qemu-img", "create", "-q", "-f", "qcow2");
    if (!options.isEmpty()) {
      create = create.with(List.of("-o", options));
    }
    create.with(List.of(image, virtualBytes)).in(image.getParent()).run().succeeded();
    return image;
  }

  /** Creates a raw image: a sparse file of that size. */
  public static Path createRaw(Path image, long virtualBytes) {
    on(image, "create", "-q", "-f", "raw", image, virtualBytes);
    return image;
  }

  /** Creates an overlay that is as large as its backing file, which it names relative to itself. */
  public static Path createOverlay(Path image, String backingName, String backingFormat) {
    on(image, "create", "-q", "-f", "qcow2", "-b", backingName, "-F", backingFormat, image);
    return image;
  }

  /** Takes an internal snapshot. */
  public static void snapshot(Path image, String name) {
    on(image, "snapshot", "-c", name, image);
  }

  /** The bytes of the disk in a raw file beside the image. The caller deletes it. */
  public static Path toRaw(Path image) {
    Path raw = image.resolveSibling(image.getFileName() + ".expected");
    on(image, "convert", "-f", "qcow2", "-O", "raw", image, raw);
    return raw;
  }

  /** The bytes of an internal snapshot in a raw file beside the image. The caller deletes it. */
  public static Path snapshotToRaw(Path image, String name) {
    Path raw = image.resolveSibling(image.getFileName() + "." + name + ".expected");
    on(image, "convert", "-f", "qcow2", "-l", "snapshot.name=" + name, "-O", "raw", image, raw);
    return raw;
  }

  /** Asserts that QEMU, too, finds the same contents in our raw file and in the image. */
  public static void assertIdentical(Path raw, Path image) {
    on(image, "compare", "-f", "raw", "-F", "qcow2", raw, image);
  }

  /** What QEMU says of the image. */
  public static JsonNode info(Path image) {
    return Json.parse(on(image, "info", "-f", "qcow2", "--output=json", image).stdout());
  }

  /** Which parts of the disk are where. */
  public static JsonNode map(Path image) {
    return Json.parse(on(image, "map", "--output=json", image).stdout());
  }
}
