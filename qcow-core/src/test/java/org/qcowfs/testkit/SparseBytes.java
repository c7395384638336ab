package org.qcowfs.testkit;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * The bytes of a file, in memory. What was never written is a hole and reads as zeros, so a file of
 * many terabytes costs only what is in it. Numbers are big-endian, as everything in qcow2.
 *
 * <p>Thread rules: every method may be called from any number of threads.
 */
public final class SparseBytes {
  private static final int BLOCK_BYTES = 4096;

  private final TreeMap<Long, byte[]> blocks = new TreeMap<>();
  private long size;

  /** Size in bytes: the end of what was written, or what {@link #resize} said last. */
  public synchronized long size() {
    return size;
  }

  /** Cuts the file, or lets it end with a hole. */
  public synchronized SparseBytes resize(long newSize) {
    size = newSize;
    blocks.tailMap(newSize, true).clear();
    Map.Entry<Long, byte[]> last = blocks.floorEntry(newSize);
    if (last != null && newSize - last.getKey() < BLOCK_BYTES) {
      Arrays.fill(last.getValue(), (int) (newSize - last.getKey()), BLOCK_BYTES, (byte) 0);
    }
    return this;
  }

  /** Writes bytes; the file grows where it must. */
  public synchronized SparseBytes write(long offset, byte[] bytes) {
    int done = 0;
    while (done < bytes.length) {
      long at = offset + done;
      int inBlock = (int) (at % BLOCK_BYTES);
      int count = Math.min(BLOCK_BYTES - inBlock, bytes.length - done);
      byte[] block = blocks.computeIfAbsent(at - inBlock, start -> new byte[BLOCK_BYTES]);
      System.arraycopy(bytes, done, block, inBlock, count);
      done += count;
    }
    size = Math.max(size, offset + bytes.length);
    return this;
  }

  public SparseBytes putByte(long offset, int value) {
    return write(offset, new byte[] {(byte) value});
  }

  public SparseBytes putShort(long offset, int value) {
    return write(offset, ByteBuffer.allocate(Short.BYTES).putShort((short) value).array());
  }

  public SparseBytes putInt(long offset, int value) {
    return write(offset, ByteBuffer.allocate(Integer.BYTES).putInt(value).array());
  }

  public SparseBytes putLong(long offset, long value) {
    return write(offset, ByteBuffer.allocate(Long.BYTES).putLong(value).array());
  }

  /** The bytes from the offset on; past the end of the file there are zeros. */
  public synchronized byte[] read(long offset, int length) {
    byte[] bytes = new byte[length];
    int done = 0;
    while (done < length) {
      long at = offset + done;
      int inBlock = (int) (at % BLOCK_BYTES);
      int count = Math.min(BLOCK_BYTES - inBlock, length - done);
      byte[] block = blocks.get(at - inBlock);
      if (block != null) {
        System.arraycopy(block, inBlock, bytes, done, count);
      }
      done += count;
    }
    return bytes;
  }

  public long getLong(long offset) {
    return ByteBuffer.wrap(read(offset, Long.BYTES)).getLong();
  }

  public int getInt(long offset) {
    return ByteBuffer.wrap(read(offset, Integer.BYTES)).getInt();
  }

  /** What the blocks take up, in bytes. */
  public synchronized long allocatedBytes() {
    return (long) blocks.size() * BLOCK_BYTES;
  }

  /** The first byte at or behind the offset that lies in a block, or -1. */
  public synchronized long nextData(long offset) {
    if (offset >= size) {
      return -1;
    }
    if (blocks.containsKey(offset - offset % BLOCK_BYTES)) {
      return offset;
    }
    Long next = blocks.higherKey(offset);
    return next == null ? -1 : next;
  }

  /** The first byte at or behind the offset that lies in no block, or the end of the file. */
  public synchronized long nextHole(long offset) {
    long at = offset;
    while (at < size && blocks.containsKey(at - at % BLOCK_BYTES)) {
      at += BLOCK_BYTES - at % BLOCK_BYTES;
    }
    return Math.max(offset, Math.min(at, size));
  }

  /** Makes the bytes a real file, with its holes. */
  public synchronized Path writeTo(Path file) throws IOException {
    try (RandomAccessFile whole = new RandomAccessFile(file.toFile(), "rw")) {
      whole.setLength(0);
      whole.setLength(size);
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (Map.Entry<Long, byte[]> block : blocks.entrySet()) {
        int count = (int) Math.min(BLOCK_BYTES, size - block.getKey());
        channel.write(ByteBuffer.wrap(block.getValue(), 0, count), block.getKey());
      }
    }
    return file;
  }
}
