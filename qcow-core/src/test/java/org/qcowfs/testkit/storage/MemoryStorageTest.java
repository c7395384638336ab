package org.qcowfs.testkit.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.storage.HostFile;

final class MemoryStorageTest {
  private static final int FILE_BYTES_MAX = 100_000;
  private static final long SEED = Long.getLong("qcowfs.seed", 99);

  @TempDir Path directory;

  /** The canary: were the fake to read otherwise than a real file, every test on it would lie. */
  @Test
  void itReadsAsARealFileDoesAfterTheSameChanges() throws IOException {
    SplittableRandom random = new SplittableRandom(SEED);
    Path path = directory.resolve("image");
    Files.createFile(path);
    MemoryStorage memory = new MemoryStorage();
    try (HostFile file = HostFile.openReadWrite(path)) {
      for (int i = 0; i < 500; i++) {
        StorageOperation operation = operation(random);
        for (BlockStorage storage : List.of(memory, file)) {
          operation.applyTo(storage);
        }
        assertThat(memory.bytes())
            .as("seed %d, step %d: %s", SEED, i, operation)
            .isEqualTo(Files.readAllBytes(path));
      }
    }
  }

  private static StorageOperation operation(SplittableRandom random) {
    int offset = random.nextInt(FILE_BYTES_MAX);
    int bytes = random.nextInt(FILE_BYTES_MAX - offset);
    StorageOperation.Kind kind =
        switch (random.nextInt(6)) {
          case 0 -> StorageOperation.Kind.RESIZE;
          case 1 -> StorageOperation.Kind.PUNCH_HOLE;
          case 2 -> StorageOperation.Kind.ZERO_RANGE;
          case 3 -> StorageOperation.Kind.ALLOCATE;
          default -> StorageOperation.Kind.WRITE;
        };
    if (kind != StorageOperation.Kind.WRITE) {
      return StorageOperation.of(kind, offset, bytes);
    }
    byte[] content = new byte[bytes];
    random.nextBytes(content);
    return StorageOperation.write(offset, ByteBuffer.wrap(content));
  }

  @Test
  void holesAndDataAreToldApartByThePage() throws IOException {
    MemoryStorage memory = new MemoryStorage();
    memory.resize(5 * 4096);
    memory.write(ByteBuffer.wrap(new byte[10]), 4096 + 100);

    assertThat(memory.allocatedBytes()).isEqualTo(4096);
    assertThat(memory.nextData(0)).isEqualTo(4096);
    assertThat(memory.nextHole(4096 + 5)).isEqualTo(2 * 4096);
    assertThat(memory.nextData(2 * 4096)).isEqualTo(-1);

    memory.punchHole(4096, 4096);

    assertThat(memory.allocatedBytes()).isZero();
  }

  @Test
  void aCopyHasALifeOfItsOwn() {
    MemoryStorage memory = MemoryStorage.of(new byte[] {1, 2, 3});
    MemoryStorage copy = memory.copy();

    memory.write(ByteBuffer.wrap(new byte[] {9}), 0);
    copy.write(ByteBuffer.wrap(new byte[] {8}), 2);

    assertThat(memory.bytes()).containsExactly(9, 2, 3);
    assertThat(copy.bytes()).containsExactly(1, 2, 8);
  }
}
