package org.qcowfs.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.testkit.QemuTools;
import org.qcowfs.testkit.storage.MemoryStorage;

/**
 * Images of some size that QEMU made, with snapshots, bitmaps and compressed data, damaged as hosts
 * and people do it: a part is zeros, garbage, or from elsewhere, or is missing. Our check finds
 * what {@code qemu-img check} finds, number by number; and what we repair is clean for both, or we
 * say why it is not. {@code -Dqcowfs.mutations=all} tries more of them.
 */
final class DamagedImagesTest {
  private static final boolean ALL = "all".equals(System.getProperty("qcowfs.mutations"));
  private static final int DAMAGES = ALL ? 500 : 25;
  private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;
  private static final int DISK_BYTES = 3 << 20;

  /** QEMU ends its check early, or does not even open the image. */
  private static final int NOT_CHECKED = 1;

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=64k",
        "cluster_size=4k",
        "cluster_size=512",
        "cluster_size=16k,extended_l2=on",
        "cluster_size=4k,refcount_bits=64",
        "cluster_size=4k,compat=0.10"
      })
  void damageIsFoundAndRepaired(String options) throws IOException {
    Path file = directory.resolve("damaged.qcow2");
    byte[] whole = createImage(file, options);
    List<String> wrong = new ArrayList<>();
    int repaired = 0;
    int left = 0;
    for (int i = 0; i < DAMAGES; i++) {
      Random random = new Random(options.hashCode() * 1000L + i);
      byte[] image = whole.clone();
      String damage = random.nextInt(4) == 0 ? "cut" : damage(image, random);
      if (damage.equals("cut")) {
        image = Arrays.copyOf(image, whole.length / 3 + random.nextInt(whole.length / 3 * 2));
        damage += " to %d bytes".formatted(image.length);
      }
      Files.write(file, image);
      CheckAnswer ours = CheckAnswer.ofOurs(file);
      CheckAnswer qemu = CheckAnswer.ofQemu(file);
      if (!isAsGood(damage, ours, qemu)) {
        wrong.add("%s: ours %s, QEMU %s".formatted(damage, ours, qemu));
      }
      if (ours.exitCode() >= 2) {
        String complaint = complaintOfRepair(file, image);
        repaired += complaint.isEmpty() ? 1 : 0;
        left += complaint.startsWith("not repaired") ? 1 : 0;
        if (!complaint.isEmpty() && !complaint.startsWith("not repaired")) {
          wrong.add(damage + ": " + complaint);
        }
      }
    }
    System.out.printf("%s: %d damages, %d repaired, %d left%n", options, DAMAGES, repaired, left);
    assertThat(wrong).isEmpty();
    assertThat(repaired).isPositive();
    assertThat(left).isLessThanOrEqualTo(repaired);
  }

  private byte[] createImage(Path file, String options) throws IOException {
    byte[] disk = new byte[DISK_BYTES];
    Random random = new Random(5);
    for (int at = 0; at < disk.length; at += 1 << 16) {
      byte[] half = new byte[1 << 15];
      random.nextBytes(half);
      System.arraycopy(half, 0, disk, at, half.length);
      for (int i = half.length; i < 1 << 16; i++) {
        disk[at + i] = (byte) ('a' + i % 4);
      }
    }
    Path raw = Files.write(directory.resolve("disk.raw"), disk);
    String name = file.toString();
    QemuTools.succeed(
        directory, "qemu-img", "convert", "-c", "-O", "qcow2", "-o", options, raw.toString(), name);
    QemuTools.succeed(directory, "qemu-io", "-c", "write -P 5 1M 1M", name);
    QemuTools.succeed(directory, "qemu-img", "snapshot", "-c", "one", name);
    QemuTools.succeed(
        directory, "qemu-io", "-c", "write -P 7 1M 700k", "-c", "write -z 2M 300k", name);
    QemuTools.succeed(directory, "qemu-img", "snapshot", "-c", "two", name);
    QemuTools.succeed(directory, "qemu-io", "-c", "write -P 9 1200k 300k", name);
    if (!options.contains("compat")) {
      QemuTools.succeed(directory, "qemu-img", "bitmap", "--add", name, "day");
      QemuTools.succeed(directory, "qemu-io", "-c", "write -P 3 100k 100k", name);
    }
    return Files.readAllBytes(file);
  }

  private static String damage(byte[] image, Random random) {
    int[] lengths = {512, 4096, 65_536, 200_000};
    int bytes = Math.min(lengths[random.nextInt(lengths.length)], image.length / 4);
    int at = place(image, random, bytes);
    String where = "%d bytes at 0x%x ".formatted(bytes, at);
    switch (random.nextInt(5)) {
      case 0 -> {
        Arrays.fill(image, at, at + bytes, (byte) 0);
        return where + "zeros";
      }
      case 1 -> {
        byte[] garbage = new byte[bytes];
        random.nextBytes(garbage);
        System.arraycopy(garbage, 0, image, at, bytes);
        return where + "garbage";
      }
      case 2 -> {
        int from = random.nextInt(image.length - bytes) / 512 * 512;
        System.arraycopy(image, from, image, at, bytes);
        return where + "from 0x%x".formatted(from);
      }
      case 3 -> {
        Arrays.fill(image, at, at + bytes, (byte) 'a');
        return where + "text";
      }
      default -> {
        int word = random.nextInt(image.length / 8) * 8;
        long value =
            random.nextBoolean() ? -1 : (1L << 63) | (random.nextInt(image.length) & -512L);
        ByteBuffer.wrap(image).putLong(word, value);
        return "word at 0x%x := 0x%x".formatted(word, value);
      }
    }
  }

  /** Half of the time such that a structure is hit. */
  private static int place(byte[] image, Random random, int bytes) {
    ByteBuffer file = ByteBuffer.wrap(image);
    int l1Table = (int) file.getLong(40);
    int refcountTable = (int) file.getLong(48);
    int[] structures = {
      l1Table,
      (int) (file.getLong(l1Table) & OFFSET),
      refcountTable,
      (int) file.getLong(refcountTable),
      (int) file.getLong(64)
    };
    int last = image.length - bytes;
    int at =
        random.nextBoolean()
            ? random.nextInt(last)
            : structures[random.nextInt(structures.length)] - random.nextInt(bytes);
    return Math.max(0, Math.min(last, at)) / 512 * 512;
  }

  private static boolean isAsGood(String damage, CheckAnswer ours, CheckAnswer qemu) {
    if (qemu.exitCode() == NOT_CHECKED) {
      return ours.exitCode() == NOT_CHECKED || ours.exitCode() == 2;
    }
    // QEMU takes a snapshot table full of zeros for one of empty snapshots.
    return ours.agreesWith(qemu)
        || (damage.endsWith("zeros") && ours.corruptions() > qemu.corruptions());
  }

  private static String complaintOfRepair(Path file, byte[] image) throws IOException {
    MemoryStorage storage = MemoryStorage.of(image);
    CheckReport report = new ImageCheck(storage, ImageCheck.Progress.SILENT).repairAll();
    for (String line : report.repairs()) {
      if (line.startsWith("not repaired")) {
        return line;
      }
    }
    Files.write(file, storage.bytes());
    CheckAnswer qemu = CheckAnswer.ofQemu(file);
    if (!report.isClean() || qemu.exitCode() != 0) {
      return "repaired, but ours %s, QEMU %s".formatted(report.findings(), qemu);
    }
    CheckReport again = new ImageCheck(storage, ImageCheck.Progress.SILENT).repairAll();
    return again.repairs().isEmpty() ? "" : "the second repair did something: " + again.repairs();
  }
}
