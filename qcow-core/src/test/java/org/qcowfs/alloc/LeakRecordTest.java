package org.qcowfs.alloc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.cache.DurabilityClock;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.format.LeakRange;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.QemuTools;
import org.qcowfs.testkit.storage.FaultPlan;
import org.qcowfs.testkit.storage.FaultPlan.Fault;
import org.qcowfs.testkit.storage.FaultyStorage;
import org.qcowfs.testkit.storage.MemoryStorage;
import org.qcowfs.testkit.storage.PowerLossException;
import org.qcowfs.testkit.storage.PowerLossStorage;
import org.qcowfs.testkit.storage.SurvivorChoices;

final class LeakRecordTest {
  private static final long OFFSET = 40 << 20;
  private static final LeakRange NEEDED = LeakRange.of(OFFSET, 4096);
  private static final String PLAIN = "cluster_size=4096";
  private static final String VERSION_2 = "cluster_size=4096,compat=0.10";
  private static final String BACKED = "cluster_size=4096,backing_file=base.raw,backing_fmt=raw";
  private static final String BACKED_2 = BACKED + ",compat=0.10";
  private static final String LONG_NAME =
      "cluster_size=4096,backing_fmt=raw,backing_file=a-long-name-of-more-than-twenty-bytes.raw";

  /** The name needs more than half of the cluster, so it cannot be moved. */
  private static final String FULL =
      "cluster_size=512,backing_fmt=raw,backing_file=" + "x".repeat(220);

  @TempDir private Path directory;

  private MemoryStorage image(String options) throws IOException {
    String create = "qemu-img create -q -u -f qcow2 -o " + options + " image.qcow2 1M";
    QemuTools.succeed(directory, create.split(" "));
    return MemoryStorage.of(Files.readAllBytes(directory.resolve("image.qcow2")));
  }

