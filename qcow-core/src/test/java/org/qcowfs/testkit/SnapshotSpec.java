package org.qcowfs.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;

/**
 * An entry of the snapshot table, to be written.
 *
 * @param extraBytes length of the extra data; 16 holds the disk size, 24 the instruction count
 */
public record SnapshotSpec(String id, String name, long diskBytes, int extraBytes) {
  public static final int DATE_SECONDS = 1_600_000_000;
  public static final int DATE_NANOS = 123_456_789;
  public static final long VM_CLOCK_NANOS = 5_000_000_001L;
  public static final long ICOUNT = 77;

  /** With 24 bytes of extra data, as QEMU writes it. */
  public static SnapshotSpec of(String id, String name, long diskBytes) {
    return new SnapshotSpec(id, name, diskBytes, 24);
  }

  byte[] encode(long l1Table, long l1Entries) {
    byte[] idBytes = id.getBytes(UTF_8);
    byte[] nameBytes = name.getBytes(UTF_8);
    int bytes = (40 + extraBytes + idBytes.length + nameBytes.length + 7) / 8 * 8;
    ByteBuffer out = ByteBuffer.allocate(bytes);
    out.putLong(l1Table).putInt((int) l1Entries);
    out.putShort((short) idBytes.length).putShort((short) nameBytes.length);
    out.putInt(DATE_SECONDS).putInt(DATE_NANOS).putLong(VM_CLOCK_NANOS);
    out.putInt(0).putInt(extraBytes);
    byte[] extra =
        ByteBuffer.allocate(1 << 17).putLong(0).putLong(diskBytes).putLong(ICOUNT).array();
    return out.put(extra, 0, extraBytes).put(idBytes).put(nameBytes).array();
  }
}
