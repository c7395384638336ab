package org.qcowfs.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

final class ModifiedTimeTest {
  private static final Instant GIVEN = Instant.parse("2020-02-02T02:02:02.123456789Z");

  private final ModifiedTime modified = new ModifiedTime();

  @Test
  void nothingIsKnownBeforeTheFirstChange() {
    assertThat(modified.get()).isEmpty();
  }

  @Test
  void aTimeThatWasSetHoldsUntilTheNextChange() {
    modified.changed();
    modified.set(GIVEN);
    assertThat(modified.get()).contains(GIVEN);

    Instant before = Instant.now().minusMillis(1);
    modified.changed();
    assertThat(modified.get().orElseThrow()).isAfterOrEqualTo(before);
  }
}
