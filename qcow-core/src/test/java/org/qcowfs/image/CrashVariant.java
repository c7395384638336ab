package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.qcowfs.testkit.QemuTools;
import org.qcowfs.testkit.crash.GuestHistory;
import org.qcowfs.testkit.crash.HostFiles;
import org.qcowfs.testkit.crash.Workload;
import org.qcowfs.testkit.storage.MemoryStorage;

/**
 * A shape of image and a way to mount it, of which crashes are simulated. QEMU makes the images.
 *
 * @param refcountBits width of a refcount
 */
record CrashVariant(int clusterBits, int refcountBits, CacheMode mode, Set<Trait> traits) {
  /** What sets an image or a mount apart. */
  enum Trait {
    /** Format version 2: no zero clusters. */
    V2,
    EXTENDED_L2,
    /** A backing file with data, shorter than the disk. */
    BACKING,
    /** An internal snapshot that shares every cluster. */
    SNAPSHOT,
    COMPRESSED,
    DATA_FILE,
    DATA_FILE_RAW,
    LAZY,
    /** The size of the disk changes under way. */
    RESIZE,
    /** Hardly any memory for tables. */
    PRESSURE,
    /** A canary: dependent metadata does not wait for stable media. */
    WITHOUT_BARRIERS
  }

  private static final int SECTOR_BYTES = 512;
  private static final long NORMAL_CACHE = 1 << 20;
  private static final long SMALL_CACHE = 4096;

  static CrashVariant of(int clusterBits, int refcountBits, CacheMode mode, Trait... traits) {
    Set<Trait> set = EnumSet.noneOf(Trait.class);
    set.addAll(List.of(traits));
    return new CrashVariant(clusterBits, refcountBits, mode, set);
  }

  boolean has(Trait trait) {
    return traits.contains(trait);
  }

  int sectors() {
    return clusterBits <= 9 ? 640 : clusterBits <= 12 ? 1280 : 2048 + 512;
  }

  Workload.Size size() {
    return new Workload.Size(sectors(), (1 << clusterBits) / SECTOR_BYTES, has(Trait.RESIZE));
  }

  /** Stamps of the backing file's sectors. */
  long[] backing() {
    long[] stamps = new long[has(Trait.BACKING) ? sectors() - 100 : 0];
    for (int sector = 0; sector < stamps.length; sector++) {
      stamps[sector] = GuestHistory.stamp(sector, 1L << 20);
    }
    return stamps;
  }

  /** Stamps of the disk's sectors before the first change. */
  long[] initial() {
    long[] stamps = new long[sectors()];
    long[] backing = backing();
    System.arraycopy(backing, 0, stamps, 0, backing.length);
    if (hasData()) {
      for (int sector = 0; sector < stamps.length; sector++) {
        if (isWritten(sector)) {
          stamps[sector] = GuestHistory.stamp(sector, 1L << 21);
        }
      }
    }
    return stamps;
  }

  private boolean hasData() {
    return has(Trait.SNAPSHOT) || has(Trait.COMPRESSED) || has(Trait.DATA_FILE_RAW);
  }

  /** Half of the disk, in pieces larger than a cluster. */
  private boolean isWritten(int sector) {
    return hasData() && sector / (2 * size().clusterSectors() + 3) % 2 == 0;
  }

  /** How much of the tables a mount keeps in memory. */
  long l2CacheBytes() {
    return has(Trait.PRESSURE) ? SMALL_CACHE : NORMAL_CACHE;
  }

  /** Whether the mode says anything of power losses. */
  boolean promisesPowerLoss() {
    return mode != CacheMode.UNSAFE && mode != CacheMode.VOLATILE;
  }

  /** How much of the file is reserved ahead: little, so that freed clusters come to be reused. */
  long reserveBytes() {
    return 8L << clusterBits;
  }

  /** Whether the next mount gives leaks back: the image has room for the note that it takes. */
  boolean givesLeaksBack() {
    return clusterBits > 9 && !has(Trait.WITHOUT_BARRIERS);
  }

  /** Makes the image in an empty directory, and takes its files into memory. */
  HostFiles create(Path directory) throws IOException {
    Path disk = directory.resolve("disk.raw");
    Files.write(disk, bytes(initial()));
    List<String> command = new ArrayList<>(List.of("qemu-img"));
    if (hasData()) {
      command.addAll(List.of("convert", "-f", "raw", "-O", "qcow2", "-o", options()));
      if (has(Trait.COMPRESSED)) {
        command.add("-c");
      }
      command.addAll(List.of("disk.raw", "image.qcow2"));
    } else {
      command.addAll(List.of("create", "-q", "-f", "qcow2", "-o", options()));
      if (has(Trait.BACKING)) {
        Files.write(directory.resolve("backing.raw"), bytes(backing()));
        command.addAll(List.of("-b", "backing.raw", "-F", "raw"));
      }
      command.addAll(List.of("image.qcow2", String.valueOf((long) sectors() * SECTOR_BYTES)));
    }
    QemuTools.succeed(directory, command.toArray(String[]::new));
    if (has(Trait.SNAPSHOT)) {
      QemuTools.succeed(directory, "qemu-img", "snapshot", "-c", "before", "image.qcow2");
    }
    List<MemoryStorage> files = new ArrayList<>();
    files.add(MemoryStorage.of(Files.readAllBytes(directory.resolve("image.qcow2"))));
    if (has(Trait.DATA_FILE) || has(Trait.DATA_FILE_RAW)) {
      files.add(MemoryStorage.of(Files.readAllBytes(directory.resolve("data.raw"))));
    }
    return new HostFiles(files);
  }

  private String options() {
    StringBuilder options = new StringBuilder("cluster_size=" + (1 << clusterBits));
    options.append(",refcount_bits=").append(refcountBits);
    options.append(has(Trait.V2) ? ",compat=0.10" : ",compat=1.1");
    if (has(Trait.EXTENDED_L2)) {
      options.append(",extended_l2=on");
    }
    if (has(Trait.LAZY)) {
      options.append(",lazy_refcounts=on");
    }
    if (has(Trait.DATA_FILE) || has(Trait.DATA_FILE_RAW)) {
      options.append(",data_file=data.raw,data_file_raw=");
      options.append(has(Trait.DATA_FILE_RAW) ? "on" : "off");
    }
    return options.toString();
  }

  /** Sectors with these stamps. */
  static byte[] bytes(long[] stamps) {
    ByteBuffer bytes = ByteBuffer.allocate(stamps.length * SECTOR_BYTES);
    for (long stamp : stamps) {
      for (int i = 0; i < SECTOR_BYTES / Long.BYTES; i++) {
        bytes.putLong(stamp);
      }
    }
    return bytes.array();
  }

  @Override
  public String toString() {
    StringBuilder name = new StringBuilder("%d/%d".formatted(1 << clusterBits, refcountBits));
    name.append('/').append(mode.modeName());
    traits.forEach(trait -> name.append('/').append(trait.name().toLowerCase(Locale.ROOT)));
    return name.toString();
  }
}