  private static LeakRecord record(BlockStorage storage) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Header.DECODED_BYTES);
    storage.readFully(bytes, 0);
    Header header = Header.decode(bytes.flip());
    HeaderSector sector = new HeaderSector(storage, header.version());
    return new LeakRecord(storage, header, sector, new DurabilityClock(storage::flushToDisk));
  }

  private static ByteBuffer firstCluster(MemoryStorage file) {
    ByteBuffer cluster = ByteBuffer.allocate(4096);
    file.read(cluster, 0);
    return cluster.flip();
  }

  private static HeaderExtensions extensions(MemoryStorage file) throws IOException {
    ByteBuffer cluster = firstCluster(file);
    return HeaderExtensions.decode(Header.decode(cluster.duplicate()), cluster);
  }

  private static LeakRange noted(MemoryStorage file) throws IOException {
    return extensions(file)
        .leakRange()
        .map(note -> LeakRange.decode(note.data().getLong(0)))
        .orElse(LeakRange.EMPTY);
  }

  /** What other programs see of the header: the backing file's name and their extensions. */
  private static String seenByOthers(MemoryStorage file) throws IOException {
    ByteBuffer cluster = firstCluster(file);
    Header header = Header.decode(cluster.duplicate());
    byte[] name = new byte[header.backingNameBytes()];
    cluster.get((int) header.backingNameOffset(), name);
    HeaderExtensions extensions = extensions(file);
    return "%s %s %s"
        .formatted(
            new String(name, java.nio.charset.StandardCharsets.UTF_8),
            extensions.backingFormat(),
            extensions.hasUnknown());
  }

  private String askQemu(MemoryStorage file, String... command) throws IOException {
    Files.write(directory.resolve("image.qcow2"), file.bytes());
    return QemuTools.succeed(directory, command);
  }

  @ParameterizedTest
  @ValueSource(strings = {PLAIN, VERSION_2, BACKED, BACKED_2, LONG_NAME})
  void theNoteStandsInTheHeaderAndNobodyElseMinds(String options) throws IOException {
    MemoryStorage file = image(options);
    String before = askQemu(file, "qemu-img", "info", "--output=json", "image.qcow2");
    String seen = seenByOthers(file);

    record(file).coverLocked(OFFSET, 4096);

    assertThat(noted(file).contains(NEEDED)).isTrue();
    assertThat(seenByOthers(file)).isEqualTo(seen);
    assertThat(askQemu(file, "qemu-img", "info", "--output=json", "image.qcow2")).isEqualTo(before);
    if (!options.contains("backing")) {
      assertThat(askQemu(file, "qemu-img", "check", "image.qcow2")).contains("No errors");
    }
  }

  @Test
  void whereTheHeaderHasNoRoomNothingIsNotedAndNothingChanges() throws IOException {
    MemoryStorage file = image(FULL);
    byte[] before = file.bytes();

    record(file).coverLocked(OFFSET, 4096);

    assertThat(file.bytes()).isEqualTo(before);
  }

  @Test
  void theNoteGrowsAndIsEmptiedInPlace() throws IOException {
    MemoryStorage file = image(PLAIN);
    LeakRecord record = record(file);
    record.coverLocked(OFFSET, 4096);
    long at = extensions(file).leakRange().orElseThrow().hostOffset();

    record.coverLocked(1L << 40, 4096);
    assertThat(noted(file).contains(LeakRange.of(1L << 40, 4096))).isTrue();
    assertThat(noted(file).contains(NEEDED)).isTrue();
    record.clearLocked();

    assertThat(noted(file).isEmpty()).isTrue();
    assertThat(extensions(file).leakRange().orElseThrow().hostOffset()).isEqualTo(at);
    assertThat(noted(file).contains(NEEDED)).isFalse();
    record(file).coverLocked(OFFSET, 4096);
    assertThat(extensions(file).leakRange().orElseThrow().hostOffset()).isEqualTo(at);
  }

  @ParameterizedTest
  @ValueSource(strings = {PLAIN, VERSION_2, BACKED, BACKED_2, LONG_NAME})
  void aPowerLossLeavesTheHeaderAsOthersKnowIt(String options) throws IOException {
    MemoryStorage before = image(options);
    PowerLossStorage whole = new PowerLossStorage(before, PowerLossStorage.NEVER);
    record(whole).coverLocked(OFFSET, 4096);
    List<String> complaints = new ArrayList<>();
    for (long cut = 1; cut <= whole.changes(); cut++) {
      PowerLossStorage storage = new PowerLossStorage(before, cut);
      try {
        record(storage).coverLocked(OFFSET, 4096);
      } catch (PowerLossException expected) {
        // the state at this moment is what the test is about
      }
      for (BitSet kept : SurvivorChoices.of(storage, 64, new SplittableRandom(1))) {
        MemoryStorage survivor = storage.surviving(kept);
        if (!seenByOthers(survivor).equals(seenByOthers(before))) {
          complaints.add("cut %d: %s".formatted(cut, seenByOthers(survivor)));
        }
        record(survivor).coverLocked(OFFSET, 4096);
        if (!seenByOthers(survivor).equals(seenByOthers(before))) {
          complaints.add("cut %d, and noted again: %s".formatted(cut, seenByOthers(survivor)));
        }
      }
    }
    assertThat(whole.changes()).isGreaterThan(3);
    assertThat(complaints).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void afterAnAttemptThatFailedTheNextOneNotes(Fault fault) throws IOException {
    for (String options : List.of(PLAIN, BACKED, LONG_NAME)) {
      MemoryStorage before = image(options);
      boolean met = true;
      for (long n = 1; met; n++) {
        MemoryStorage file = before.copy();
        FaultPlan plan = new FaultPlan(fault, n, false);
        FaultyStorage faulty = new FaultyStorage(file, plan);
        met = noteTwice(faulty, plan);
        assertThat(seenByOthers(file)).isEqualTo(seenByOthers(before));
        if (!plan.hasFlushFailed() && n > 2) {
          assertThat(noted(file).contains(NEEDED)).as("%s %d", options, n).isTrue();
        }
      }
    }
  }

  /** Whether the fault was met. */
  private static boolean noteTwice(FaultyStorage storage, FaultPlan plan) throws IOException {
    LeakRecord record;
    try {
      record = record(storage);
    } catch (IOException | OutOfMemoryError e) {
      return true;
    }
    try {
      record.coverLocked(OFFSET, 4096);
    } catch (IOException | OutOfMemoryError e) {
      assertThat(e).hasMessageEndingWith("failed as planned");
    }
    if (!plan.hasFlushFailed()) {
      record.coverLocked(OFFSET, 4096);
    }
    return plan.isMet();
  }
}
