package org.qcowfs.testkit.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.testkit.QemuTools;

/** What is to be broken must be whole at first, or else what was broken in it says nothing. */
final class ValidImageTest {
  private static final int IMAGES = Integer.getInteger("qcowfs.valid.images", 40);

  @TempDir private Path directory;

  @Test
  void anImageOfAnyKindIsCleanBeforeItIsBroken() throws IOException {
    for (int seed = 0; seed < IMAGES; seed++) {
      ReferredFiles.write(
          ValidImage.of(new SplittableRandom(seed)), directory.resolve("valid.qcow2"));
      QemuTools.Answer answer =
          QemuTools.run(directory, List.of("qemu-img", "check", "-f", "qcow2", "valid.qcow2"));
      assertThat(answer.exitCode()).as("seed %d: %s", seed, answer).isZero();
    }
  }
}
