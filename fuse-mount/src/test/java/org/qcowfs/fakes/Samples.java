package org.qcowfs.fakes;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.qcowfs.image.Extent;
import org.qcowfs.image.ImageFormat;
import org.qcowfs.image.ImageInfo;
import org.qcowfs.image.InternalSnapshot;

/** Values for tests. */
public final class Samples {
  public static final Path FILE = Path.of("disk.img");

  private Samples() {}

  public static Extent data(long start, long length, long hostOffset) {
    return new Extent(start, length, 0, true, false, true, false, hostOffset, FILE);
  }

  public static Extent hole(long start, long length) {
    return new Extent(start, length, 0, false, true, false, false, Extent.NO_HOST_OFFSET, null);
  }

  public static Extent compressed(long start, long length, int depth) {
    return new Extent(start, length, depth, true, false, true, true, Extent.NO_HOST_OFFSET, null);
  }

  public static ImageInfo rawInfo(long virtualBytes) {
    return new ImageInfo(
        FILE,
        ImageFormat.RAW,
        virtualBytes,
        4096,
        0,
        Optional.empty(),
        List.of(),
        Optional.empty(),
        Optional.empty());
  }

  public static InternalSnapshot snapshot(int index, String id, String name, long diskBytes) {
    return new InternalSnapshot(
        index, id, name, 0, 0, 0, 0, diskBytes, InternalSnapshot.NO_ICOUNT, Optional.empty());
  }

  /** An MBR with a partition of one sector at sector 1. */
  public static ByteBuffer masterBootRecord() {
    return ByteBuffer.allocate(512)
        .put(446 + 4, (byte) 0x83)
        .put(446 + 8, (byte) 1)
        .put(446 + 12, (byte) 1)
        .put(510, (byte) 0x55)
        .put(511, (byte) 0xAA);
  }
}
