package org.qcowfs.it.kit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/**
 * What a program left behind.
 *
 * @param command what was run
 * @param exitCode its exit code
 * @param stdout what it wrote to standard output, as UTF-8
 * @param stderr what it wrote to standard error, as UTF-8
 */
public record CommandResult(Command command, int exitCode, String stdout, String stderr) {
  /** Asserts exit code 0. */
  public CommandResult succeeded() {
    return exited(0);
  }

  /** Asserts that exit code. */
  public CommandResult exited(int expected) {
    assertThat(exitCode).as("exit code of %s", this).isEqualTo(expected);
    return this;
  }

  /** Asserts exit code 1 and one line of explanation on stderr, which is returned. */
  public String refused() {
    return refusedWith(1);
  }

  /** Asserts that exit code and one line of explanation on stderr, which is returned. */
  public String refusedWith(int expected) {
    exited(expected);
    List<String> lines = stderr.lines().toList();
    assertThat(lines).as("lines of explanation from %s", this).hasSize(1);
    assertThat(stdout).as("stdout of %s", this).isEmpty();
    return lines.get(0);
  }

  /** Everything that helps to understand a failure. */
  @Override
  public String toString() {
    return "%s%nexit code %d%nstdout: %s%nstderr: %s".formatted(command, exitCode, stdout, stderr);
  }
}
