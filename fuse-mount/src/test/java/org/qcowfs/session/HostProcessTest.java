package org.qcowfs.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class HostProcessTest {
  private static final String REST = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";

  @Test
  void theNameMayHoldSpacesAndParentheses() {
    HostProcess process = HostProcess.parse("12 (a) b (c) T" + REST).orElseThrow();

    assertThat(process).isEqualTo(new HostProcess(12, "a) b (c", 'T', 4711));
    assertThat(process.isStopped()).isTrue();
    assertThat(process.isDead()).isFalse();
  }

  @Test
  void aZombieIsDead() {
    assertThat(HostProcess.parse("12 (a) Z" + REST).orElseThrow().isDead()).isTrue();
  }

  @Test
  void thisProcessIsFoundAndNumberZeroIsNot() {
    long pid = ProcessHandle.current().pid();

    assertThat(HostProcess.of(pid)).hasValueSatisfying(p -> assertThat(p.pid()).isEqualTo(pid));
    assertThat(HostProcess.of(0)).isEmpty();
  }

  @Test
  void aShortLineIsNone() {
    assertThat(HostProcess.parse("12 (a) S 1 2")).isEmpty();
    assertThat(HostProcess.parse("")).isEmpty();
  }
}
