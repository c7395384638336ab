package org.qcowfs.fakes;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.qcowfs.image.BlockDevice;
import org.qcowfs.image.CacheMode;
import org.qcowfs.image.Image;
import org.qcowfs.image.ImageInfo;
import org.qcowfs.image.InternalSnapshot;

/** An image made of fake disks. Records which snapshots were opened. */
public final class FakeImage implements Image {
  public final List<InternalSnapshot> opened = new ArrayList<>();
  private @Nullable CacheMode cacheMode;
  private final BlockDevice disk;
  private final ImageInfo info;
  private final Map<InternalSnapshot, BlockDevice> snapshots = new LinkedHashMap<>();

  public FakeImage(BlockDevice disk) {
    this(disk, Samples.rawInfo(disk.size()));
  }

  public FakeImage(BlockDevice disk, ImageInfo info) {
    this.disk = disk;
    this.info = info;
  }

  /** Adds a snapshot whose ID is its place in the table, from 1 on. */
  public FakeImage withSnapshot(String name, BlockDevice snapshotDisk) {
    int index = snapshots.size();
    snapshots.put(
        Samples.snapshot(index, Integer.toString(index + 1), name, snapshotDisk.size()),
        snapshotDisk);
    return this;
  }

  public FakeImage withUnreadableSnapshot(String name, String problem) {
    InternalSnapshot whole = Samples.snapshot(snapshots.size(), "1", name, 512);
    snapshots.put(
        new InternalSnapshot(
            whole.index(),
            whole.id(),
            whole.name(),
            whole.dateSeconds(),
            whole.dateNanos(),
            whole.vmClockNanos(),
            whole.vmStateBytes(),
            whole.diskBytes(),
            whole.icount(),
            Optional.of(problem)),
        disk);
    return this;
  }

  @Override
  public BlockDevice disk() {
    return disk;
  }

  @Override
  public List<InternalSnapshot> snapshots() {
    return List.copyOf(snapshots.keySet());
  }

  @Override
  public BlockDevice openSnapshot(InternalSnapshot snapshot) throws IOException {
    opened.add(snapshot);
    return snapshots.get(snapshot);
  }

  @Override
  public ImageInfo info() {
    return info;
  }

  @Override
  public Optional<CacheMode> cacheMode() {
    return Optional.ofNullable(cacheMode);
  }

  @Override
  public void setCacheMode(CacheMode mode) {
    cacheMode = mode;
  }

  @Override
  public void close() {
    throw new AssertionError("the image is not the tree's to close");
  }
}
