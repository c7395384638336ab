package org.qcowfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.fuse.wire.FuseDevice;

/** Questions go to a file, in place of the FUSE device. */
final class HeldBytesTest {
  private static final int O_RDWR_CREAT_TRUNC = 0x242;
  private static final int QUESTION_BYTES = 48;

  @TempDir private Path directory = Path.of("");
  private Path questions = Path.of("");
  private int fd;
  private HeldBytes held = new HeldBytes(new FuseDevice(-1));

  @BeforeEach
  void open() {
    questions = directory.resolve("questions");
    fd = LibC.open(questions.toString(), O_RDWR_CREAT_TRUNC, 0600);
    held = new HeldBytes(new FuseDevice(fd));
  }

  @AfterEach
  void close() {
    LibC.close(fd);
  }

  private CompletableFuture<byte[]> ask() {
    return CompletableFuture.supplyAsync(() -> held.from(7, 8192, 4));
  }

  private ByteBuffer question() throws IOException {
    byte[] written = Files.readAllBytes(questions);
    while (written.length < QUESTION_BYTES) {
      Thread.onSpinWait();
      written = Files.readAllBytes(questions);
    }
    return ByteBuffer.wrap(written).order(ByteOrder.nativeOrder());
  }

  private static ByteBuffer reply(long question, byte... bytes) {
    ByteBuffer reply = ByteBuffer.allocate(80 + bytes.length).order(ByteOrder.nativeOrder());
    reply.putInt(0, reply.capacity()).putInt(4, 41).putLong(8, question).putInt(56, bytes.length);
    return reply.put(80, bytes);
  }

  @Test
  void theQuestionNamesTheFileAndTheRange() throws Exception {
    CompletableFuture<byte[]> answer = ask();
    ByteBuffer question = question();

    assertThat(question.getInt(0)).isEqualTo(QUESTION_BYTES);
    assertThat(question.getInt(4)).isEqualTo(5);
    assertThat(question.getLong(8)).isZero();
    assertThat(question.getLong(24)).isEqualTo(7);
    assertThat(question.getLong(32)).isEqualTo(8192);
    assertThat(question.getInt(40)).isEqualTo(4);

    held.end();
    assertThat(answer.get()).isEmpty();
  }

  @Test
  void theAnswerToThatQuestionIsHandedOver() throws Exception {
    CompletableFuture<byte[]> answer = ask();
    long number = question().getLong(16);

    held.arrived(reply(number + 1, (byte) 9));
    assertThat(answer).isNotDone();
    held.arrived(reply(number, (byte) 1, (byte) 2, (byte) 3));

    assertThat(answer.get()).containsExactly(1, 2, 3);
  }

  @Test
  void nobodyWaitsForAnAnswerThatCannotCome() {
    assertThat(new HeldBytes(new FuseDevice(-1)).from(7, 0, 4)).isEmpty();
    held.end();
    assertThat(held.from(7, 0, 4)).isEmpty();
  }
}
