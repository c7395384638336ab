package org.qcowfs.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GeneratedFileTest {
  @TempDir private Path directory;
  private int generated;

  private GeneratedFile file(String text, long maxBytes) {
    return new GeneratedFile(out -> write(out, text), Changes.NONE, directory, maxBytes);
  }

  private void write(OutputStream out, String text) throws IOException {
    generated++;
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String read(FileNode file, int offset, int count) throws IOException {
    try (OpenFile open = file.open()) {
      ByteBuffer buffer = ByteBuffer.allocate(count);
      int read = open.read(buffer, offset);
      assertThat(buffer.position()).isEqualTo(read);
      return new String(buffer.array(), 0, read, StandardCharsets.UTF_8);
    }
  }

  @Test
  void theContentsAreMadeOnceAndOnlyWhenNeeded() throws IOException {
    GeneratedFile file = file("hello", 100);
    assertThat(generated).isZero();
    assertThat(file.size()).isEqualTo(5);
    assertThat(read(file, 0, 100)).isEqualTo("hello");
    assertThat(read(file, 3, 1)).isEqualTo("l");
    assertThat(read(file, 5, 10)).isEmpty();
    assertThat(read(file, 500, 10)).isEmpty();
    assertThat(generated).isEqualTo(1);
  }

  @Test
  void theTemporaryFileHasNoName() throws IOException {
    assertThat(file("hello", 100).size()).isEqualTo(5);
    try (var left = Files.list(directory)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void contentsBeyondTheLimitAreRefusedAndNotMadeTwice() throws IOException {
    GeneratedFile file = file("hello", 4);
    for (int i = 0; i < 2; i++) {
      assertThatIOException().isThrownBy(file::size).withMessageContaining("larger than 4 bytes");
    }
    assertThat(generated).isEqualTo(1);
    assertThat(file("hell", 4).size()).isEqualTo(4);
  }

  @Test
  void aFailureIsNotKept() throws IOException {
    boolean[] broken = {true};
    GeneratedFile file =
        new GeneratedFile(
            out -> {
              if (broken[0]) {
                throw new IOException("broken on purpose");
              }
              write(out, "whole");
            },
            Changes.NONE,
            directory,
            100);
    assertThatIOException().isThrownBy(file::size).withMessage("broken on purpose");
    broken[0] = false;
    assertThat(read(file, 0, 10)).isEqualTo("whole");
  }

  @Test
  void anInterruptedReaderDoesNotSpoilTheFileForOthers() throws IOException {
    GeneratedFile file = file("hello", 100);
    try (OpenFile open = file.open()) {
      Thread.currentThread().interrupt();
      assertThatIOException()
          .isThrownBy(() -> open.read(ByteBuffer.allocate(5), 0))
          .isInstanceOf(ClosedByInterruptException.class);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(open.read(ByteBuffer.allocate(5), 0)).isEqualTo(5);
    }
  }

  @Test
  void whoOpensAfterAChangeGetsNewContentsAndWhoReadsAlreadyTheOldOnes() throws IOException {
    long[] changes = {0};
    GeneratedFile file =
        new GeneratedFile(
            out -> write(out, "after " + changes[0]), () -> changes[0], directory, 100);
    try (OpenFile before = file.open()) {
      changes[0] = 17;
      assertThat(read(file, 0, 100)).isEqualTo("after 17");
      assertThat(read(file, 0, 100)).isEqualTo("after 17");
      assertThat(generated).isEqualTo(2);
      ByteBuffer buffer = ByteBuffer.allocate(100);
      before.read(buffer, 0);
      assertThat(new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8))
          .isEqualTo("after 0");
    }
    assertThat(file.mayBeCached()).isFalse();
    assertThat(file("same", 100).mayBeCached()).isTrue();
  }

  @Test
  void lookingAtTheSizeOfAChangingFileMakesNothingAnew() throws IOException {
    long[] changes = {0};
    GeneratedFile file =
        new GeneratedFile(out -> write(out, "x"), () -> changes[0]++, directory, 100);
    for (int i = 0; i < 3; i++) {
      assertThat(file.size()).isEqualTo(1);
    }
    assertThat(generated).isEqualTo(1);
  }

  @Test
  void whatWasTooLargeIsTriedAgainAfterAChange() throws IOException {
    long[] changes = {0};
    GeneratedFile file =
        new GeneratedFile(
            out -> write(out, changes[0] == 0 ? "large" : "ok"), () -> changes[0], directory, 4);
    assertThatIOException().isThrownBy(file::size);
    changes[0] = 1;
    assertThat(read(file, 0, 10)).isEqualTo("ok");
  }
}
