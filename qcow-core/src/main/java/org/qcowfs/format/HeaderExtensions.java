package org.qcowfs.format;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.error.UnsupportedFeatureException;

/**
 * The header extensions of an image (section "Header extensions"), in their order; those of unknown
 * types too.
 */
public final class HeaderExtensions {
  private static final int END = 0;
  private static final int BACKING_FORMAT = 0xe2792aca;
  private static final int FEATURE_NAMES = 0x6803f857;
  private static final int BITMAPS = 0x23852875;
  private static final int DATA_FILE_NAME = 0x44415441;

  /** Our own: where a crash may have left leaks, see {@link #leakRange}. */
  public static final int LEAK_RANGE = 0x71636c6b; // "qclk"

  /** Our own: a bitmaps extension that a repair has given up. */
  public static final int BITMAPS_GIVEN_UP = 0x71636c62; // "qclb"

  private static final int HEAD_BYTES = 8;
  private static final int FEATURE_NAME_ENTRY_BYTES = 48;

  /**
   * One extension.
   *
   * @param type as stored
   * @param hostOffset where its head starts
   * @param data its bytes, read-only, without head and padding
   */
  public record Extension(int type, long hostOffset, ByteBuffer data) {
    String text() {
      return StandardCharsets.UTF_8.decode(data.duplicate()).toString();
    }
  }

  private final List<Extension> extensions;
  private final int endOffset;

  private HeaderExtensions(List<Extension> extensions, int endOffset) {
    this.extensions = extensions;
    this.endOffset = endOffset;
  }

  /**
   * Decodes the area between the header and the backing file's name or the end of the cluster.
   *
   * @param firstCluster the first cluster, or as much of it as the file has; unchanged
   */
  public static HeaderExtensions decode(Header header, ByteBuffer firstCluster)
      throws Qcow2Exception {
    ByteBuffer in = firstCluster.slice().asReadOnlyBuffer().order(ByteOrder.BIG_ENDIAN);
    long areaEnd =
        header.backingNameOffset() != 0 ? header.backingNameOffset() : header.clusterBytes();
    int end = (int) Math.min(areaEnd, in.limit());
    List<Extension> found = new ArrayList<>();
    Set<Integer> types = new HashSet<>();
    int offset = header.headerBytes();
    while (offset + HEAD_BYTES <= end && in.getInt(offset) != END) {
      int type = in.getInt(offset);
      long length = in.getInt(offset + 4) & 0xffff_ffffL;
      check(
          length <= end - offset - HEAD_BYTES,
          offset,
          "length of extension 0x%08x is %d, past the end of the header area at 0x%x",
          type,
          length,
          end);
      check(types.add(type) || !isKnown(type), offset, "extension 0x%08x appears twice", type);
      found.add(new Extension(type, offset, in.slice(offset + HEAD_BYTES, (int) length)));
      offset += HEAD_BYTES + ((int) length + 7 & -8);
    }
    HeaderExtensions result = new HeaderExtensions(List.copyOf(found), offset);
    result.checkName(BACKING_FORMAT, "backing format name", Limits.BACKING_FORMAT_BYTES);
    result.checkName(DATA_FILE_NAME, "data file name", Limits.DATA_FILE_NAME_BYTES);
    return result;
  }

  private static boolean isKnown(int type) {
    return type == BACKING_FORMAT
        || type == FEATURE_NAMES
        || type == BITMAPS
        || type == DATA_FILE_NAME
        || type == LEAK_RANGE
        || type == BITMAPS_GIVEN_UP;
  }

  private void checkName(int type, String what, int limit) throws CorruptImageException {
    Optional<Extension> extension = find(type);
    if (extension.isPresent()) {
      int length = extension.get().data().remaining();
      check(
          length <= limit,
          extension.get().hostOffset(),
          "the %s has %d bytes, more than the limit of %d",
          what,
          length,
          limit);
    }
  }

  /** No extensions, for an image whose own cannot be read. */
  public static HeaderExtensions none(Header header) {
    return new HeaderExtensions(List.of(), header.headerBytes());
  }

