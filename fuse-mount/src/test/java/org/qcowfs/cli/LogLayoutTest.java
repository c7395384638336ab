package org.qcowfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.io.IOException;
import org.junit.jupiter.api.Test;

final class LogLayoutTest {
  private static final String NAME = "x\n2026-01-01 00:00:00.000 INFO  all is well\u001b[2J\u009b";

  private static String line(Throwable thrown) {
    LoggingEvent event =
        new LoggingEvent(
            "caller",
            new LoggerContext().getLogger("test"),
            Level.WARN,
            "reading {}",
            thrown,
            new Object[] {NAME});
    return new LogLayout().doLayout(event);
  }

  @Test
  void aNameInAMessageForgesNoLineAndCommandsNoTerminal() {
    assertThat(line(null))
        .hasLineCount(1)
        .endsWith("x\\u000A2026-01-01 00:00:00.000 INFO  all is well\\u001B[2J\\u009B\n");
  }

  @Test
  void norDoesOneInAnException() {
    assertThat(line(new IOException(NAME)).lines().skip(1))
        .allMatch(line -> line.startsWith("    "))
        .noneMatch(line -> line.chars().anyMatch(Character::isISOControl));
  }
}
