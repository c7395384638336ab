package org.qcowfs.it.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;
import org.qcowfs.it.kit.Command;

/** Does the same random changes to a mounted disk and to a plain file that is its model. */
final class DiskWriter {
  private static final int MOST_BYTES = 1 << 20;

  private final Path disk;
  private final Path model;
  private final SplittableRandom random;

  DiskWriter(Path disk, Path model, SplittableRandom random) {
    this.disk = disk;
    this.model = model;
    this.random = random;
  }

  /** Makes so many changes, at any byte and of any length. */
  void write(int operations) {
    try (FileChannel diskChannel = open(disk);
        FileChannel modelChannel = open(model)) {
      for (int i = 0; i < operations; i++) {
        change(diskChannel, modelChannel);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static FileChannel open(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private void change(FileChannel diskChannel, FileChannel modelChannel) throws IOException {
    long size = modelChannel.size();
    long offset = random.nextLong(size);
    int length = (int) Math.min(size - offset, length());
    switch (random.nextInt(8)) {
      case 0 -> fallocate("--punch-hole", offset, length);
      case 1 -> fallocate("--zero-range", offset, length);
      case 2 -> diskChannel.force(random.nextBoolean());
      case 3 -> assertSame(diskChannel, modelChannel, offset, length);
      default -> {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        writeFully(diskChannel, bytes, offset);
        writeFully(modelChannel, bytes, offset);
      }
    }
  }

  private int length() {
    return 1
        + switch (random.nextInt(6)) {
          case 0 -> random.nextInt(MOST_BYTES);
          case 1, 2 -> random.nextInt(100_000);
          default -> random.nextInt(5_000);
        };
  }

  private void fallocate(String what, long offset, long length) {
    for (Path file : new Path[] {disk, model}) {
      Command.of("fallocate", what, "--keep-size", "-o", offset, "-l", length, file)
          .run()
          .succeeded();
    }
  }

  private static void writeFully(FileChannel channel, byte[] bytes, long offset)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer, offset + buffer.position());
    }
  }

  private static void assertSame(
      FileChannel diskChannel, FileChannel modelChannel, long offset, int length)
      throws IOException {
    assertThat(read(diskChannel, offset, length))
        .as("%d bytes at %d", length, offset)
        .isEqualTo(read(modelChannel, offset, length));
  }

  private static ByteBuffer read(FileChannel channel, long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining() && channel.read(buffer, offset + buffer.position()) >= 0) {
      // goes on until the range is read or the file ends
    }
    return buffer.flip();
  }
}
