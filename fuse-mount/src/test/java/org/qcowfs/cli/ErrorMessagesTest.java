package org.qcowfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

final class ErrorMessagesTest {
  @Test
  void anInputOutputErrorSaysItself() {
    assertThat(ErrorMessages.of(new IOException("vm.qcow2: is locked")))
        .isEqualTo("vm.qcow2: is locked");
    assertThat(ErrorMessages.of(new UncheckedIOException(new IOException("inner"))))
        .isEqualTo("inner");
  }

  @Test
  void javasFileExceptionsAreGivenWords() {
    assertThat(ErrorMessages.of(new NoSuchFileException("a")))
        .isEqualTo("a: no such file or directory");
    assertThat(ErrorMessages.of(new AccessDeniedException("a"))).isEqualTo("a: permission denied");
    assertThat(ErrorMessages.of(new FileSystemException("a", null, "Too odd")))
        .isEqualTo("a: Too odd");
    assertThat(ErrorMessages.of(new FileSystemException("a"))).isEqualTo("a: the host refused it");
  }

  @Test
  void whatNobodyExpectedIsCalledADefect() {
    assertThat(ErrorMessages.of(new IllegalStateException("odd")))
        .contains("defect", "--debug", "odd");
    assertThat(ErrorMessages.of(new IOException())).contains("defect");
  }
}
