package org.qcowfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.qcowfs.errno.Errno;
import org.qcowfs.error.HostIoException;

final class CallbackRunnerTest {
  private static final int ENOSPC = 28;

  private final CallbackRunner callbacks = new CallbackRunner(true);

  @Test
  void theAnswerOfTheWorkIsTheCallbacks() {
    assertThat(callbacks.answer("read", "/disk.raw", () -> 4096)).isEqualTo(4096);
    assertThat(callbacks.answer("getattr", "/x", () -> -Errno.ENOENT)).isEqualTo(-Errno.ENOENT);
  }

  @Test
  void whateverIsThrownBecomesANegativeErrorNumber() {
    assertThat(
            callbacks.answer(
                "read",
                "/disk.raw",
                () -> {
                  throw new HostIoException(ENOSPC, "full");
                }))
        .isEqualTo(-ENOSPC);
    assertThat(
            callbacks.answer(
                "read",
                "/disk.raw",
                () -> {
                  throw new StackOverflowError();
                }))
        .isEqualTo(-Errno.EIO);
    assertThat(
            callbacks.answer(
                "read",
                "/disk.raw",
                () -> {
                  throw new IOException();
                }))
        .isEqualTo(-Errno.EIO);
  }

  /** As where there is no memory for the line: an answer of 0 would say that all went well. */
  @Test
  void aFailureThatCannotBeLoggedIsAnErrorAllTheSame() {
    IOException unspeakable =
        new IOException() {
          private static final long serialVersionUID = 1;

          @Override
          public String getMessage() {
            throw new OutOfMemoryError("in a test");
          }
        };

    assertThat(
            callbacks.answer(
                "fsync",
                "/disk.raw",
                () -> {
                  throw unspeakable;
                }))
        .isEqualTo(-Errno.EIO);
  }
}
