package org.qcowfs.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.error.HostIoException;

/** A file around the page cache, one thread. */
final class DirectFileTest {
  private static final int FILE_BYTES_MAX = 5 << 20;
  private static final long SEED = Long.getLong("qcowfs.seed", 4711);

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(ints = {512, 4096})
  void bytesAtAnyOffsetAndLengthAreThoseOfAPlainFile(int blockBytes) throws IOException {
    SplittableRandom random = new SplittableRandom(SEED);
    byte[] model = new byte[FILE_BYTES_MAX];
    int size = 0;
    try (HostFile file = openDirect(newFile(), blockBytes)) {
      for (int i = 0; i < 600; i++) {
        int bytes = length(random);
        int offset = random.nextInt(FILE_BYTES_MAX - bytes);
        String step = "seed %d, step %d: %d bytes at %d".formatted(SEED, i, bytes, offset);
        if (random.nextInt(3) == 0) {
          assertThat(readBack(file, random, offset, bytes))
              .as(step)
              .isEqualTo(expected(model, size, offset, bytes));
        } else {
          byte[] content = content(random, bytes);
          write(file, random, content, offset);
          System.arraycopy(content, 0, model, offset, bytes);
          size = Math.max(size, offset + bytes);
          assertThat(file.size()).as(step).isEqualTo(size);
        }
      }
      assertThat(readBack(file, random, 0, FILE_BYTES_MAX)).isEqualTo(Arrays.copyOf(model, size));
    }
  }

  private static byte[] expected(byte[] model, int size, int offset, int bytes) {
    return Arrays.copyOfRange(
        model,
        Math.min(offset, size),
        Math.max(Math.min(offset, size), Math.min(offset + bytes, size)));
  }

  /** Mostly small, now and then more than is copied at once. */
  private static int length(SplittableRandom random) {
    int most = 1 << random.nextInt(1, 22);
    int bytes = random.nextInt(1, most + 1);
    return random.nextInt(4) == 0 ? Math.max(4096, bytes & -4096) : bytes;
  }

  private static byte[] content(SplittableRandom random, int bytes) {
    byte[] content = new byte[bytes];
    random.nextBytes(content);
    return content;
  }

  /** From the heap, from direct memory that is aligned or is not, or from several buffers. */
  private static void write(HostFile file, SplittableRandom random, byte[] content, long offset)
      throws IOException {
    switch (random.nextInt(4)) {
      case 0 -> file.write(ByteBuffer.wrap(content), offset);
      case 1 -> file.write(direct(content, 0), offset);
      case 2 -> file.write(direct(content, random.nextInt(4096)), offset);
      default -> {
        int cut = random.nextInt(content.length + 1);
        int wholeBlocks = random.nextBoolean() ? cut & -4096 : cut;
        ByteBuffer head = direct(Arrays.copyOf(content, wholeBlocks), 0);
        ByteBuffer tail = direct(Arrays.copyOfRange(content, wholeBlocks, content.length), 0);
        file.write(new ByteBuffer[] {head, tail}, offset);
        assertThat(head.hasRemaining() || tail.hasRemaining()).isFalse();
      }
    }
  }

  private static ByteBuffer direct(byte[] content, int skew) {
    ByteBuffer memory = ByteBuffer.allocateDirect(content.length + 3 * 4096).alignedSlice(4096);
    return memory.position(skew).put(content).limit(skew + content.length).position(skew);
  }

  private static byte[] readBack(HostFile file, SplittableRandom random, long offset, int bytes)
      throws IOException {
    ByteBuffer memory =
        random.nextBoolean()
            ? ByteBuffer.allocate(bytes)
            : direct(new byte[bytes], random.nextInt(2));
    int start = memory.position();
    int count = file.read(memory, offset);
    byte[] found = new byte[count];
    memory.get(start, found);
    return found;
  }

  @Test
  void aPartialLastBlockNeverMakesTheFileLongerThanAskedForNotEvenForAMoment() throws IOException {
    Path path = newFile();
    StrictDirectCalls[] calls = new StrictDirectCalls[1];
    try (HostFile file =
        HostFile.openReadWrite(path, fd -> calls[0] = new StrictDirectCalls(fd, 4096))) {
      file.setDirect(true);

      file.write(ByteBuffer.wrap(new byte[10_000]), 1);
      file.write(ByteBuffer.wrap(new byte[100]), 9_000);
      file.write(ByteBuffer.wrap(new byte[3_000]), 8_192);

      assertThat(calls[0].longest()).isEqualTo(11_192);
      assertThat(Files.size(path)).isEqualTo(11_192);
    }
  }

  @Test
  void aFileThatTellsOfNoWayAroundThePageCacheIsRefused() throws IOException {
    Path path = newFile();
    FileWithoutDirect[] calls = new FileWithoutDirect[1];
    try (HostFile file = HostFile.openReadWrite(path, fd -> calls[0] = new FileWithoutDirect(fd))) {
      assertThatThrownBy(() -> file.setDirect(true))
          .isInstanceOf(HostIoException.class)
          .hasMessage(
              path
                  + ": its file system offers no O_DIRECT; use another cache mode than none and"
                  + " directsync");
      file.write(ByteBuffer.wrap(new byte[10]), 1);
    }
    assertThat(Files.size(path)).isEqualTo(11);
  }

  private static final class FileWithoutDirect extends ForwardingCalls {
    FileWithoutDirect(int fd) {
      super(fd);
    }

    @Override
    public DirectAlignment directAlignment() {
      return new DirectAlignment(0, 0);
    }
  }

  @Test
  void bytesSurviveASwitchBothWays() throws IOException {
    Path path = newFile();
    try (HostFile file = HostFile.openReadWrite(path)) {
      file.write(ByteBuffer.wrap(new byte[] {1, 1, 1}), 0);
      file.setDirect(true);
      file.write(ByteBuffer.wrap(new byte[] {2}), 1);
      file.setDirect(false);
      file.write(ByteBuffer.wrap(new byte[] {3}), 2);
    }
    assertThat(Files.readAllBytes(path)).containsExactly(1, 2, 3);
  }

  private Path newFile() throws IOException {
    return Files.createTempFile(directory, "image", null);
  }

  private static HostFile openDirect(Path path, int blockBytes) throws IOException {
    HostFile file = HostFile.openReadWrite(path, fd -> new StrictDirectCalls(fd, blockBytes));
    file.setDirect(true);
    return file;
  }
}
