package org.qcowfs.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.fakes.Samples;
import org.qcowfs.image.InternalSnapshot;

final class SnapshotNamesTest {
  /** The IDs are 1, 2, 3 and so on. */
  private static List<String> namesOf(String... stored) {
    return SnapshotNames.of(
        IntStream.range(0, stored.length)
            .mapToObj(i -> Samples.snapshot(i, Integer.toString(i + 1), stored[i], 512))
            .toList());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "clean",
        "with space",
        "ö\u4e2d\ud83d\udca9",
        "...",
        ".hidden",
        "100%",
        "a~1",
        "-x",
        "%2F"
      })
  void aNameThatAFileCanHaveStays(String name) {
    assertThat(namesOf(name)).containsExactly(name);
  }

  @Test
  void whatAFileNameCannotHoldIsPercentEncoded() {
    assertThat(namesOf("a/b", "nul\0", "line\n\u007f", ".", "..", "50%/a"))
        .containsExactly("a%2Fb", "nul%00", "line%0A%7F", "%2E", "%2E%2E", "50%25%2Fa");
  }

  @Test
  void equalNamesGetTheirIds() {
    assertThat(namesOf("a", "b", "a")).containsExactly("a~1", "b", "a~3");
    assertThat(namesOf("a/b", "a%2Fb")).containsExactly("a%2Fb~1", "a%2Fb~2");
  }

  @Test
  void anEmptyNameIsTheId() {
    assertThat(namesOf("x", "")).containsExactly("x", "~2");
  }

  @Test
  void aNameWithAnIdNeverTakesAnothersName() {
    assertThat(namesOf("a", "a", "a~1")).containsExactly("a~1~1", "a~2", "a~1");
    assertThat(namesOf("a", "a", "a~1", "a~1~1")).containsExactly("a~1~1~2", "a~2", "a~1", "a~1~1");
  }

  @Test
  void equalIdsAreToldApartByTheirPlace() {
    List<InternalSnapshot> twins =
        List.of(Samples.snapshot(0, "7", "a", 512), Samples.snapshot(1, "7", "a", 512));
    assertThat(SnapshotNames.of(twins)).containsExactly("a~7", "a~7~2");
  }

  @Test
  void anIdIsEncodedLikeAName() {
    assertThat(SnapshotNames.of(List.of(Samples.snapshot(0, "../x", "", 512))))
        .containsExactly("~..%2Fx");
  }

  @Test
  void aLongNameIsCutBetweenCharactersAndGetsItsId() {
    String umlauts = "ö".repeat(200);
    assertThat(namesOf("n".repeat(255), "n".repeat(256), umlauts))
        .containsExactly("n".repeat(255), "n".repeat(253) + "~2", "ö".repeat(126) + "~3");
  }

  @Test
  void whatEveryTableOfSnapshotsGivesAreDifferentNamesThatFilesCanHave() {
    SplittableRandom random = new SplittableRandom(20);
    for (int round = 0; round < 500; round++) {
      List<InternalSnapshot> stored = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        stored.add(Samples.snapshot(i, text(random, 3), text(random, 300), 512));
      }
      List<String> names = SnapshotNames.of(stored);
      assertThat(names).doesNotHaveDuplicates().hasSize(12).allSatisfy(name -> assertUsable(name));
    }
  }

  private static String text(SplittableRandom random, int longest) {
    String alphabet = "a~1%/.\n\0\ud83d\udca9ö";
    int length = random.nextInt(4) == 0 ? random.nextInt(longest) : random.nextInt(3);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append(alphabet.charAt(random.nextInt(alphabet.length())));
    }
    return text.toString();
  }

  private static void assertUsable(String name) {
    assertThat(name).isNotEmpty().isNotIn(".", "..").doesNotContain("/", "\0", "\n");
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    assertThat(bytes).hasSizeLessThan(256);
    assertThat(new String(bytes, StandardCharsets.UTF_8)).isEqualTo(name);
  }
}
