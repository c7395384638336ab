package org.qcowfs.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.qcowfs.testkit.QemuTools;
import org.qcowfs.testkit.crash.Complaint;
import org.qcowfs.testkit.crash.GuestHistory;
import org.qcowfs.testkit.crash.HostFiles;
import org.qcowfs.testkit.crash.ImageOracle;

/**
 * Asks QEMU about every n-th state: {@code qemu-img check} finds it clean, or leaks, and nothing
 * else; and of some of them {@code qemu-img convert} makes a raw disk that the guest's history
 * allows.
 */
final class QemuJudge {
  private static final int LEAKS = 3;
  private static final int SECTOR_BYTES = 512;

  private final Path directory;
  private final long checkEveryNth;
  private final long convertEveryNth;
  private final CrashVariant variant;
  private final CrashCounts counts;

  /**
   * @param directory where the variant's backing file is, if it has one
   * @param convertEveryNth a multiple of the other
   */
  QemuJudge(
      Path directory,
      long checkEveryNth,
      long convertEveryNth,
      CrashVariant variant,
      CrashCounts counts) {
    this.directory = directory;
    this.checkEveryNth = checkEveryNth;
    this.convertEveryNth = convertEveryNth;
    this.variant = variant;
    this.counts = counts;
  }

  List<Complaint> complaints(HostFiles files, GuestHistory history, long number)
      throws IOException {
    if (number % checkEveryNth != 0) {
      return List.of();
    }
    Files.write(directory.resolve("state.qcow2"), files.image().bytes());
    if (files.files().size() > 1) {
      Files.write(directory.resolve("data.raw"), files.guestData().bytes());
    }
    counts.judgedByQemu();
    List<Complaint> complaints = check(files);
    if (complaints.isEmpty() && number % convertEveryNth == 0) {
      counts.convertedByQemu();
      complaints = convert(history);
    }
    return complaints;
  }

  private List<Complaint> check(HostFiles files) throws IOException {
    QemuTools.Answer answer =
        QemuTools.run(directory, List.of("qemu-img", "check", "-q", "state.qcow2"));
    boolean dirty = new ImageOracle(files, variant.backing()).isDirty();
    boolean good = answer.exitCode() == 0 || answer.exitCode() == LEAKS || dirty;
    return good ? List.of() : List.of(corrupt("check", answer));
  }

  private static Complaint corrupt(String command, QemuTools.Answer answer) {
    return new Complaint(
        Complaint.Kind.CORRUPT,
        "qemu-img %s: exit code %d: %s".formatted(command, answer.exitCode(), answer.output()));
  }

  private List<Complaint> convert(GuestHistory history) throws IOException {
    QemuTools.Answer answer =
        QemuTools.run(
            directory,
            List.of("qemu-img", "convert", "-f", "qcow2", "-O", "raw", "state.qcow2", "state.raw"));
    if (answer.exitCode() != 0) {
      return List.of(corrupt("convert", answer));
    }
    List<Complaint> complaints = new ArrayList<>();
    ByteBuffer disk = ByteBuffer.wrap(Files.readAllBytes(directory.resolve("state.raw")));
    int sectors = disk.capacity() / SECTOR_BYTES;
    if (!history.allowsSize(sectors)) {
      complaints.add(
          new Complaint(Complaint.Kind.LOST, "QEMU finds a disk of %d sectors".formatted(sectors)));
    }
    for (int sector = 0; sector < sectors && complaints.isEmpty(); sector++) {
      long stamp = stamp(disk.slice(sector * SECTOR_BYTES, SECTOR_BYTES));
      if (!history.allows(sector, stamp)) {
        complaints.add(history.complaint(sector, stamp));
      }
    }
    return complaints;
  }

  /** The number that fills the sector. */
  private static long stamp(ByteBuffer sector) {
    long first = sector.getLong(0);
    for (int at = Long.BYTES; at < SECTOR_BYTES; at += Long.BYTES) {
      if (sector.getLong(at) != first) {
        return ImageOracle.MIXED;
      }
    }
    return first;
  }
}
