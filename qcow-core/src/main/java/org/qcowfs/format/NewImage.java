package org.qcowfs.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.qcowfs.geometry.ClusterGeometry;

/**
 * The metadata of an empty image of version 3, with 64 KiB clusters and refcounts of 16 bits:
 * header, refcount table, one refcount block, L1 table, in this order.
 */
public final class NewImage {
  private static final int CLUSTER_BITS = 16;
  private static final int CLUSTER_BYTES = 1 << CLUSTER_BITS;
  private static final int REFCOUNT_ORDER = 4;
  private static final int HEADER_BYTES = 112;
  private static final int BACKING_FORMAT = 0xe2792aca;
  private static final int L1_CLUSTER = 3;

  /**
   * A backing file.
   *
   * @param name at most {@link Limits#BACKING_NAME_BYTES} bytes in UTF-8
   * @param format {@code qcow2} or {@code raw}
   */
  public record Backing(String name, String format) {}

  private NewImage() {}

  /**
   * The bytes of the file.
   *
   * @param virtualSize in bytes
   * @throws IllegalArgumentException when the size needs too large an L1 table, or the backing
   *     file's name is too long
   */
  public static ByteBuffer encode(long virtualSize, Optional<Backing> backing) {
    long l1Entries = new ClusterGeometry(CLUSTER_BITS, false).l1EntriesFor(virtualSize);
    if (l1Entries * Long.BYTES > Limits.L1_TABLE_BYTES) {
      throw new IllegalArgumentException("virtual size " + virtualSize + " is too large");
    }
    int l1Clusters = (int) ((l1Entries * Long.BYTES + CLUSTER_BYTES - 1) / CLUSTER_BYTES);
    int clusters = L1_CLUSTER + Math.max(1, l1Clusters);
    ByteBuffer image = ByteBuffer.allocate(clusters * CLUSTER_BYTES).order(ByteOrder.BIG_ENDIAN);
    encodeHeader(image, virtualSize, (int) l1Entries);
    backing.ifPresent(file -> encodeBacking(image, file));
    image.putLong(CLUSTER_BYTES, 2L * CLUSTER_BYTES);
    for (int cluster = 0; cluster < clusters; cluster++) {
      image.putShort(2 * CLUSTER_BYTES + cluster * Short.BYTES, (short) 1);
    }
    return image.clear();
  }

  private static void encodeHeader(ByteBuffer image, long virtualSize, int l1Entries) {
    image.putInt(0, Header.MAGIC);
    image.putInt(4, 3);
    image.putInt(20, CLUSTER_BITS);
    image.putLong(24, virtualSize);
    image.putInt(36, l1Entries);
    image.putLong(40, (long) L1_CLUSTER * CLUSTER_BYTES);
    image.putLong(48, CLUSTER_BYTES);
    image.putInt(56, 1);
    image.putInt(96, REFCOUNT_ORDER);
    image.putInt(100, HEADER_BYTES);
  }

  private static void encodeBacking(ByteBuffer image, Backing backing) {
    byte[] format = backing.format().getBytes(StandardCharsets.UTF_8);
    byte[] name = backing.name().getBytes(StandardCharsets.UTF_8);
    if (name.length > Limits.BACKING_NAME_BYTES) {
      throw new IllegalArgumentException("backing file name of " + name.length + " bytes");
    }
    image.putInt(HEADER_BYTES, BACKING_FORMAT);
    image.putInt(HEADER_BYTES + 4, format.length);
    image.put(HEADER_BYTES + 8, format);
    int nameOffset = HEADER_BYTES + 8 + (format.length + 7 & -8) + 8; // behind the end marker
    image.put(nameOffset, name);
    image.putLong(8, nameOffset);
    image.putInt(16, name.length);
  }
}
