package org.qcowfs.image;

import java.util.function.Consumer;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SparseBytes;

/** An image that was made wrong, and what is to be said of it. */
record Malformed(String title, SparseBytes image, String message) {
  static Malformed of(String title, ImageBuilder builder, String message) {
    return new Malformed(title, builder.build().bytes(), message);
  }

  /** A plain image of version 3 after a poke; the message is that of the header field. */
  static Malformed at(String title, long field, Consumer<SparseBytes> poke, String detail) {
    SparseBytes bytes = MalformedImages.v3().build().bytes();
    poke.accept(bytes);
    return new Malformed(title, bytes, "Header at host offset 0x%x: %s".formatted(field, detail));
  }

  Malformed withMessage(String whole) {
    return new Malformed(title, image, whole);
  }

  @Override
  public String toString() {
    return title;
  }
}
