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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.testkit.QemuTools;
import org.qcowfs.testkit.storage.MemoryStorage;

/**
 * Images in which hundreds of clusters lie one behind the other, as the check counts them at once,
 * with one or two words wrong in the midst of them: our check says what {@code qemu-img check}
 * says, number by number, and what we repair is clean for both. {@code -Dqcowfs.mutations=all}
 * tries more of them.
 */
final class LongRunsTest {
  private static final boolean ALL = "all".equals(System.getProperty("qcowfs.mutations"));
  private static final int BROKEN_PER_IMAGE = ALL ? 400 : 25;
  private static final long COPIED = 1L << 63;
  private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;

  @TempDir private Path directory;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = directory.resolve("runs.qcow2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=512",
        "cluster_size=4k,refcount_bits=1",
        "cluster_size=4k,refcount_bits=2",
        "cluster_size=4k,refcount_bits=8",
        "cluster_size=4k,refcount_bits=64",
        "cluster_size=4k,compat=0.10",
        "cluster_size=16k,extended_l2=on"
      })
  void whatIsWrongAmidARunIsFound(String options) throws IOException {
    createImage(options);

    tryBrokenImages(options.hashCode());
  }

  /** The clusters of the disk belong to the snapshot too, until some are written again. */
  @ParameterizedTest
  @ValueSource(strings = {"cluster_size=512", "cluster_size=4k", "cluster_size=16k,extended_l2=on"})
  void whatIsWrongAmidARunOfASnapshotIsFound(String options) throws IOException {
    createImage(options);
    QemuTools.succeed(directory, "qemu-img", "snapshot", "-c", "one", file.toString());
    QemuTools.succeed(directory, "qemu-io", "-c", "write -P 1 100k 700k", file.toString());

    tryBrokenImages(options.hashCode() + 1);
  }

  private void createImage(String options) throws IOException {
    String size = options.contains("512") ? "1M" : "10M";
    QemuTools.succeed(
        directory,
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qcow2",
        "-o",
        options + ",preallocation=metadata",
        file.toString(),
        size);
  }

  private void tryBrokenImages(long seed) throws IOException {
    byte[] valid = Files.readAllBytes(file);
    assertThat(CheckAnswer.ofOurs(file).agreesWith(CheckAnswer.ofQemu(file))).isTrue();
    List<String> wrong = new ArrayList<>();
    int harmed = 0;
    for (int i = 0; i < BROKEN_PER_IMAGE; i++) {
      Random random = new Random(seed * 1000 + i);
      ByteBuffer image = ByteBuffer.wrap(valid.clone());
      String broken = breakOne(image, random);
      if (i % 3 == 0) {
        broken += ", " + breakOne(image, random);
      }
      byte[] bytes = image.array();
      if (i % 5 == 4) {
        int kept = bytes.length - random.nextInt(bytes.length - leastBytes(image));
        broken += ", cut to %d bytes".formatted(kept);
        bytes = Arrays.copyOf(bytes, kept);
      }
      Files.write(file, bytes);
      CheckAnswer ours = CheckAnswer.ofOurs(file);
      CheckAnswer qemu = CheckAnswer.ofQemu(file);
      harmed += qemu.exitCode() == 0 ? 0 : 1;
      if (!ours.agreesWith(qemu)) {
        wrong.add("%s: ours %s, QEMU %s".formatted(broken, ours, qemu));
      }
      repair(bytes);
      if (CheckAnswer.ofOurs(file).exitCode() != 0 || CheckAnswer.ofQemu(file).exitCode() != 0) {
        wrong.add("%s, repaired: QEMU %s".formatted(broken, CheckAnswer.ofQemu(file)));
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(harmed).isGreaterThan(BROKEN_PER_IMAGE / 2);
  }

  /** QEMU takes a snapshot table that the file has not for one full of zeros, so that stays. */
  private static int leastBytes(ByteBuffer image) {
    return image.getInt(60) == 0
        ? image.capacity() / 4 * 3
        : (int) image.getLong(64) + (1 << image.getInt(20));
  }

  private void repair(byte[] image) throws IOException {
    MemoryStorage storage = MemoryStorage.of(image);
    new ImageCheck(storage, ImageCheck.Progress.SILENT).repairAll();
    Files.write(file, storage.bytes());
  }

  private static String breakOne(ByteBuffer image, Random random) {
    return switch (random.nextInt(5)) {
      case 0 -> breakRefcount(image, random);
      case 1 -> shareRun(image, random);
      case 2 -> aimRun(image, random);
      default -> breakEntry(image, random);
    };
  }

  /** Some entries, and so the clusters that they name, twice. */
  private static String shareRun(ByteBuffer image, Random random) {
    int clusterBytes = 1 << image.getInt(20);
    int l2Table = (int) (image.getLong((int) image.getLong(40)) & OFFSET);
    int bytes = Math.min(clusterBytes / 2, 16 * Long.BYTES * (1 + random.nextInt(8)));
    int from = l2Table + random.nextInt(clusterBytes - bytes + 1) / 16 * 16;
    int to = l2Table + random.nextInt(clusterBytes - bytes + 1) / 16 * 16;
    byte[] entries = new byte[bytes];
    image.get(from, entries).put(to, entries);
    return "L2 entries, %d bytes from 0x%x on := those from 0x%x on".formatted(bytes, to, from);
  }

  private static String breakRefcount(ByteBuffer image, Random random) {
    int clusterBytes = 1 << image.getInt(20);
    int order = image.getInt(4) == 2 ? 4 : image.getInt(96);
    long cluster = random.nextInt(image.capacity() / clusterBytes);
    long perBlock = (clusterBytes * 8L) >> order;
    long block = image.getLong((int) (image.getLong(48) + cluster / perBlock * 8));
    int at = (int) (block + ((cluster % perBlock) << order >> 3));
    int width = Math.max(1, 1 << order >> 3);
    byte value = (byte) random.nextInt(4);
    image.put(at + width - 1, value);
    return "refcount of cluster %d := %d".formatted(cluster, value);
  }

  /** A run of entries that goes over a structure of the image. */
  private static String aimRun(ByteBuffer image, Random random) {
    int clusterBytes = 1 << image.getInt(20);
    int step = entryBytes(image);
    int l1Table = (int) image.getLong(40);
    int l2Table = (int) (image.getLong(l1Table) & OFFSET);
    long refcountTable = image.getLong(48);
    long[] structures = {l1Table, l2Table, refcountTable, image.getLong((int) refcountTable)};
    long structure = structures[random.nextInt(structures.length)];
    long start = Math.max(clusterBytes, structure - (long) random.nextInt(4) * clusterBytes);
    int first = random.nextInt(clusterBytes / step - 6);
    for (int i = 0; i < 6; i++) {
      image.putLong(l2Table + (first + i) * step, (start + (long) i * clusterBytes) | COPIED);
    }
    return "L2 entries %d to %d := 0x%x and behind".formatted(first, first + 5, start);
  }

  private static int entryBytes(ByteBuffer image) {
    boolean extended = image.getInt(4) == 3 && (image.getLong(72) & 16) != 0;
    return extended ? 2 * Long.BYTES : Long.BYTES;
  }

  private static String breakEntry(ByteBuffer image, Random random) {
    long l1Table = image.getLong(40);
    int clusterBytes = 1 << image.getInt(20);
    int step = entryBytes(image);
    int perTable = clusterBytes / step;
    int guest = random.nextInt((int) (image.getLong(24) / clusterBytes));
    long l2Table = image.getLong((int) l1Table + guest / perTable * 8) & OFFSET;
    int at = (int) l2Table + guest % perTable * step;
    long old = image.getLong(at);
    long others = image.getLong((int) l2Table + random.nextInt(perTable) * step);
    long[] values = {
      old ^ COPIED,
      old + clusterBytes,
      old - clusterBytes,
      old + 512,
      others,
      0,
      l2Table | COPIED,
      l1Table | COPIED,
      image.getLong(48) | COPIED,
      (image.capacity() + 3L * clusterBytes) | COPIED,
      1L << 50 | COPIED,
      old | 1L << 57,
      old | 4
    };
    long value = values[random.nextInt(values.length)];
    image.putLong(at, value);
    return "L2 entry %d := 0x%x".formatted(guest, value);
  }
}
