package org.qcowfs.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.qcowfs.testkit.storage.MemoryStorage;

/**
 * Valid images with one field set to one wrong value, repaired: clean, also for QEMU, what could be
 * read is the same, and a second repair finds nothing to do. A part of the values is tried; {@code
 * -Dqcowfs.mutations=all} tries them all.
 */
final class RepairTest {
  private static final boolean ALL = "all".equals(System.getProperty("qcowfs.mutations"));
  private static final int STEP = ALL ? 1 : 11;

  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource
  void everyBrokenFieldIsRepairedAndNothingThatCouldBeReadIsLost(CheckShape shape)
      throws IOException {
    Files.write(directory.resolve("base.raw"), new byte[1 << 20]);
    List<String> wrong = new ArrayList<>();
    List<Mutation> mutations = Mutation.of(shape);
    int repaired = 0;
    for (int i = (shape.clusterBits + 5) % STEP; i < mutations.size(); i += STEP) {
      Mutation broken = mutations.get(i);
      String complaint = complaint(broken);
      if (!complaint.isEmpty() && !isBeyondRepair(broken, complaint)) {
        wrong.add(broken + ": " + complaint);
      }
      repaired += complaint.isEmpty() ? 1 : 0;
    }
    assertThat(wrong).isEmpty();
    assertThat(repaired).isGreaterThan(mutations.size() / STEP * 3 / 4);
  }

  /** What nobody can put right, or is wrong for QEMU alone. */
  private static boolean isBeyondRepair(Mutation broken, String complaint) {
    if (complaint.startsWith("header: ")) {
      return true;
    }
    return switch (broken.place()) {
      // The extensions cannot be told from each other any more, or contradict the header.
      case "extension length", "autoclear_features" -> complaint.contains("not repaired");
      // Where the L1 table was is not known; nothing is changed.
      case "l1_table_offset", "snapshots_offset" ->
          complaint.contains("not repaired") || complaint.contains("beyond what a host offset");
      case "bitmap flags" -> (broken.value() & ~7) == 0;
      case "backing_file_offset", "backing_file_size" -> complaint.contains("backing file");
      case "header_length" -> complaint.contains("not a multiple of 8");
      // What that snapshot showed was the snapshot table, which has changed.
      case "snapshot L1 offset" -> complaint.equals("[snapshot 1 cluster 0 changed]");
      // What the disk showed there was the L1 table, which has changed.
      case "L1 entry 0" -> complaint.startsWith("[disk cluster 0 changed]");
      default -> false;
    };
  }

  private String complaint(Mutation broken) throws IOException {
    Path file = directory.resolve("m.qcow2");
    Files.deleteIfExists(file);
    broken.apply().writeTo(file);
    GuestBytes before = GuestBytes.of(file, broken.shape());
    MemoryStorage storage = MemoryStorage.of(Files.readAllBytes(file));
    CheckReport report;
    try {
      report = repair(storage);
    } catch (IOException e) {
      boolean alsoForQemu = CheckAnswer.ofQemu(file).exitCode() == 1;
      return alsoForQemu ? "header: not for QEMU either" : String.valueOf(e.getMessage());
    }
    byte[] once = storage.bytes();
    if (report.repairs().stream().anyMatch(line -> line.startsWith("not repaired"))) {
      return report.repairs().toString();
    }
    if (!report.isClean()) {
      return "left: " + report.findings().get(0).text();
    }
    CheckReport again = repair(storage);
    if (!Arrays.equals(once, storage.bytes()) || !again.repairs().isEmpty()) {
      return "the second repair did something: " + again.repairs();
    }
    Files.write(file, once);
    List<String> lost = before.lostIn(GuestBytes.of(file, broken.shape()));
    CheckAnswer qemu = CheckAnswer.ofQemu(file);
    if (!lost.isEmpty()) {
      return lost.toString();
    }
    return qemu.exitCode() == 0 ? "" : "QEMU: " + qemu + qemu.text();
  }

  private static CheckReport repair(MemoryStorage storage) throws IOException {
    return new ImageCheck(storage, ImageCheck.Progress.SILENT).repairAll();
  }
}
