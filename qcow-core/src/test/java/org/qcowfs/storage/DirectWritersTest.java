package org.qcowfs.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Writers around the page cache that share blocks lose nothing to each other. */
final class DirectWritersTest {
  private static final int THREADS = 8;
  private static final int BLOCK_BYTES = 4096;

  @TempDir Path directory;
  private Path path;
  private HostFile file;
  private ExecutorService threads;

  private interface Task {
    void run() throws Exception;
  }

  @BeforeEach
  void openAroundThePageCache() throws IOException {
    path = Files.createFile(directory.resolve("image"));
    file = HostFile.openReadWrite(path, fd -> new StrictDirectCalls(fd, BLOCK_BYTES));
    file.setDirect(true);
    threads = Executors.newCachedThreadPool();
  }

  @AfterEach
  void close() throws IOException {
    threads.shutdownNow();
    file.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 3000, 5000, 70_000})
  void writersOfDisjointRangesThatShareBlocksLoseNothing(int pieceBytes) throws Exception {
    int rounds = pieceBytes > 10_000 ? 40 : 150;
    ByteBuffer expected = ByteBuffer.allocate(THREADS * 4 * pieceBytes);
    file.resize(expected.capacity() + BLOCK_BYTES); // no block of a piece is the last
    List<Task> writers = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      int thread = t;
      writers.add(
          () -> {
            SplittableRandom random = new SplittableRandom(thread);
            for (int i = 0; i < rounds; i++) {
              int offset = (random.nextInt(4) * THREADS + thread) * pieceBytes;
              byte[] content = new byte[pieceBytes];
              random.nextBytes(content);
              file.write(ByteBuffer.wrap(content), offset);
              expected.put(offset, content);
            }
          });
    }

    together(writers);

    ByteBuffer found = ByteBuffer.allocate(expected.capacity());
    file.read(found, 0);
    assertThat(found.flip().mismatch(expected.slice(0, found.limit()))).isEqualTo(-1);
  }

  @Test
  void aWholeBlockIsNotUndoneByAWriterOfAPieceOfIt() throws Exception {
    file.write(ByteBuffer.allocate(3 * BLOCK_BYTES), 0);
    ByteBuffer blocks = ByteBuffer.allocateDirect(4 * BLOCK_BYTES).alignedSlice(BLOCK_BYTES);
    AtomicBoolean done = new AtomicBoolean();

    together(
        List.of(
            () -> writePieceUntil(done),
            leading(
                done,
                () -> {
                  for (int generation = 1; generation <= 1000; generation++) {
                    fill(blocks, (byte) generation);
                    file.write(blocks.clear().limit(2 * BLOCK_BYTES), BLOCK_BYTES);
                    assertOutsideOfPiece((byte) generation);
                  }
                })));
  }

  @Test
  void aPunchedHoleIsNotUndoneByAWriterOfAPieceOfItsBlock() throws Exception {
    file.write(ByteBuffer.allocate(3 * BLOCK_BYTES), 0);
    ByteBuffer block = ByteBuffer.allocateDirect(2 * BLOCK_BYTES).alignedSlice(BLOCK_BYTES);
    AtomicBoolean done = new AtomicBoolean();

    together(
        List.of(
            () -> writePieceUntil(done),
            leading(
                done,
                () -> {
                  for (int i = 0; i < 500; i++) {
                    fill(block, (byte) 1);
                    file.write(block.clear().limit(BLOCK_BYTES), BLOCK_BYTES);
                    file.punchHole(BLOCK_BYTES + 200, BLOCK_BYTES - 200);
                    assertOutsideOfPiece((byte) 0);
                  }
                })));
  }

  /** The piece is the first hundred bytes of the second block. */
  private void writePieceUntil(AtomicBoolean done) throws IOException {
    ByteBuffer piece = ByteBuffer.allocateDirect(100);
    while (!done.get()) {
      file.write(piece.clear(), BLOCK_BYTES);
    }
  }

  private void assertOutsideOfPiece(byte expected) throws IOException {
    ByteBuffer found = ByteBuffer.allocate(BLOCK_BYTES - 200);
    file.readFully(found, BLOCK_BYTES + 200);
    for (int i = 0; i < found.limit(); i++) {
      assertThat(found.get(i)).as("byte %d", i).isEqualTo(expected);
    }
  }

  private static void fill(ByteBuffer buffer, byte value) {
    buffer.clear();
    while (buffer.hasRemaining()) {
      buffer.put(value);
    }
  }

  @Test
  void writersThatGrowTheFileByOddLengthsKeepWhatOthersAppended() throws Exception {
    int bytes = 1000;
    List<Task> writers = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      int thread = t;
      writers.add(
          () -> {
            byte[] content = new byte[bytes];
            Arrays.fill(content, (byte) (thread + 1));
            for (int i = 0; i < 50; i++) {
              file.write(ByteBuffer.wrap(content), (long) (i * THREADS + thread) * bytes);
            }
          });
    }

    together(writers);

    byte[] found = Files.readAllBytes(path);
    assertThat(found).hasSize(50 * THREADS * bytes);
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i]).as("byte %d", i).isEqualTo((byte) (i / bytes % THREADS + 1));
    }
  }

  @Test
  void aSwitchUnderLoadLosesNothingAndNeverMeetsAHalfDoneRequest() throws Exception {
    int bytes = 1500;
    AtomicBoolean done = new AtomicBoolean();
    List<Task> tasks = new ArrayList<>();
    tasks.add(
        leading(
            done,
            () -> {
              for (int i = 0; i < 300; i++) {
                file.setDirect(i % 2 == 0);
              }
            }));
    for (int t = 1; t < THREADS; t++) {
      long offset = (long) t * bytes;
      tasks.add(
          () -> {
            byte[] content = new byte[bytes];
            for (byte generation = 0; !done.get(); generation++) {
              Arrays.fill(content, generation);
              file.write(ByteBuffer.wrap(content), offset);
              ByteBuffer found = ByteBuffer.allocate(bytes);
              file.readFully(found, offset);
              assertThat(found.array()).isEqualTo(content);
            }
          });
    }

    together(tasks);

    assertThat(done).isTrue();
  }

  /** Runs the task and then, however it ends, lets the others end too. */
  private static Task leading(AtomicBoolean done, Task task) {
    return () -> {
      try {
        task.run();
      } finally {
        done.set(true);
      }
    };
  }

  private void together(List<Task> tasks) throws Exception {
    List<Future<?>> running = new ArrayList<>();
    for (Task task : tasks) {
      running.add(
          threads.submit(
              () -> {
                task.run();
                return null;
              }));
    }
    for (Future<?> each : running) {
      each.get();
    }
  }
}
