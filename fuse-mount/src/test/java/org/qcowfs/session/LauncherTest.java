package org.qcowfs.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class LauncherTest {
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private final PrintStream pipe = new PrintStream(printed, true, StandardCharsets.UTF_8);

  @Test
  void aWaitingLauncherGetsRecords() {
    Launcher launcher = new Launcher(true, pipe);
    launcher.print("mounted");

    assertThat(launcher.reportExit(3)).isTrue();
    assertThat(printed.toString(StandardCharsets.UTF_8)).isEqualTo("\u001eo mounted\n\u001ex 3\n");
  }

  @Test
  void withoutALauncherTheUserReadsTheLineItself() {
    Launcher launcher = new Launcher(false, pipe);
    launcher.print("mounted");
    launcher.reportExit(3);

    assertThat(printed.toString(StandardCharsets.UTF_8)).isEqualTo("mounted\n");
  }

  @Test
  void aLauncherThatIsGoneIsNoticed() {
    OutputStream closed =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("broken pipe");
          }
        };

    assertThat(
            new Launcher(true, new PrintStream(closed, true, StandardCharsets.UTF_8)).reportExit(0))
        .isFalse();
  }
}
