package org.qcowfs.testkit.hostile;

import org.qcowfs.testkit.SparseBytes;

/**
 * A number in an image file, big-endian as all of them are.
 *
 * @param bytes 1, 2, 4 or 8
 */
record Field(String name, long offset, int bytes) {
  long get(SparseBytes file) {
    long value = 0;
    for (byte part : file.read(offset, bytes)) {
      value = (value << Byte.SIZE) | (part & 0xff);
    }
    return value;
  }

  /** As many of the value's low bytes as the field has. */
  void put(SparseBytes file, long value) {
    for (int i = 0; i < bytes; i++) {
      file.putByte(offset + i, (int) (value >>> ((bytes - 1 - i) * Byte.SIZE)));
    }
  }
}
