package org.qcowfs.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.qcowfs.testkit.QemuTools;
import org.qcowfs.testkit.crash.Complaint;
import org.qcowfs.testkit.crash.HostFiles;
import org.qcowfs.testkit.crash.ImageOracle;

/** Asks {@code qemu-img check} about every n-th state: clean, or leaks, and nothing else. */
final class QemuJudge {
  private static final int LEAKS = 3;

  private final Path directory;
  private final long everyNth;
  private final CrashVariant variant;
  private final CrashCounts counts;

  QemuJudge(Path directory, long everyNth, CrashVariant variant, CrashCounts counts) {
    this.directory = directory;
    this.everyNth = everyNth;
    this.variant = variant;
    this.counts = counts;
  }

  List<Complaint> complaints(HostFiles files, long number) throws IOException {
    if (number % everyNth != 0) {
      return List.of();
    }
    ImageOracle oracle = new ImageOracle(files, variant.backing());
    Files.write(directory.resolve("state.qcow2"), files.image().bytes());
    if (files.files().size() > 1) {
      Files.write(directory.resolve("data.raw"), files.guestData().bytes());
    }
    counts.judgedByQemu();
    QemuTools.Answer answer =
        QemuTools.run(directory, List.of("qemu-img", "check", "-q", "state.qcow2"));
    boolean good = answer.exitCode() == 0 || answer.exitCode() == LEAKS || oracle.isDirty();
    List<Complaint> complaints = new ArrayList<>();
    if (!good) {
      complaints.add(
          new Complaint(
              Complaint.Kind.CORRUPT,
              "qemu-img check: exit code %d: %s".formatted(answer.exitCode(), answer.output())));
    }
    return complaints;
  }
}
