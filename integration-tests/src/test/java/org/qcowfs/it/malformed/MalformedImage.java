package org.qcowfs.it.malformed;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.qcowfs.it.kit.ImageEditor;

/**
 * A valid image with one thing wrong.
 *
 * @param name what is wrong, for the test report
 * @param base the valid image
 * @param damage the change that breaks it
 * @param outcome what the user must see
 * @param words what the message must name, each a regular expression
 */
record MalformedImage(
    String name,
    BaseImage base,
    Consumer<ImageEditor> damage,
    Outcome outcome,
    List<Pattern> words) {

  /** What becomes of a malformed image. */
  enum Outcome {
    /** It is not mounted; the message is on stderr. */
    REFUSED,
    /** It is mounted and the disk reads right; the message is in {@code qcowfs info}. */
    MOUNTED_WITHOUT_PART,
    /** It is mounted; reading guest cluster 0 fails, the rest reads right. */
    CLUSTER_UNREADABLE,
    /** It is mounted and reads right; there is nothing to complain about when reading. */
    READ_AS_USUAL
  }

  static MalformedImage refused(
      String name, BaseImage base, Consumer<ImageEditor> damage, String... words) {
    return new MalformedImage(name, base, damage, Outcome.REFUSED, patterns(words));
  }

  static MalformedImage mountedWithoutPart(
      String name, BaseImage base, Consumer<ImageEditor> damage, String... words) {
    return new MalformedImage(name, base, damage, Outcome.MOUNTED_WITHOUT_PART, patterns(words));
  }

  static MalformedImage unreadable(String name, BaseImage base, Consumer<ImageEditor> damage) {
    return new MalformedImage(name, base, damage, Outcome.CLUSTER_UNREADABLE, List.of());
  }

  static MalformedImage readAsUsual(String name, BaseImage base, Consumer<ImageEditor> damage) {
    return new MalformedImage(name, base, damage, Outcome.READ_AS_USUAL, List.of());
  }

  /** Every case of the corpus. */
  static Stream<MalformedImage> corpus() {
    return Stream.of(
            HeaderCases.all(),
            FeatureCases.all(),
            TableCases.all(),
            SnapshotCases.all(),
            BitmapCases.all())
        .flatMap(List::stream);
  }

  /** A number as a message may write it: decimal or hexadecimal. */
  static String number(long value) {
    return String.format(
        Locale.ROOT, "(?<![0-9a-fx])(%s|0x0*%x)(?![0-9a-f])", Long.toUnsignedString(value), value);
  }

  /** The damaged image in a new file. */
  Path createAt(Path file) {
    base.copyTo(file);
    ImageEditor.edit(file, damage);
    return file;
  }

  private static List<Pattern> patterns(String... words) {
    return Arrays.stream(words).map(w -> Pattern.compile(w, Pattern.CASE_INSENSITIVE)).toList();
  }

  @Override
  public String toString() {
    return name;
  }
}
