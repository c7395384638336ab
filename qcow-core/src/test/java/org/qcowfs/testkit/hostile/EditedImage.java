package org.qcowfs.testkit.hostile;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;
import org.qcowfs.testkit.fuzz.FuzzInput;

/**
 * A small valid image, changed by a short program. The first byte chooses the image, and each
 * further edit takes a byte for what it does, two for the field, and then:
 *
 * <pre>
 * set, add, flip   the value, 8 bytes (flip: 1)
 * aim              two bytes for the field whose cluster becomes the pointer's target, one that is
 *                  added to it: clusters, or bytes where the field's number is odd
 * cut              as much of the file is left as field / 65536 of it
 * </pre>
 */
public final class EditedImage {
  private static final int IMAGES = 128;
  private static final int EDITS_MAX = 24;

  private final FuzzInput program;
  private final TestImage image;
  private final SparseBytes file;
  private final List<Field> fields = new ArrayList<>();

  private EditedImage(FuzzInput program) {
    this.program = program;
    this.image = ValidImage.of(new SplittableRandom(program.nextByte() % IMAGES));
    this.file = image.bytes();
    ImageFields.of(image).values().forEach(fields::addAll);
  }

  /**
   * Makes the file, and those that the image names beside it.
   *
   * @return the file
   */
  public static Path write(byte[] program, Path file) throws IOException {
    return ReferredFiles.write(of(program), file);
  }

  private static TestImage of(byte[] program) {
    EditedImage edited = new EditedImage(new FuzzInput(program));
    for (int i = 0; i < EDITS_MAX && !edited.program.isEmpty(); i++) {
      edited.edit();
    }
    return edited.image;
  }

  private void edit() {
    int what = program.nextByte();
    int number = program.nextByte() << Byte.SIZE | program.nextByte();
    Field field = fields.get(number % fields.size());
    long old = field.get(file);
    switch (what % 6) {
      case 0 -> field.put(file, program.nextLong());
      case 1 -> field.put(file, old + program.nextLong());
      case 2 -> field.put(file, old ^ (1L << program.nextByte()));
      case 3 -> file.resize((file.size() * number) >> 16);
      default -> field.put(file, aimed(old));
    }
  }

  private long aimed(long old) {
    int number = program.nextByte() << Byte.SIZE | program.nextByte();
    long cluster = 1L << image.clusterBits();
    long target = fields.get(number % fields.size()).offset() & -cluster;
    long shift = (byte) program.nextByte() * (number % 2 == 0 ? cluster : 1);
    return (target + shift) | (old & (3L << 62));
  }
}
