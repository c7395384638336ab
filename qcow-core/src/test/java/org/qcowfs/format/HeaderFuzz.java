package org.qcowfs.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.qcowfs.error.Qcow2Exception;

/**
 * Fuzz target: the bytes are the start of an image. Header, extensions, feature names, our note of
 * leaks, and the extension of the bitmaps, for a reader and for a check.
 */
public final class HeaderFuzz {
  private HeaderFuzz() {}

  /** One case. */
  public static void fuzzerTestOneInput(byte[] data) {
    ByteBuffer image = ByteBuffer.wrap(data);
    try {
      Header header = Header.decode(image);
      checkLimits(header);
      decodeExtensions(header, data).checkFeatures(header);
    } catch (Qcow2Exception refused) {
      FuzzedMessage.check(refused);
    }
    try {
      Header header = Header.decodeForCheck(image);
      checkLimits(header);
      decodeExtensions(header, data);
    } catch (Qcow2Exception refused) {
      FuzzedMessage.check(refused);
    }
  }

  private static void checkLimits(Header header) {
    assertThat(header.l1Entries()).isBetween(0, (int) (Limits.L1_TABLE_BYTES / Long.BYTES));
    assertThat(header.refcountTableClusters() * (long) header.clusterBytes())
        .isBetween(0L, Limits.REFCOUNT_TABLE_BYTES);
    assertThat(header.snapshotCount()).isBetween(0, Limits.SNAPSHOTS);
    assertThat(header.backingNameBytes()).isBetween(0, Limits.BACKING_NAME_BYTES);
    assertThat(header.headerBytes()).isBetween(72, header.clusterBytes());
    assertThat(header.virtualSize()).isNotNegative();
    for (long offset : new long[] {header.l1TableOffset(), header.refcountTableOffset()}) {
      assertThat(offset).isBetween(0L, Limits.HOST_OFFSET);
      assertThat(header.geometry().isClusterAligned(offset)).isTrue();
    }
  }

  private static HeaderExtensions decodeExtensions(Header header, byte[] data)
      throws Qcow2Exception {
    byte[] firstCluster = Arrays.copyOf(data, Math.min(data.length, header.clusterBytes()));
    HeaderExtensions extensions = HeaderExtensions.decode(header, ByteBuffer.wrap(firstCluster));
    assertThat(extensions.endOffset()).isBetween(72, header.clusterBytes() + 7);
    extensions.backingFormat().ifPresent(name -> assertThat(name).hasSizeLessThan(16));
    extensions.dataFileName().ifPresent(name -> assertThat(name).hasSizeLessThan(1024));
    extensions.leakRange().ifPresent(HeaderFuzz::decodeLeakRange);
    if (extensions.bitmaps().isPresent()) {
      BitmapDirectory directory =
          BitmapDirectory.decode(extensions.bitmaps().get(), header.geometry());
      assertThat(directory.bytes()).isBetween(24, (int) Limits.BITMAP_DIRECTORY_BYTES);
    }
    return extensions;
  }

  private static void decodeLeakRange(HeaderExtensions.Extension extension) {
    LeakRange range = LeakRange.decode(extension.data().getLong(0));
    assertThat(range.startOffset()).isBetween(0L, range.endOffset());
    if (!range.isEmpty()) {
      assertThat(LeakRange.decode(range.encode())).isEqualTo(range);
    }
  }
}
