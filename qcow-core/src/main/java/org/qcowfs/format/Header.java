package org.qcowfs.format;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.error.UnsupportedFeatureException;
import org.qcowfs.geometry.ClusterGeometry;

/**
 * The fixed part of a header (section "Header"), decoded and checked as far as it can be without
 * another byte of the file. Fields that version 2 does not have hold what that version means.
 *
 * @param version 2 or 3
 * @param backingNameOffset host offset of the backing file's name; 0 where there is none
 * @param backingNameBytes its length in bytes
 * @param clusterBits log2 of the cluster size in bytes
 * @param virtualSize in bytes
 * @param l1Entries entries of the active L1 table
 * @param refcountTableClusters length of the refcount table in clusters
 * @param snapshotCount entries of the snapshot table
 * @param refcountOrder log2 of the width of a refcount in bits
 * @param headerBytes where the header extensions begin
 * @param compressionType of every compressed cluster: {@link #COMPRESSION_DEFLATE} or {@link
 *     #COMPRESSION_ZSTD}
 */
public record Header(
    int version,
    long backingNameOffset,
    int backingNameBytes,
    int clusterBits,
    long virtualSize,
    int l1Entries,
    long l1TableOffset,
    long refcountTableOffset,
    int refcountTableClusters,
    int snapshotCount,
    long snapshotTableOffset,
    long incompatibleFeatures,
    long compatibleFeatures,
    long autoclearFeatures,
    int refcountOrder,
    int headerBytes,
    int compressionType) {
  public static final int MAGIC = 0x514649fb; // "QFI" 0xfb
  public static final int COMPRESSION_DEFLATE = 0;
  public static final int COMPRESSION_ZSTD = 1;

  /** As many bytes as {@link #decode} looks at; a shorter file may hold fewer. */
  public static final int DECODED_BYTES = 112;

  private static final int BYTES_V2 = 72;
  private static final int BYTES_V3 = 104;
  private static final int COMPRESSION_TYPE_OFFSET = 104;

  /** Whether the bytes begin as a qcow2 image does. */
  public static boolean hasMagic(ByteBuffer image) {
    return image.remaining() >= Integer.BYTES
        && image.slice().order(ByteOrder.BIG_ENDIAN).getInt(0) == MAGIC;
  }

  /**
   * Decodes the first bytes of an image. Incompatible features are checked later, by {@link
   * HeaderExtensions#checkFeatures}, when the names that the image gives them are known.
   *
   * @param image from the start of the file, {@link #DECODED_BYTES} bytes or the whole file;
   *     unchanged
   */
  public static Header decode(ByteBuffer image) throws Qcow2Exception {
    Header header = decodeAnyRefcounts(image);
    header.checkRefcountTable();
    return header;
  }

  /**
   * As {@link #decode}, for a check, which can do without a refcount table: where none can be where
   * the header says, its offset and length are 0.
   */
  public static Header decodeForCheck(ByteBuffer image) throws Qcow2Exception {
    Header header = decodeAnyRefcounts(image);
    try {
      header.checkRefcountTable();
      return header;
    } catch (CorruptImageException e) {
      return header.withoutRefcountTable();
    }
  }

  private Header withoutRefcountTable() {
    return new Header(
        version,
        backingNameOffset,
        backingNameBytes,
        clusterBits,
        virtualSize,
        l1Entries,
        l1TableOffset,
        0,
        0,
        snapshotCount,
        snapshotTableOffset,
        incompatibleFeatures,
        compatibleFeatures,
        autoclearFeatures,
        refcountOrder,
        headerBytes,
        compressionType);
  }

  private static Header decodeAnyRefcounts(ByteBuffer image) throws Qcow2Exception {
    ByteBuffer in = image.slice().order(ByteOrder.BIG_ENDIAN);
    check(
        in.remaining() >= BYTES_V2, 0, "the file has %d bytes, a header needs 72", in.remaining());
    check(in.getInt(0) == MAGIC, 0, "magic is 0x%08x, not 0x%08x", in.getInt(0), MAGIC);
    int version = in.getInt(4);
    if (version != 2 && version != 3) {
      throw new UnsupportedFeatureException(
          "Header: version is %s, only 2 and 3 are supported"
              .formatted(Integer.toUnsignedString(version)));
    }
    int clusterBits = in.getInt(20);
    check(
        clusterBits >= Limits.CLUSTER_BITS_MIN && clusterBits <= Limits.CLUSTER_BITS_MAX,
        20,
        "cluster_bits is %s, not in 9..21",
        Integer.toUnsignedString(clusterBits));
    int headerBytes = version == 2 ? BYTES_V2 : headerBytes(in, clusterBits);
    Header header =
        new Header(
            version,
            in.getLong(8),
            in.getLong(8) == 0 ? 0 : in.getInt(16),
            clusterBits,
            in.getLong(24),
            in.getInt(36),
            in.getLong(40),
            in.getLong(48),
            in.getInt(56),
            in.getInt(60),
            in.getLong(64),
            version == 2 ? 0 : in.getLong(72),
            version == 2 ? 0 : in.getLong(80),
            version == 2 ? 0 : in.getLong(88),
            version == 2 ? 4 : in.getInt(96),
            headerBytes,
            headerBytes > COMPRESSION_TYPE_OFFSET ? in.get(COMPRESSION_TYPE_OFFSET) & 0xff : 0);
    header.checkEncryption(in.getInt(32));
    header.checkSizes();
    header.checkTables();
    header.checkCompressionType();
    return header;
  }

  private static int headerBytes(ByteBuffer in, int clusterBits) throws Qcow2Exception {
    check(
        in.remaining() >= BYTES_V3, 0, "the file has %d bytes, a header needs 104", in.remaining());
    int bytes = in.getInt(100);
    check(
        bytes >= BYTES_V3 && bytes <= 1 << clusterBits && bytes % 8 == 0,
        100,
        "header_length is %s, not a multiple of 8 from 104 to the cluster size",
        Integer.toUnsignedString(bytes));
    check(
        bytes <= COMPRESSION_TYPE_OFFSET || in.remaining() > COMPRESSION_TYPE_OFFSET,
        100,
        "header_length is %d, past the end of the file",
        bytes);
    return bytes;
  }

  private void checkEncryption(int cryptMethod) throws Qcow2Exception {
    check(
        cryptMethod >= 0 && cryptMethod <= 2,
        32,
        "crypt_method is %s, not 0, 1 or 2",
        Integer.toUnsignedString(cryptMethod));
    if (cryptMethod != 0) {
      throw new UnsupportedFeatureException(
          "Header: the image is encrypted (%s, crypt_method %d), which is not supported; decrypt it"
                  .formatted(cryptMethod == 1 ? "AES" : "LUKS", cryptMethod)
              + " with qemu-img convert first");
    }
  }

  private void checkSizes() throws Qcow2Exception {
    check(
        refcountOrder >= 0 && refcountOrder <= Limits.REFCOUNT_ORDER,
        96,
        "refcount_order is %s, not in 0..6",
        Integer.toUnsignedString(refcountOrder));
    check(
        virtualSize >= 0,
        24,
        "size is %s bytes, more than 2^63",
        Long.toUnsignedString(virtualSize));
    check(
        l1Entries >= 0 && l1Entries * 8L <= Limits.L1_TABLE_BYTES,
        36,
        "l1_size is %s entries, more than the limit of 4194304",
        Integer.toUnsignedString(l1Entries));
    check(
        geometry().l1EntriesFor(virtualSize) <= l1Entries,
        36,
        "l1_size is %d entries, a disk of %d bytes needs %d",
        l1Entries,
        virtualSize,
        geometry().l1EntriesFor(virtualSize));
    check(
        snapshotCount >= 0 && snapshotCount <= Limits.SNAPSHOTS,
        60,
        "nb_snapshots is %s, more than the limit of 65536",
        Integer.toUnsignedString(snapshotCount));
    if (backingNameOffset != 0) {
      check(
          backingNameOffset > 0 && backingNameOffset <= clusterBytes(),
          8,
          "backing_file_offset is 0x%x, not within the first cluster",
          backingNameOffset);
      check(
          backingNameBytes >= 0
              && backingNameBytes <= Limits.BACKING_NAME_BYTES
              && backingNameOffset + backingNameBytes <= clusterBytes(),
          16,
          "backing_file_size is %s, more than 1023 bytes or past the first cluster",
          Integer.toUnsignedString(backingNameBytes));
    }
  }

  private void checkTables() throws Qcow2Exception {
    checkTable(40, "l1_table_offset", l1TableOffset, l1Entries * 8L);
    checkTable(64, "snapshots_offset", snapshotTableOffset, 0);
  }

  private void checkRefcountTable() throws CorruptImageException {
    check(
        refcountTableClusters > 0
            && (long) refcountTableClusters << clusterBits <= Limits.REFCOUNT_TABLE_BYTES,
        56,
        "refcount_table_clusters is %s, not in 1..%d",
        Integer.toUnsignedString(refcountTableClusters),
        Limits.REFCOUNT_TABLE_BYTES >> clusterBits);
    checkTable(
        48,
        "refcount_table_offset",
        refcountTableOffset,
        (long) refcountTableClusters << clusterBits);
  }

  private void checkTable(int fieldOffset, String field, long offset, long bytes)
      throws CorruptImageException {
    check(
        geometry().isClusterAligned(offset),
        fieldOffset,
        "%s is 0x%x, not aligned to a cluster",
        field,
        offset);
    check(
        offset >= 0 && offset <= Limits.HOST_OFFSET - bytes,
        fieldOffset,
        "%s is 0x%x, beyond what a host offset can be",
        field,
        offset);
  }

  private void checkCompressionType() throws Qcow2Exception {
    boolean announced = (incompatibleFeatures & Features.INCOMPATIBLE_COMPRESSION_TYPE) != 0;
    check(
        announced == (compressionType != COMPRESSION_DEFLATE),
        COMPRESSION_TYPE_OFFSET,
        "compression_type is %d, but the incompatible feature bit 3 is %s",
        compressionType,
        announced ? "set" : "clear");
    if (compressionType > COMPRESSION_ZSTD) {
      throw new UnsupportedFeatureException(
          "Header: compression_type is %d, only 0 (deflate) and 1 (zstd) are supported"
              .formatted(compressionType));
    }
  }

  /** The geometry that follows from cluster size and L2 entry width. */
  public ClusterGeometry geometry() {
    return new ClusterGeometry(clusterBits, extendedL2());
  }

  public int clusterBytes() {
    return 1 << clusterBits;
  }

  /** Width of a refcount in bits: 1 to 64. */
  public int refcountBits() {
    return 1 << refcountOrder;
  }

  public boolean extendedL2() {
    return (incompatibleFeatures & Features.INCOMPATIBLE_EXTENDED_L2) != 0;
  }

  /** Refcounts may be wrong: the image was not closed cleanly. */
  public boolean dirty() {
    return (incompatibleFeatures & Features.INCOMPATIBLE_DIRTY) != 0;
  }

  /** Any structure may be wrong: the image must not be written to. */
  public boolean corrupt() {
    return (incompatibleFeatures & Features.INCOMPATIBLE_CORRUPT) != 0;
  }

  public boolean hasDataFile() {
    return (incompatibleFeatures & Features.INCOMPATIBLE_DATA_FILE) != 0;
  }

  public boolean dataFileRaw() {
    return (autoclearFeatures & Features.AUTOCLEAR_DATA_FILE_RAW) != 0;
  }

  public boolean lazyRefcounts() {
    return (compatibleFeatures & Features.COMPATIBLE_LAZY_REFCOUNTS) != 0;
  }

  @FormatMethod
  private static void check(
      boolean holds, int fieldOffset, @FormatString String detail, Object... values)
      throws CorruptImageException {
    if (!holds) {
      throw new CorruptImageException(
          "Header", fieldOffset, String.format(Locale.ROOT, detail, values));
    }
  }
}
