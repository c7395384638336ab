package org.qcowfs.image;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.format.BitmapDirectory;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.format.L1Entry;
import org.qcowfs.format.Limits;
import org.qcowfs.format.SnapshotEntry;
import org.qcowfs.storage.BlockStorage;

/**
 * Everything that a qcow2 file says of itself, without its guest data: header, extensions, backing
 * file name, snapshot table, bitmap directory. Immutable.
 *
 * <p>A broken snapshot or bitmap does not fail it: the others, and the disk, can still be read.
 */
record Qcow2Metadata(
    Header header,
    HeaderExtensions extensions,
    Optional<String> backingName,
    List<Snapshot> snapshots,
    List<ImageInfo.Bitmap> bitmaps,
    Optional<String> bitmapsProblem) {

  /** An entry of the snapshot table; {@code entry} is absent where it could not even be decoded. */
  record Snapshot(InternalSnapshot shown, Optional<SnapshotEntry> entry) {}

  private record Bitmaps(List<ImageInfo.Bitmap> entries, Optional<String> problem) {}

  static Qcow2Metadata read(BlockStorage storage) throws IOException {
    ByteBuffer start = readUpTo(storage, Header.DECODED_BYTES);
    Header header = Header.decode(start);
    ByteBuffer firstCluster = readUpTo(storage, header.clusterBytes());
    HeaderExtensions extensions = HeaderExtensions.decode(header, firstCluster);
    extensions.checkFeatures(header);
    Bitmaps bitmaps = readBitmaps(storage, header, extensions);
    return new Qcow2Metadata(
        header,
        extensions,
        readBackingName(header, firstCluster),
        readSnapshots(storage, header),
        bitmaps.entries(),
        bitmaps.problem());
  }

  private static ByteBuffer readUpTo(BlockStorage storage, int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(bytes, storage.size()));
    storage.read(buffer, 0);
    return buffer.flip();
  }

  private static Optional<String> readBackingName(Header header, ByteBuffer firstCluster)
      throws CorruptImageException {
    if (header.backingNameOffset() == 0 || header.backingNameBytes() == 0) {
      return Optional.empty();
    }
    long end = header.backingNameOffset() + header.backingNameBytes();
    if (end > firstCluster.limit()) {
      throw new CorruptImageException(
          "Backing file name",
          header.backingNameOffset(),
          "%d bytes long, ends past the end of the file".formatted(header.backingNameBytes()));
    }
    ByteBuffer name =
        firstCluster.slice((int) header.backingNameOffset(), header.backingNameBytes());
    return Optional.of(checkedName(header, StandardCharsets.UTF_8.decode(name).toString()));
  }

  /** The name, if the host can have a file of that name: whoever resolves it need not ask again. */
  private static String checkedName(Header header, String name) throws CorruptImageException {
    try {
      Objects.requireNonNull(Path.of(name));
      return name;
    } catch (InvalidPathException e) {
      throw new CorruptImageException(
          "Backing file name", header.backingNameOffset(), "not a file name: " + e.getReason());
    }
  }

  /**
   * Reads the active L1 table.
   *
   * @return its entries in the machine's byte order
   */
  long[] readL1Table(BlockStorage storage) throws IOException {
    return readL1Table(storage, header, header.l1TableOffset(), header.l1Entries());
  }

  /**
   * Reads an L1 table whose place and length have been checked against the limits.
   *
   * <p>It cannot name more L2 tables than the file has clusters. So the time to walk it is bounded
   * by the size of the file, and not by that of the disk.
   */
  static long[] readL1Table(BlockStorage storage, Header header, long hostOffset, int entries)
      throws IOException {
    if (hostOffset > storage.size() - (long) entries * Long.BYTES) {
      throw new CorruptImageException(
          "L1 table",
          hostOffset,
          "%d entries, ends past the end of the file (%d bytes)"
              .formatted(entries, storage.size()));
    }
    long[] table = new long[entries];
    ByteBuffer chunk = ByteBuffer.allocate(Math.min(entries * Long.BYTES, 64 << 10));
    for (int done = 0; done < entries; done += chunk.limit() / Long.BYTES) {
      chunk.clear().limit(Math.min(chunk.capacity(), (entries - done) * Long.BYTES));
      storage.readFully(chunk, hostOffset + (long) done * Long.BYTES);
      chunk.flip().asLongBuffer().get(table, done, chunk.limit() / Long.BYTES);
    }
    long l2Tables = Arrays.stream(table).filter(entry -> L1Entry.l2TableOffset(entry) != 0).count();
    long clusters = storage.size() >>> header.clusterBits();
    if (l2Tables > clusters) {
      throw new CorruptImageException(
          "L1 table",
          hostOffset,
          "names %d L2 tables, the file has room for %d".formatted(l2Tables, clusters));
    }
    return table;
  }

  private static List<Snapshot> readSnapshots(BlockStorage storage, Header header)
      throws IOException {
    List<Snapshot> snapshots = new ArrayList<>();
    long fileBytes = storage.size();
    long start = header.snapshotTableOffset();
    long offset = start;
    ByteBuffer head = ByteBuffer.allocate(SnapshotEntry.HEAD_BYTES);
    for (int index = 0; index < header.snapshotCount(); index++) {
      boolean headInFile = storage.read(head.clear(), offset) == SnapshotEntry.HEAD_BYTES;
      long bytes = headInFile ? SnapshotEntry.entryBytes(head.flip()) : 0;
      if (!headInFile
          || SnapshotEntry.unpaddedBytes(head) > fileBytes - offset
          || offset + bytes - start > Limits.SNAPSHOT_TABLE_BYTES) {
        snapshots.add(lostSnapshots(index, header.snapshotCount(), offset));
        break;
      }
      SnapshotEntry decoded = SnapshotEntry.decode(readSnapshot(storage, head, offset));
      snapshots.add(new Snapshot(shown(index, decoded, header, fileBytes), Optional.of(decoded)));
      offset += bytes;
    }
    return List.copyOf(snapshots);
  }

  /** Reads an entry, but no more of its extra data than there may be. */
  private static ByteBuffer readSnapshot(BlockStorage storage, ByteBuffer head, long offset)
      throws IOException {
    int beforeNames = SnapshotEntry.HEAD_BYTES + SnapshotEntry.keptExtraBytes(head);
    int nameBytes = SnapshotEntry.idAndNameBytes(head);
    if (beforeNames + nameBytes == SnapshotEntry.HEAD_BYTES) {
      return head;
    }
    ByteBuffer entry = ByteBuffer.allocate(beforeNames + nameBytes);
    storage.readFully(entry.limit(beforeNames), offset);
    storage.readFully(
        entry.limit(entry.capacity()), offset + SnapshotEntry.unpaddedBytes(head) - nameBytes);
    return entry.flip();
  }

  private static InternalSnapshot shown(
      int index, SnapshotEntry entry, Header header, long fileBytes) {
    return new InternalSnapshot(
        index,
        entry.id(),
        entry.name(),
        entry.dateSeconds(),
        entry.dateNanos(),
        entry.vmClockNanos(),
        entry.vmStateBytes(),
        entry.diskBytes().orElse(header.virtualSize()),
        entry.icount(),
        entry
            .problem(header.geometry(), fileBytes)
            .map(problem -> "Snapshot table entry %d: %s".formatted(index, problem)));
  }

  private static Snapshot lostSnapshots(int index, int count, long hostOffset) {
    String problem =
        "Snapshot table entry %d of %d at host offset 0x%x: ends past the end of the file or of the"
                .formatted(index, count, hostOffset)
            + " largest possible table; it and those behind it are lost";
    return new Snapshot(
        new InternalSnapshot(
            index,
            "",
            "unreadable-" + index,
            0,
            0,
            0,
            0,
            0,
            InternalSnapshot.NO_ICOUNT,
            Optional.of(problem)),
        Optional.empty());
  }

  private static Bitmaps readBitmaps(
      BlockStorage storage, Header header, HeaderExtensions extensions) throws IOException {
    boolean announced =
        (header.autoclearFeatures() & org.qcowfs.format.Features.AUTOCLEAR_BITMAPS) != 0;
    if (extensions.bitmaps().isEmpty()) {
      return new Bitmaps(
          List.of(),
          announced
              ? Optional.of("the bitmaps bit is set, but there is no bitmaps extension")
              : Optional.empty());
    }
    if (!announced) {
      return new Bitmaps(
          List.of(),
          Optional.of(
              "another program changed the image without keeping its bitmaps up to date: all of"
                  + " them are inconsistent"));
    }
    try {
      BitmapDirectory directory =
          BitmapDirectory.decode(extensions.bitmaps().get(), header.geometry());
      if (directory.hostOffset() > storage.size() - directory.bytes()) {
        throw new CorruptImageException(
            "Bitmap directory",
            directory.hostOffset(),
            "%d bytes, ends past the end of the file".formatted(directory.bytes()));
      }
      ByteBuffer bytes = ByteBuffer.allocate(directory.bytes());
      storage.readFully(bytes, directory.hostOffset());
      return new Bitmaps(
          directory.decodeEntries(bytes.flip()).stream().map(Qcow2Metadata::shown).toList(),
          Optional.empty());
    } catch (CorruptImageException | EOFException e) {
      return new Bitmaps(List.of(), Optional.of(String.valueOf(e.getMessage())));
    }
  }

  private static ImageInfo.Bitmap shown(BitmapDirectory.Entry entry) {
    return new ImageInfo.Bitmap(
        entry.name(), 1L << entry.granularityBits(), entry.inUse(), entry.auto());
  }

  /** Refuses to write to an image that would be made worse by it. */
  void checkWritable(WriteOptions options) throws Qcow2Exception {
    if (header.corrupt()) {
      throw new ReadOnlyImageException(
          "the image is marked corrupt and must not be written to; mount it with ro, or repair it"
              + " with qcowfs check -r all");
    }
    boolean bitmapsKept = extensions.bitmaps().isPresent() && bitmapsProblem.isEmpty();
    if (bitmapsKept && options.dropBitmaps() && header.snapshotCount() > 0) {
      // Measured: qemu-img 7.2 check -r on such an image forgets every internal snapshot.
      throw new ReadOnlyImageException(
          "the image has internal snapshots besides its bitmaps, and a later repair by QEMU would"
              + " lose them if the bitmaps were just given up; remove them first with qemu-img"
              + " bitmap --remove");
    }
    if (bitmapsKept && !options.dropBitmaps()) {
      throw new ReadOnlyImageException(
          "the image has %d persistent dirty bitmaps, which writing would leave stale; mount it"
                  .formatted(bitmaps.size())
              + " with ro, or give them up with drop_bitmaps");
    }
  }

  List<InternalSnapshot> shownSnapshots() {
    return snapshots.stream().map(Snapshot::shown).toList();
  }

  /** What is told of the image that lies in the file. */
  ImageInfo info(BlockStorage storage) throws IOException {
    return new ImageInfo(
        storage.name(),
        ImageFormat.QCOW2,
        header.virtualSize(),
        storage.allocatedBytes(),
        header.clusterBytes(),
        backingName.map(
            name ->
                new ImageInfo.Backing(
                    name, storage.name().resolveSibling(name), extensions.backingFormat())),
        shownSnapshots(),
        Optional.of(
            new ImageInfo.Qcow2(
                header.version(),
                header.compressionType() == Header.COMPRESSION_ZSTD ? "zstd" : "zlib",
                header.lazyRefcounts(),
                header.refcountBits(),
                header.dirty(),
                header.corrupt(),
                header.extendedL2(),
                header.hasDataFile() ? extensions.dataFileName() : Optional.empty(),
                header.dataFileRaw(),
                bitmaps,
                bitmapsProblem)),
        Optional.empty());
  }
}
