package org.qcowfs.testkit.fuzz;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Takes numbers from the front of a fuzzer's bytes. Past their end there are zeros, so that every
 * input is a case.
 */
public final class FuzzInput {
  private final byte[] bytes;
  private int position;

  public FuzzInput(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Whether all bytes were taken. */
  public boolean isEmpty() {
    return position >= bytes.length;
  }

  /** The next byte, unsigned. */
  public int nextByte() {
    return isEmpty() ? 0 : bytes[position++] & 0xff;
  }

  /** A number from {@code first} to {@code last}, out of one byte. */
  public int nextIn(int first, int last) {
    return first + nextByte() % (last - first + 1);
  }

  /** The next eight bytes, big-endian. */
  public long nextLong() {
    return ByteBuffer.wrap(next(Long.BYTES)).getLong();
  }

  /** So many bytes. */
  public byte[] next(int count) {
    int from = Math.min(position, bytes.length);
    position = from + Math.min(count, bytes.length - from);
    return Arrays.copyOf(Arrays.copyOfRange(bytes, from, position), count);
  }

  /** What has not been taken yet. */
  public byte[] rest() {
    byte[] rest = Arrays.copyOfRange(bytes, Math.min(position, bytes.length), bytes.length);
    position = bytes.length;
    return rest;
  }
}
