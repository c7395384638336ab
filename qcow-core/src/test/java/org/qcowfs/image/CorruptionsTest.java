package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.TestImage;

/** What the judge of hostile images takes for damage, and what not. */
final class CorruptionsTest {
  private static final long COPIED = 1L << 63;
  private static final int CLUSTER = 4096;

  @TempDir private Path directory;

  private static TestImage image() {
    ImageBuilder builder = new ImageBuilder(3, 12).virtualSize(16 * CLUSTER);
    builder.disk().data(0, new byte[CLUSTER]).data(1, new byte[CLUSTER]);
    return builder.build();
  }

  private Corruptions of(TestImage image) throws IOException {
    return Corruptions.of(image.writeTo(directory.resolve("image.qcow2"))).orElseThrow();
  }

  private boolean isNoWorse(TestImage image) throws IOException {
    return of(image).isNoWorseThan(of(image()));
  }

  @Test
  void aCopiedFlagThatIsClearNeedlesslyIsNoDamage() throws IOException {
    TestImage image = image();
    image.bytes().putLong(image.l2EntryOffset(0), image.l2Entry(0) & ~COPIED);

    assertThat(isNoWorse(image)).isTrue();
  }

  @Test
  void aClusterOfTwoEntriesIsDamage() throws IOException {
    TestImage image = image();
    image.bytes().putLong(image.l2EntryOffset(0), image.l2Entry(CLUSTER));

    assertThat(isNoWorse(image)).isFalse();
  }

  @Test
  void anEntryThatNamesATableIsDamage() throws IOException {
    TestImage image = image();
    image.bytes().putLong(image.l2EntryOffset(0), COPIED | image.l1TableOffset());

    assertThat(isNoWorse(image)).isFalse();
  }

  @Test
  void anEntryPastTheEndIsDamage() throws IOException {
    TestImage image = image();
    image.bytes().putLong(image.l2EntryOffset(0), COPIED | 0x4000_0000L);

    assertThat(isNoWorse(image)).isFalse();
  }
}
