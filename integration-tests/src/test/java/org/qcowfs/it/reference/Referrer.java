package org.qcowfs.it.reference;

import java.nio.file.Path;
import org.qcowfs.it.kit.ImageEditor;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;

/** Images that name other files, however strange the name: QEMU is kept from looking at it. */
final class Referrer {
  static final long VIRTUAL_BYTES = 1 << 20;

  private static final int BACKING_FORMAT_EXTENSION = 0xe2792aca;
  private static final int UNKNOWN_EXTENSION = 0x12345678;

  private Referrer() {}

  /** An overlay with no data of its own. */
  static Path overlay(Path image, String backingName, String backingFormat) {
    QemuImg.on(
        image,
        "create",
        "-q",
        "-u",
        "-f",
        "qcow2",
        "-b",
        backingName,
        "-F",
        backingFormat,
        image,
        VIRTUAL_BYTES);
    return image;
  }

  /** An overlay that does not record the format of its backing file. */
  static Path overlayWithoutFormat(Path image, String backingName) {
    overlay(image, backingName, "raw");
    ImageEditor.edit(image, e -> e.put32(e.extension(BACKING_FORMAT_EXTENSION), UNKNOWN_EXTENSION));
    return image;
  }

  /** An image whose guest data lies in another file, which is made too. */
  static Path withDataFile(Path image, Path dataFile) {
    QemuImg.create(image, "data_file=" + dataFile, VIRTUAL_BYTES);
    new QemuIo().write(7, 0, VIRTUAL_BYTES).run(image);
    return image;
  }

  /** A raw file full of one byte. */
  static Path raw(Path file) {
    QemuImg.createRaw(file, VIRTUAL_BYTES);
    new QemuIo().write(9, 0, VIRTUAL_BYTES).runRaw(file);
    return file;
  }

  /** A chain of so many images, the bottom one included; returns the top. */
  static Path chain(Path directory, int depth) {
    Path below = directory.resolve("0.qcow2");
    QemuImg.create(below, "", VIRTUAL_BYTES);
    new QemuIo().write(3, 0, VIRTUAL_BYTES).run(below);
    for (int i = 1; i < depth; i++) {
      below = overlay(directory.resolve(i + ".qcow2"), below.getFileName().toString(), "qcow2");
    }
    return below;
  }
}
