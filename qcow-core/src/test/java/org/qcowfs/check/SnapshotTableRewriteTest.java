package org.qcowfs.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.qcowfs.format.Header;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SnapshotSpec;
import org.qcowfs.testkit.TestImage;
import org.qcowfs.testkit.storage.MemoryStorage;

final class SnapshotTableRewriteTest {
  @Test
  void ofTensOfThousandsOfLostSnapshotsTheFirstAreTold() throws IOException {
    ImageBuilder builder = new ImageBuilder(3, 9).virtualSize(512);
    builder.snapshot(SnapshotSpec.of("1", "one", 512));
    TestImage image = builder.build();
    image.bytes().putInt(60, 65_536).putLong(64, image.bytes().size()).resize(4 << 20);
    byte[] bytes = image.bytes().read(0, 4 << 20);
    Header header = Header.decode(ByteBuffer.wrap(bytes));

    SnapshotTableRewrite table = new SnapshotTableRewrite(MemoryStorage.of(bytes), header);

    assertThat(table.count()).isZero();
    assertThat(table.done()).hasSize(101);
    assertThat(table.done().get(100))
        .isEqualTo("and so on: 65436 more of the snapshots removed or changed");
  }
}
