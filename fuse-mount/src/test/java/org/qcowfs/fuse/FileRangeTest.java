package org.qcowfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.errno.Errno;
import org.qcowfs.fakes.FakeDisk;
import org.qcowfs.fakes.FakeImage;
import org.qcowfs.tree.ImageTree;
import org.qcowfs.tree.OpenFile;
import org.qcowfs.tree.WatchedDisk;
import org.qcowfs.tree.WriteRules;

final class FileRangeTest {
  private final FakeDisk disk = new FakeDisk(4096);

  private int fallocate(int mode, long offset, long length) throws IOException {
    try (OpenFile file =
        ImageTree.disk(new FakeImage(disk), new WatchedDisk(disk), WriteRules.defaults()).open()) {
      return FileRange.fallocate(file, mode, offset, length);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, allocate 512+512",
    "1, allocate 512+512",
    "3, zero UNMAP 512+512",
    "16, zero KEEP 512+512",
    "17, zero KEEP 512+512"
  })
  void everyKnownModeHasItsMeaning(int mode, String done) throws IOException {
    assertThat(fallocate(mode, 512, 512)).isZero();
    assertThat(disk.done).containsExactly(done);
  }

  @Test
  void onlyModesThatDoNotKeepTheSizeChangeIt() throws IOException {
    for (int mode : new int[] {1, 3, 17}) {
      assertThat(fallocate(mode, 4096, 512)).isZero();
    }
    assertThat(disk.done).isEmpty();
    assertThat(fallocate(0, 4096, 512)).isZero();
    assertThat(fallocate(16, 4608, 512)).isZero();
    assertThat(disk.done).contains("resize 4608", "resize 5120");
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 8, 9, 18, 19, 32, 64})
  void everyOtherModeIsNotSupported(int mode) throws IOException {
    assertThat(fallocate(mode, 0, 512)).isEqualTo(-Errno.EOPNOTSUPP);
    assertThat(disk.done).isEmpty();
  }
}
