package org.qcowfs.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PrintableTest {
  @Test
  void whatCommandsATerminalIsWrittenOut() {
    assertThat(Printable.of("a\nb\u001b[31m\u0085\u009b\u007f\té"))
        .isEqualTo("a\\u000Ab\\u001B[31m\\u0085\\u009B\\u007F\\u0009é");
  }

  @Test
  void whatTurnsTextRoundOrBreaksLinesIsWrittenOut() {
    assertThat(Printable.of("\u202e\u2028\u2029\ud800")).isEqualTo("\\u202E\\u2028\\u2029\\uD800");
  }

  @Test
  void noLineOfSeveralBeginsWhereALineOfTheLogDoes() {
    assertThat(Printable.lines("one\n\tat two\r2026-01-01 forged\u001b"))
        .isEqualTo("    one\n        at two\n    2026-01-01 forged\\u001B\n");
  }
}
