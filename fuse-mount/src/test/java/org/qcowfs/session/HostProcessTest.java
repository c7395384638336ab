package org.qcowfs.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class HostProcessTest {
  /** Against a test that never ends. */
  private static final int GUARD_MILLIS = 20_000;

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

  /** Its parent goes on to be a program that never asks for the child it does not know of. */
  @Test
  void aProcessWhoseParentDoesNotAskForItHasEndedAllTheSame() throws Exception {
    Process parent =
        new ProcessBuilder("sh", "-c", "exec 3<&0; cat <&3 >&2 & echo $!; exec sleep 60").start();
    try {
      String pid = parent.inputReader().readLine();
      HostProcess child = HostProcess.of(Long.parseLong(pid)).orElseThrow();
      Thread waiting = new Thread(child::awaitEnd);
      waiting.setDaemon(true);
      waiting.start();
      while (waiting.getState() != Thread.State.WAITING
          && waiting.getState() != Thread.State.TIMED_WAITING) {
        Thread.onSpinWait();
      }

      parent.getOutputStream().close(); // so that the child ends
      waiting.join(GUARD_MILLIS);

      assertThat(waiting.isAlive()).isFalse();
    } finally {
      parent.destroy();
    }
  }
}
