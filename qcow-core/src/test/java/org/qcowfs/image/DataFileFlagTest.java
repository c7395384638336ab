package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.TestImage;

final class DataFileFlagTest {
  private static final int CLUSTER = 512;

  @TempDir private Path directory;

  @Test
  @Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aClusterOfADataFileIsWrittenInItsPlaceWhateverItsFlagSays() throws IOException {
    ImageBuilder builder = new ImageBuilder(3, 9).virtualSize(4 * CLUSTER).dataFile("data.raw");
    builder.disk().data(1, new byte[] {1}).data(2, new byte[] {2});
    TestImage image = builder.build();
    image.bytes().putLong(image.l2EntryOffset(CLUSTER), CLUSTER);
    Path data = image.dataFile().orElseThrow().writeTo(directory.resolve("data.raw"));
    Path file = image.writeTo(directory.resolve("image.qcow2"));

    WriteOptions write = new WriteOptions(CacheMode.WRITEBACK, false, Optional.empty());
    try (Image open = Images.open(file, OpenOptions.defaults().withWrite(write))) {
      open.disk().write(ByteBuffer.wrap(new byte[] {7}), CLUSTER);
      open.disk().write(ByteBuffer.wrap(new byte[] {8}), 2 * CLUSTER + 1);
    }

    byte[] bytes = Files.readAllBytes(data);
    assertThat(bytes[CLUSTER]).isEqualTo((byte) 7);
    assertThat(bytes[2 * CLUSTER]).isEqualTo((byte) 2);
    assertThat(bytes[2 * CLUSTER + 1]).isEqualTo((byte) 8);
  }
}
