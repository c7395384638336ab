package org.qcowfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class MountSettingsTest {
  private static String options(String source, boolean overFile, boolean allowOther) {
    return options(source, false, overFile, allowOther);
  }

  private static String options(
      String source, boolean writable, boolean overFile, boolean allowOther) {
    return new MountSettings(
            Path.of("/mnt"),
            source,
            writable,
            overFile,
            allowOther,
            0,
            0,
            077,
            4,
            true,
            false,
            Instant.EPOCH,
            () -> 0)
        .fuseOptions();
  }

  @Test
  void aNameCannotBringItsOwnOptions() {
    assertThat(options("/a,allow_other\\,b\nc", false, false))
        .startsWith("fsname=/a\\,allow_other\\\\\\,b?c,subtype=qcowfs,");
  }

  @Test
  void everyMountIsWithoutDevicesAndSetUserIds() {
    assertThat(options("/a", true, true).split(",", -1)).contains("nosuid", "nodev");
    assertThat(options("/a", true, true, true).split(",", -1)).contains("nosuid", "nodev");
  }

  @Test
  void theKernelRefusesWritesWhereNothingCanBeWritten() {
    assertThat(options("/a", false, false, false).split(",", -1)).contains("ro");
    assertThat(options("/a", true, false, false).split(",", -1)).contains("rw");
  }

  @Test
  void onlyAMountOverAFileMayHideSomething() {
    assertThat(options("/a", true, false)).contains("nonempty");
    assertThat(options("/a", false, false)).doesNotContain("nonempty");
  }

  @Test
  void othersMayLookInsideOnlyAsFarAsTheModesAllow() {
    assertThat(options("/a", false, true)).contains("allow_other", "default_permissions");
    assertThat(options("/a", false, false)).doesNotContain("allow_other");
  }
}