  /** All extensions, in the order in which they are stored. */
  public List<Extension> all() {
    return extensions;
  }

  /** The recorded format of the backing file, as stored. */
  public Optional<String> backingFormat() {
    return find(BACKING_FORMAT).map(Extension::text);
  }

  /** The name of the external data file, as stored. */
  public Optional<String> dataFileName() {
    return find(DATA_FILE_NAME).map(Extension::text);
  }

  /** The bitmaps extension, not yet decoded: what is wrong with it must not stop a reader. */
  public Optional<Extension> bitmaps() {
    return find(BITMAPS);
  }

  /**
   * The range of the file in which clusters may be counted that nothing refers to: one word, which
   * {@link LeakRange} explains.
   */
  public Optional<Extension> leakRange() {
    return find(LEAK_RANGE).filter(e -> e.data().remaining() == LeakRange.BYTES);
  }

  /**
   * Whether there is an extension of {@link #leakRange}'s type that is none: its length is wrong.
   */
  public boolean hasMalformedLeakRange() {
    return leakRange().isEmpty() && find(LEAK_RANGE).isPresent();
  }

  /** Whether there are extensions of which nothing is known. */
  public boolean hasUnknown() {
    return extensions.stream().anyMatch(extension -> !isKnown(extension.type()));
  }

  /** Where the list ends: the offset of its end marker, if there is room for one. */
  public int endOffset() {
    return endOffset;
  }

  private Optional<Extension> find(int type) {
    return extensions.stream().filter(extension -> extension.type() == type).findFirst();
  }

  /**
   * Refuses an image that needs what this version does not know, by the names that the image gives.
   * Checks too that the features agree with each other.
   */
  public void checkFeatures(Header header) throws Qcow2Exception {
    long unknown = header.incompatibleFeatures() & ~Features.INCOMPATIBLE_KNOWN;
    if (unknown != 0) {
      throw new UnsupportedFeatureException(
          "Header: the image needs unsupported features: " + namesOf(unknown));
    }
    check(
        !header.extendedL2() || header.clusterBits() >= Limits.CLUSTER_BITS_MIN_EXTENDED_L2,
        20,
        "cluster_bits is %d, extended L2 entries need at least 14",
        header.clusterBits());
    check(
        !header.hasDataFile() || dataFileName().isPresent(),
        72,
        "the external data file bit is set, but no extension names the data file");
    check(
        !header.dataFileRaw() || header.hasDataFile(),
        88,
        "the raw external data bit is set, but the external data file bit is not");
    check(
        !header.dataFileRaw() || header.backingNameOffset() == 0,
        88,
        "the raw external data bit is set, but the image has a backing file");
  }

  private String namesOf(long incompatibleBits) {
    List<String> names = new ArrayList<>();
    for (int bit = 0; bit < Long.SIZE; bit++) {
      if ((incompatibleBits >>> bit & 1) != 0) {
        names.add(featureName(bit) + " (incompatible bit " + bit + ")");
      }
    }
    return String.join(", ", names);
  }

  private String featureName(int bit) {
    ByteBuffer table = find(FEATURE_NAMES).map(Extension::data).orElse(ByteBuffer.allocate(0));
    int entries = table.remaining() / FEATURE_NAME_ENTRY_BYTES;
    for (int i = 0; i < entries; i++) {
      int at = i * FEATURE_NAME_ENTRY_BYTES;
      if (table.get(at) == 0 && table.get(at + 1) == bit) {
        byte[] name = new byte[FEATURE_NAME_ENTRY_BYTES - 2];
        table.get(at + 2, name);
        return "'" + new String(name, StandardCharsets.UTF_8).replace("\0", "") + "'";
      }
    }
    return "unnamed";
  }

  @FormatMethod
  private static void check(
      boolean holds, long hostOffset, @FormatString String detail, Object... values)
      throws CorruptImageException {
    if (!holds) {
      throw new CorruptImageException(
          "Header extension", hostOffset, String.format(Locale.ROOT, detail, values));
    }
  }
}
