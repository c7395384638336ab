package org.qcowfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CommandLineFrameTest {
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  private int run(String... args) {
    return CommandLineFrame.run(new PrintStream(printed, true, StandardCharsets.UTF_8), args);
  }

  private String printed() {
    return printed.toString(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource({
    "moutn, unknown command 'moutn'; did you mean 'mount'?",
    "--debgu, unknown option '--debgu'; did you mean '--debug'?",
    "zzzzzz, unknown command 'zzzzzz'"
  })
  void anUnknownWordIsWrongUsageAndTheNearestIsOffered(String word, String message) {
    assertThat(run(word)).isEqualTo(ExitCodes.WRONG_USAGE);
    assertThat(printed()).isEqualTo("qcowfs: " + message + " (usage: qcowfs --help)\n");
  }

  @Test
  void anUnknownOptionOfACommandIsWrongUsage() {
    assertThat(run("mount", "--foregruond", "a", "b")).isEqualTo(ExitCodes.WRONG_USAGE);
    assertThat(printed()).contains("did you mean '--foreground'?").hasLineCount(1);
  }

  @Test
  void anUnknownMountOptionIsWrongUsage() {
    assertThat(run("mount", "a", "b", "-o", "forze_share")).isEqualTo(ExitCodes.WRONG_USAGE);
    assertThat(printed()).contains("did you mean 'force_share'?").hasLineCount(1);
  }

  @Test
  void aFailureIsOneLineWithItsControlCharactersEscaped() {
    assertThat(run("mount", "/no/such\nimage", "/no/such/mountpoint")).isEqualTo(ExitCodes.FAILED);
    assertThat(printed()).startsWith("qcowfs: /no/such\\u000Aimage: ").hasLineCount(1);
  }

  @Test
  void theStackTraceComesOnlyWithDebug() {
    assertThat(run("mount", "--debug", "/no/such/image", "/no/such/mountpoint"))
        .isEqualTo(ExitCodes.FAILED);
    assertThat(printed()).contains("        at org.qcowfs.");
  }

  @Test
  void aFileNameThatBeginsWithAnAtSignIsAFileName() {
    assertThat(run("umount", "@/no/such/file")).isEqualTo(ExitCodes.FAILED);
    assertThat(printed()).contains("@");
  }
}
