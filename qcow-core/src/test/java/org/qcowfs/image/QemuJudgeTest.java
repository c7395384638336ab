package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.qcowfs.image.CrashVariant.Trait;
import org.qcowfs.testkit.crash.Complaint;
import org.qcowfs.testkit.crash.Crash;
import org.qcowfs.testkit.crash.GuestHistory;
import org.qcowfs.testkit.crash.HostFiles;

/** QEMU, asked about a state, is believed. */
final class QemuJudgeTest {
  @TempDir private Path directory;

  private List<Complaint> complaints(CrashVariant variant, HostFiles files, long[] stamps)
      throws IOException {
    CrashCounts counts = new CrashCounts();
    List<Complaint> complaints =
        new QemuJudge(directory, 1, 1, variant, counts)
            .complaints(files, new GuestHistory(Crash.POWER_LOSS, stamps), 1);
    assertThat(counts.toString()).contains("1 judged by QEMU too");
    return complaints;
  }

  @ParameterizedTest
  @EnumSource(names = {"BACKING", "SNAPSHOT", "DATA_FILE_RAW", "EXTENDED_L2", "V2"})
  void whatQemuReadsIsWhatTheGuestHasWritten(Trait trait) throws IOException {
    CrashVariant variant = CrashVariant.of(14, 16, CacheMode.WRITEBACK, trait);
    HostFiles files = variant.create(directory);

    assertThat(complaints(variant, files, variant.initial())).isEmpty();

    long[] others = variant.initial();
    others[7] += 1;
    assertThat(complaints(variant, files, others))
        .singleElement()
        .hasToString(
            "LOST: sector 7 holds %x, allowed are [%x]".formatted(others[7] - 1, others[7]));
  }

  @Test
  void aDiskOfAnotherSizeIsFound() throws IOException {
    CrashVariant variant = CrashVariant.of(12, 16, CacheMode.WRITEBACK);
    long[] longer = new long[variant.sectors() + 1];

    assertThat(complaints(variant, variant.create(directory), longer))
        .first()
        .hasToString("LOST: QEMU finds a disk of %d sectors".formatted(variant.sectors()));
  }
}
