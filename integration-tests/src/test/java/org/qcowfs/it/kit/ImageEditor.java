package org.qcowfs.it.kit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Changes bytes of a qcow2 file behind everybody's back. Offsets are host offsets; numbers are
 * big-endian, as in the format. Names are those of the format's specification.
 */
public final class ImageEditor {
  public static final int VERSION = 4;
  public static final int BACKING_FILE_OFFSET = 8;
  public static final int BACKING_FILE_SIZE = 16;
  public static final int CLUSTER_BITS = 20;
  public static final int SIZE = 24;
  public static final int CRYPT_METHOD = 32;
  public static final int L1_SIZE = 36;
  public static final int L1_TABLE_OFFSET = 40;
  public static final int REFCOUNT_TABLE_OFFSET = 48;
  public static final int REFCOUNT_TABLE_CLUSTERS = 56;
  public static final int NB_SNAPSHOTS = 60;
  public static final int SNAPSHOTS_OFFSET = 64;
  public static final int INCOMPATIBLE_FEATURES = 72;
  public static final int AUTOCLEAR_FEATURES = 88;
  public static final int REFCOUNT_ORDER = 96;
  public static final int HEADER_LENGTH = 100;
  public static final int COMPRESSION_TYPE = 104;

  private static final int LENGTH_V2 = 72;

  /** The bits of an L1 entry or a standard L2 entry that hold a host offset. */
  private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;

  private final FileChannel file;

  private ImageEditor(FileChannel file) {
    this.file = file;
  }

  /** Lets {@code change} work on an existing file. */
  public static void edit(Path image, Consumer<ImageEditor> change) {
    try (FileChannel file =
        FileChannel.open(image, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      change.accept(new ImageEditor(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What {@code look} finds in a file that may be in use. */
  public static <T> T read(Path image, Function<ImageEditor, T> look) {
    try (FileChannel file = FileChannel.open(image, StandardOpenOption.READ)) {
      return look.apply(new ImageEditor(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The length of the file. */
  public long length() {
    try {
      return file.size();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Cuts the file off. */
  public ImageEditor truncate(long size) {
    try {
      file.truncate(size);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Puts bytes anywhere, also past the end. */
  public ImageEditor put(long offset, byte[] bytes) {
    try {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining()) {
        file.write(buffer, offset + buffer.position());
      }
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Puts ASCII text, without an end mark. */
  public ImageEditor put(long offset, String text) {
    return put(offset, text.getBytes(StandardCharsets.US_ASCII));
  }

  public ImageEditor put8(long offset, int value) {
    return put(offset, new byte[] {(byte) value});
  }

  public ImageEditor put16(long offset, int value) {
    return put(offset, ByteBuffer.allocate(2).putShort((short) value).array());
  }

  public ImageEditor put32(long offset, long value) {
    return put(offset, ByteBuffer.allocate(4).putInt((int) value).array());
  }

  public ImageEditor put64(long offset, long value) {
    return put(offset, ByteBuffer.allocate(8).putLong(value).array());
  }

  /** Sets bits of a 64-bit number. */
  public ImageEditor or64(long offset, long bits) {
    return put64(offset, get64(offset) | bits);
  }

  /** Bytes of the file, all of which must be there. */
  public byte[] get(long offset, int length) {
    try {
      return DiskBytes.fill(file, ByteBuffer.allocate(length), offset).array();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public long get32(long offset) {
    return Integer.toUnsignedLong(ByteBuffer.wrap(get(offset, 4)).getInt());
  }

  public long get64(long offset) {
    return ByteBuffer.wrap(get(offset, 8)).getLong();
  }

  /** Where the active L1 table lies. */
  public long l1() {
    return get64(L1_TABLE_OFFSET);
  }

  /** Where the L2 table of that L1 entry lies. */
  public long l2(int l1Index) {
    return get64(l1() + 8L * l1Index) & OFFSET_MASK;
  }

  /** Where the data of a standard L2 entry of the first L2 table lies. */
  public long cluster(int l2Index) {
    return get64(l2(0) + 8L * l2Index) & OFFSET_MASK;
  }

  /** Where the snapshot table lies; its first entry begins there. */
  public long snapshots() {
    return get64(SNAPSHOTS_OFFSET);
  }

  /** Where the header extension of that type lies, its 8 bytes of type and length included. */
  public long extension(int type) {
    long at = get32(VERSION) == 2 ? LENGTH_V2 : get32(HEADER_LENGTH);
    while (get32(at) != Integer.toUnsignedLong(type)) {
      if (get32(at) == 0) {
        throw new IllegalStateException("no header extension 0x%08x".formatted(type));
      }
      at += 8 + (get32(at + 4) + 7 & ~7L);
    }
    return at;
  }
}
