package org.qcowfs.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.qcowfs.error.HostIoException;

/**
 * The moment between the read and the write-back of a block, held open: whatever another thread
 * does to the block then must be seen to last.
 */
final class SharedBlockTest {
  private static final int BLOCK_BYTES = 4096;
  private static final int PIECE_BYTES = 100;

  @TempDir Path directory;

  private enum Change {
    PIECE {
      @Override
      void make(HostFile file) throws IOException {
        file.write(filled(1000), BLOCK_BYTES + 1000);
      }
    },
    WHOLE_BLOCK {
      @Override
      void make(HostFile file) throws IOException {
        file.write(filled(BLOCK_BYTES), BLOCK_BYTES);
      }
    },
    BLOCKS_AROUND {
      @Override
      void make(HostFile file) throws IOException {
        file.write(new ByteBuffer[] {filled(BLOCK_BYTES), filled(2 * BLOCK_BYTES)}, 0);
      }
    },
    TAIL_OF_A_RUN {
      @Override
      void make(HostFile file) throws IOException {
        file.write(filled(BLOCK_BYTES + 2000), 0);
      }
    },
    HEAD_OF_A_RUN {
      @Override
      void make(HostFile file) throws IOException {
        file.write(filled(BLOCK_BYTES), BLOCK_BYTES + 1000);
      }
    },
    HOLE {
      @Override
      void make(HostFile file) throws IOException {
        file.punchHole(BLOCK_BYTES + 1000, 1000);
      }
    },
    ZERO_RANGE {
      @Override
      void make(HostFile file) throws IOException {
        file.zeroRange(BLOCK_BYTES + 1000, 1000);
      }
    };

    abstract void make(HostFile file) throws IOException;

    boolean overlapsPiece() {
      return this == WHOLE_BLOCK || this == BLOCKS_AROUND || this == TAIL_OF_A_RUN;
    }

    byte expected() {
      return (byte) (this == HOLE || this == ZERO_RANGE ? 0 : 2);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aChangeThatMeetsARewriteOfItsBlockLasts(Change change) throws Exception {
    StallingCalls[] calls = new StallingCalls[1];
    try (HostFile file =
        HostFile.openReadWrite(newFile(4 * BLOCK_BYTES), fd -> calls[0] = new StallingCalls(fd))) {
      file.setDirect(true);

      meet(calls[0], file, () -> change.make(file));

      if (!change.overlapsPiece()) {
        assertContent(file, 0, PIECE_BYTES, (byte) 3);
      }
      assertContent(file, 1000, 1000, change.expected());
    }
  }

  @Test
  void growthThatMeetsARewriteOfTheLastBlockLasts() throws Exception {
    StallingCalls[] calls = new StallingCalls[1];
    try (HostFile file =
        HostFile.openReadWrite(
            newFile(BLOCK_BYTES + 3000), fd -> calls[0] = new StallingCalls(fd))) {
      file.setDirect(true);

      // a rewrite of the last, partial block, which goes on into the next one
      meet(calls[0], file, 2 * BLOCK_BYTES - 100, () -> file.write(filled(50), BLOCK_BYTES + 3000));

      assertContent(file, 3000, 50, (byte) 2);
      assertThat(file.size()).isEqualTo(3 * BLOCK_BYTES);
    }
  }

  private static void meet(StallingCalls calls, HostFile file, Act change) throws Exception {
    meet(calls, file, BLOCK_BYTES, change);
  }

  /** Writes a piece, and makes the change while the piece's block is read but not written back. */
  private static void meet(StallingCalls calls, HostFile file, long pieceOffset, Act change)
      throws Exception {
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    Thread other =
        new Thread(
            () -> {
              try {
                change.run();
              } catch (Throwable e) {
                failure.set(e);
              }
            });
    calls.stallFor(other);
    boolean intoNextBlock = pieceOffset != BLOCK_BYTES;
    int bytes = intoNextBlock ? 100 + BLOCK_BYTES : PIECE_BYTES;
    byte[] piece = new byte[bytes];
    Arrays.fill(piece, (byte) 3);
    file.write(ByteBuffer.wrap(piece), pieceOffset);
    other.join();
    assertThat(failure.get()).isNull();
  }

  private interface Act {
    void run() throws IOException;
  }

  private static void assertContent(HostFile file, int inBlock, int bytes, byte expected)
      throws IOException {
    ByteBuffer found = ByteBuffer.allocate(bytes);
    file.readFully(found, BLOCK_BYTES + inBlock);
    byte[] all = new byte[bytes];
    Arrays.fill(all, expected);
    assertThat(found.array()).isEqualTo(all);
  }

  private Path newFile(int bytes) throws IOException {
    byte[] content = new byte[bytes];
    Arrays.fill(content, (byte) 1);
    return Files.write(Files.createTempFile(directory, "image", null), content);
  }

  private static ByteBuffer filled(int bytes) {
    ByteBuffer buffer =
        ByteBuffer.allocateDirect(bytes + 2 * BLOCK_BYTES).alignedSlice(BLOCK_BYTES);
    for (int i = 0; i < bytes; i++) {
      buffer.put(i, (byte) 2);
    }
    return buffer.limit(bytes);
  }

  /** Behind the first read, starts another thread and waits until it has ended or cannot go on. */
  private static final class StallingCalls extends ForwardingCalls {
    private volatile @Nullable Thread other;

    StallingCalls(int fd) {
      super(fd);
    }

    void stallFor(Thread thread) {
      other = thread;
    }

    @Override
    public DirectAlignment directAlignment() {
      return new DirectAlignment(BLOCK_BYTES, BLOCK_BYTES);
    }

    @Override
    public int pread(ByteBuffer buffer, long hostOffset) throws HostIoException {
      int count = super.pread(buffer, hostOffset);
      Thread thread = other;
      if (thread != null) {
        other = null;
        thread.start();
        while (thread.isAlive() && thread.getState() != Thread.State.WAITING) {
          Thread.onSpinWait();
        }
      }
      return count;
    }
  }
}
