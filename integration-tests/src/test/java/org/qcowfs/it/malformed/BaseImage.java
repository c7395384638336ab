package org.qcowfs.it.malformed;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.QemuIo;
import org.qcowfs.it.kit.TestDirectory;

/**
 * The valid images that are broken. All are 64 MiB large. Their guest clusters 0 and 1 hold data,
 * and so do the 64 KiB at 1 MiB.
 */
enum BaseImage {
  PLAIN("compat=1.1"),
  VERSION_2("compat=0.10"),
  SMALL_CLUSTERS("cluster_size=4096"),
  EXTENDED_L2("extended_l2=on"),
  COMPRESSED("compat=1.1"),
  SNAPSHOT("compat=1.1"),
  BITMAP("compat=1.1");

  static final long VIRTUAL_BYTES = 64 << 20;
  static final int DATA = 0x5a;

  private static final String TEXT = "compress me ".repeat(1000);

  private final String options;

  BaseImage(String options) {
    this.options = options;
  }

  /** A fresh copy that the caller may break. */
  Path copyTo(Path file) {
    try {
      return Files.copy(Holder.originals().resolve(name()), file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a range reads as from its begin, if it was written when the image was made. */
  byte[] contents(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = this == COMPRESSED ? (byte) TEXT.charAt(i % TEXT.length()) : DATA;
    }
    return bytes;
  }

  private void create(Path directory) {
    Path image = QemuImg.create(directory.resolve(name()), options, VIRTUAL_BYTES);
    if (this == COMPRESSED) {
      Path text = directory.resolve("text");
      write(text, TEXT);
      new QemuIo()
          .writeCompressed(text, 0, 128 << 10)
          .writeCompressed(text, 1 << 20, 64 << 10)
          .run(image);
    } else {
      new QemuIo().write(DATA, 0, 128 << 10).write(DATA, 1 << 20, 64 << 10).run(image);
    }
    if (this == SNAPSHOT) {
      QemuImg.snapshot(image, "installed");
    }
    if (this == BITMAP) {
      QemuImg.on(image, "bitmap", "--add", image, "backup");
    }
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Makes the originals once, when first asked for. */
  private static final class Holder {
    private static final Path DIRECTORY = create();

    private Holder() {}

    static Path originals() {
      return DIRECTORY;
    }

    private static Path create() {
      Path directory = TestDirectory.create("originals");
      for (BaseImage base : values()) {
        base.create(directory);
      }
      return directory;
    }
  }
}
