package org.qcowfs.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class SpellingTest {
  @Test
  void theDistanceCountsInsertedRemovedAndReplacedCharacters() {
    assertThat(Spelling.distance("mount", "mount")).isZero();
    assertThat(Spelling.distance("mount", "umount")).isEqualTo(1);
    assertThat(Spelling.distance("mont", "mount")).isEqualTo(1);
    assertThat(Spelling.distance("moubt", "mount")).isEqualTo(1);
    assertThat(Spelling.distance("", "abc")).isEqualTo(3);
  }

  @Test
  void onlyANearWordIsOffered() {
    List<String> known = List.of("mount", "umount", "info");

    assertThat(Spelling.nearest("moutn", known)).contains("mount");
    assertThat(Spelling.nearest("inof", known)).contains("info");
    assertThat(Spelling.nearest("frobnicate", known)).isEmpty();
    assertThat(Spelling.nearest("x", known)).isEmpty();
    assertThat(Spelling.nearest("x", List.of())).isEmpty();
  }
}
