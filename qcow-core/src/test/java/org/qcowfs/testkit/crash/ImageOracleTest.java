package org.qcowfs.testkit.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.QemuTools;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.TestImage;
import org.qcowfs.testkit.storage.MemoryStorage;

/** What the oracle says of images that are broken in one place, and that QEMU agrees. */
class ImageOracleTest {
  private static final int CLUSTER_BYTES = 4096;
  private static final long COPIED = 1L << 63;
  private static final int CLEAN = 0;
  private static final int CORRUPT = 2;
  private static final int LEAKS = 3;

  @TempDir private Path directory;

  private final TestImage image;
  private final SparseBytes bytes;
  private final long clusters;

  ImageOracleTest() {
    ImageBuilder builder = new ImageBuilder(3, 12).virtualSize(16 * CLUSTER_BYTES);
    builder.disk().data(0, cluster(1)).data(3, cluster(2)).compressed(5, cluster(3)).zero(6);
    image = builder.build();
    bytes = image.bytes();
    clusters = (bytes.size() + CLUSTER_BYTES - 1) / CLUSTER_BYTES;
    // Images end with a whole cluster, so that nothing lies behind the end by chance.
    bytes.putLong(clusters * CLUSTER_BYTES - Long.BYTES, 0);
  }

  private static byte[] cluster(int value) {
    byte[] cluster = new byte[CLUSTER_BYTES];
    Arrays.fill(cluster, (byte) value);
    return cluster;
  }

  /** The refcounts are 16 bits wide, and the first block counts all. */
  private void setRefcount(long cluster, int refcount) {
    long block = bytes.getLong(image.refcountTableOffset());
    long word = block + cluster * 2 / Long.BYTES * Long.BYTES;
    int shift = (int) (48 - cluster % 4 * 16);
    bytes.putLong(word, (bytes.getLong(word) & ~(0xffffL << shift)) | ((long) refcount << shift));
  }

  private void assertJudged(int qemuExitCode, int leaks, Consumer<List<String>> complaints)
      throws IOException {
    byte[] content = bytes.read(0, Math.toIntExact(bytes.size()));
    ImageOracle oracle =
        new ImageOracle(new HostFiles(List.of(MemoryStorage.of(content))), new long[0]);
    complaints.accept(oracle.check().stream().map(Complaint::text).toList());
    assertThat(oracle.leaks()).isEqualTo(leaks);
    Files.write(directory.resolve("image.qcow2"), content);
    QemuTools.Answer answer = QemuTools.run(directory, List.of("qemu-img", "check", "image.qcow2"));
    assertThat(answer.exitCode()).as(answer.output()).isEqualTo(qemuExitCode);
  }

  private void assertCorrupt(String complaint) throws IOException {
    assertJudged(
        CORRUPT, 0, found -> assertThat(found).hasSize(1).first().asString().contains(complaint));
  }

  @Test
  void anImageThatIsWholeIsClean() throws IOException {
    assertJudged(CLEAN, 0, found -> assertThat(found).isEmpty());
  }

  @Test
  void aReferenceThatIsNotCountedIsFound() throws IOException {
    long cluster = image.clusterOffset(3L * CLUSTER_BYTES) / CLUSTER_BYTES;
    setRefcount(cluster, 0);

    assertJudged(
        CORRUPT,
        0,
        found ->
            assertThat(found)
                .anyMatch(text -> text.contains("cluster %d is referred to 1".formatted(cluster))));
  }

  @Test
  void aCountWithoutAReferenceIsALeak() throws IOException {
    setRefcount(clusters, 1);
    bytes.putLong((clusters + 1) * CLUSTER_BYTES - Long.BYTES, 0);

    assertJudged(LEAKS, 1, found -> assertThat(found).isEmpty());
  }

  @Test
  void aCountThatIsTooHighIsALeakAndItsCopiedFlagIsWrong() throws IOException {
    setRefcount(image.clusterOffset(0) / CLUSTER_BYTES, 2);

    assertJudged(
        CORRUPT, 1, found -> assertThat(found).hasSize(1).first().asString().contains("COPIED"));
  }

  @Test
  void aCopiedFlagThatIsMissingIsFound() throws IOException {
    long at = image.l2EntryOffset(0);
    bytes.putLong(at, bytes.getLong(at) & ~COPIED);

    assertCorrupt("has COPIED false at a refcount of 1");
  }

  @Test
  void aCopiedFlagOfATableThatIsMissingIsFound() throws IOException {
    long at = image.l1EntryOffset(0);
    bytes.putLong(at, bytes.getLong(at) & ~COPIED);

    assertCorrupt("L1 entry 0 has COPIED false");
  }

  @Test
  void aPointerBehindTheEndIsFound() throws IOException {
    bytes.putLong(
        image.l2EntryOffset(7L * CLUSTER_BYTES), COPIED | ((clusters + 9) * CLUSTER_BYTES));

    assertJudged(
        CORRUPT,
        0,
        found -> assertThat(found).anyMatch(text -> text.contains("behind the end of the file")));
  }

  @Test
  void twoPointersToOneClusterAreFound() throws IOException {
    bytes.putLong(image.l2EntryOffset(7L * CLUSTER_BYTES), image.l2Entry(0));

    assertJudged(
        CORRUPT,
        0,
        found -> assertThat(found).anyMatch(text -> text.contains("is referred to 2 times")));
  }

  @Test
  void ofADirtyImageTheCountsAreNotJudged() throws IOException {
    bytes.putLong(72, 1);
    setRefcount(image.clusterOffset(0) / CLUSTER_BYTES, 0);

    assertJudged(CORRUPT, 0, found -> assertThat(found).isEmpty());
  }

  @Test
  void everySectorIsShownWithWhatFillsIt() {
    byte[] content = bytes.read(0, Math.toIntExact(bytes.size()));
    ImageOracle oracle =
        new ImageOracle(new HostFiles(List.of(MemoryStorage.of(content))), new long[0]);
    List<Long> firstOfEach = new ArrayList<>();

    oracle.visitDisk(
        (sector, stamp) -> {
          if (sector % 8 == 0) {
            firstOfEach.add(stamp);
          }
        });

    assertThat(firstOfEach)
        .startsWith(0x0101_0101_0101_0101L, 0L, 0L, 0x0202_0202_0202_0202L, 0L)
        .element(5)
        .isEqualTo(0x0303_0303_0303_0303L);
    assertThat(firstOfEach).hasSize(16);
  }
}
