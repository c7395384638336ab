package org.qcowfs.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.geometry.ClusterGeometry;
import org.qcowfs.testkit.fuzz.FuzzInput;

/**
 * Fuzz target: a byte for the cluster size, two for how many bitmaps there are said to be, then the
 * bitmap directory.
 */
public final class BitmapDirectoryFuzz {
  private BitmapDirectoryFuzz() {}

  /** One case. */
  public static void fuzzerTestOneInput(byte[] data) {
    FuzzInput input = new FuzzInput(data);
    ClusterGeometry geometry = new ClusterGeometry(input.nextIn(9, 21), false);
    int count = input.nextByte() << Byte.SIZE | input.nextByte();
    byte[] bytes = input.rest();
    ByteBuffer extension = ByteBuffer.allocate(24).putInt(count).putInt(0);
    extension.putLong(bytes.length).putLong(geometry.clusterBytes());
    try {
      BitmapDirectory directory =
          BitmapDirectory.decode(
              new HeaderExtensions.Extension(0x23852875, 112, extension.flip()), geometry);
      checkEntries(directory.decodeEntries(ByteBuffer.wrap(bytes)), count, bytes.length);
    } catch (CorruptImageException refused) {
      FuzzedMessage.check(refused);
    }
  }

  private static void checkEntries(List<BitmapDirectory.Entry> entries, int count, int bytes) {
    assertThat(entries).hasSize(count);
    for (BitmapDirectory.Entry entry : entries) {
      assertThat(entry.name()).isNotEmpty().hasSizeLessThanOrEqualTo(bytes);
      assertThat(entry.tableOffset()).isBetween(512L, Limits.HOST_OFFSET);
      assertThat(entry.tableEntries()).isBetween(0L, Limits.BITMAP_TABLE_ENTRIES);
      assertThat(entry.granularityBits()).isBetween(9, 31);
      assertThat(entry.flags()).isBetween(0, 7);
    }
  }
}
