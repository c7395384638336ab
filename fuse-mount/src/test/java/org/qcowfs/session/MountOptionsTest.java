package org.qcowfs.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.image.CacheMode;
import org.qcowfs.image.ImageFormat;
import org.qcowfs.image.OpenOptions;
import org.qcowfs.image.ReferencePolicy;
import org.qcowfs.image.WriteOptions;
import org.qcowfs.image.ZeroMode;
import org.qcowfs.tree.WriteRules;
import org.qcowfs.tree.ZeroDetection;

final class MountOptionsTest {
  private static MountOptions parse(String... lists) throws MountOptionException {
    return MountOptions.parse(List.of(lists));
  }

  @Test
  void nothingGivenMeansTheDefaults() throws Exception {
    assertThat(parse()).isEqualTo(MountOptions.defaults());
    assertThat(parse("", ",,")).isEqualTo(MountOptions.defaults());
  }

  @Test
  void everyOptionIsDecoded() throws Exception {
    MountOptions options =
        parse(
            "ro,format=raw,backing_format=qcow2,references=/a:/b,snapshot=one,force_share",
            "l2_cache_size=4M,allow_other,uid=1000,gid=4294967294,umask=027,threads=7,accelerate=off,debug");

    OpenOptions image = options.image();
    assertThat(image.format()).contains(ImageFormat.RAW);
    assertThat(image.backingFormat()).contains(ImageFormat.QCOW2);
    assertThat(image.references())
        .isEqualTo(
            new ReferencePolicy(
                ReferencePolicy.Kind.DIRECTORIES, List.of(Path.of("/a"), Path.of("/b"))));
    assertThat(image.snapshot()).contains("one");
    assertThat(image.forceShare()).isTrue();
    assertThat(image.l2CacheBytes()).isEqualTo(4 << 20);
    assertThat(options.allowOther()).isTrue();
    assertThat(options.uid()).hasValue(1000);
    assertThat(options.gid()).hasValue(4_294_967_294L);
    assertThat(options.umask()).hasValue(027);
    assertThat(options.threads()).hasValue(7);
    assertThat(options.accelerate()).isFalse();
    assertThat(options.debug()).isTrue();
  }

  @Test
  void requestsAreAcceleratedUnlessThatIsSwitchedOff() throws Exception {
    assertThat(parse().accelerate()).isTrue();
    assertThat(parse("accelerate=off,accelerate=on").accelerate()).isTrue();
    assertThatThrownBy(() -> parse("accelerate=fast"))
        .isInstanceOf(MountOptionException.class)
        .hasMessage("mount option accelerate=fast: give on or off");
  }

  @Test
  void theLastOfTwoValuesHolds() throws Exception {
    assertThat(parse("threads=2,threads=3", "threads=4").threads()).hasValue(4);
  }

  @Test
  void aBackslashTakesACommaIntoTheValue() throws Exception {
    assertThat(parse("snapshot=a\\,b\\\\c\\d,debug").image().snapshot()).contains("a,b\\c\\d");
  }

  @Test
  void aValueMayHoldAnEqualsSign() throws Exception {
    assertThat(parse("snapshot=a=b").image().snapshot()).contains("a=b");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "defaults",
        "nosuid,nodev,noexec",
        "noatime",
        "noauto,user,_netdev",
        "x-systemd.automount",
        "X-mount.mkdir",
        "x-systemd.idle-timeout=60"
      })
  void whatEveryFilesystemGetsFromFstabChangesNothing(String options) throws Exception {
    assertThat(parse(options)).isEqualTo(MountOptions.defaults());
  }

  @Test
  void aMountCanBeWrittenUnlessItIsSaidToBeReadOnly() throws Exception {
    assertThat(parse().image().write()).contains(WriteOptions.defaults());
    assertThat(parse("ro").image().write()).isEmpty();
    assertThat(parse("ro", "rw").image().write()).contains(WriteOptions.defaults());
    assertThat(parse("rw,cache=none,ro").image().write()).isEmpty();
  }

  @Test
  void everyOptionOfWritingIsDecoded() throws Exception {
    MountOptions options =
        parse(
            "cache=directsync,discard=ignore,detect_zeroes=on,flush_interval=0",
            "drop_bitmaps,allow_shrink,lazy_refcounts=on,refcount_cache_size=64K");

    assertThat(options.image().write())
        .contains(
            new WriteOptions(
                CacheMode.DIRECTSYNC, true, Optional.empty(), Optional.of(true), 65_536, false));
    assertThat(options.writes()).isEqualTo(new WriteRules(true, ZeroMode.KEEP, ZeroDetection.ON));
    assertThat(options.flushSeconds()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"writeback", "none", "writethrough", "directsync", "unsafe", "volatile"})
  void everyCacheModeHasItsName(String name) throws Exception {
    assertThat(parse("cache=" + name).image().write().orElseThrow().cacheMode().modeName())
        .isEqualTo(name);
  }

  @Test
  void onlyAReadOnlyMountSharesItsImage() {
    assertThatThrownBy(() -> parse("force_share"))
        .isInstanceOf(MountOptionException.class)
        .hasMessageContaining("force_share")
        .hasMessageContaining("add ro");
  }

  @Test
  void zerosAreUnmappedOnlyWhereHolesAre() {
    assertThatThrownBy(() -> parse("discard=ignore,detect_zeroes=unmap"))
        .isInstanceOf(MountOptionException.class)
        .hasMessageContaining("detect_zeroes=unmap")
        .hasMessageContaining("discard=ignore");
  }

  @Test
  void lazyRefcountsAreAsTheImageSaysUnlessTheyAreAskedFor() throws Exception {
    assertThat(parse().image().write().orElseThrow().lazyRefcounts()).isEmpty();
    assertThat(parse("lazy_refcounts=off").image().write().orElseThrow().lazyRefcounts())
        .contains(false);
  }

  @Test
  void freedClustersArePunchedUnlessDiscardsAreIgnored() throws Exception {
    assertThat(parse().image().write().orElseThrow().punchFreed()).isTrue();
    assertThat(parse("discard=unmap").image().write().orElseThrow().punchFreed()).isTrue();
    assertThat(parse("discard=ignore").image().write().orElseThrow().punchFreed()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"fromat=raw,format", "snapshots=x,snapshot", "allow_otter,allow_other", "r0,ro"})
  void anUnknownOptionIsRefusedWithTheNearestKnownOne(String option, String nearest) {
    assertThatThrownBy(() -> parse(option))
        .isInstanceOf(MountOptionException.class)
        .hasMessageContaining("'" + option.replaceAll("=.*", "") + "'")
        .hasMessageContaining("did you mean '" + nearest + "'?");
  }

  @Test
  void anUnknownOptionNearToNoneIsRefusedWithTheKnownOnes() {
    assertThatThrownBy(() -> parse("entirely_different"))
        .isInstanceOf(MountOptionException.class)
        .hasMessageContaining("known are accelerate, allow_other, allow_shrink, backing_format");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "format=vmdk",
        "format=",
        "references=",
        "uid=root",
        "uid=-1",
        "uid=+1",
        "uid=4294967295",
        "umask=888",
        "umask=1000",
        "threads=0",
        "threads=65",
        "l2_cache_size=",
        "l2_cache_size=M",
        "l2_cache_size=1K",
        "l2_cache_size=9000000000G",
        "l2_cache_size=4T",
        "cache=on",
        "cache=WRITEBACK",
        "discard=",
        "detect_zeroes=yes",
        "lazy_refcounts=yes",
        "refcount_cache_size=1K",
        "flush_interval=-1",
        "flush_interval=1s"
      })
  void aMalformedValueIsRefusedWithTheOptionsName(String option) {
    assertThatThrownBy(() -> parse(option))
        .isInstanceOf(MountOptionException.class)
        .hasMessageStartingWith("mount option " + option.substring(0, option.indexOf('=')) + "=");
  }

  @Test
  void aFlagTakesNoValueAndAValueMustBeGiven() {
    assertThatThrownBy(() -> parse("allow_other=1")).hasMessageContaining("takes no value");
    assertThatThrownBy(() -> parse("snapshot")).hasMessageContaining("needs a value");
  }

  @Test
  void anOverlayThatIsThrownAwayNeedsNoFlush() throws Exception {
    WriteOptions writes =
        MountOptions.parse(List.of("overlay=discard")).image().write().orElseThrow();

    assertThat(writes)
        .isEqualTo(
            new WriteOptions(
                CacheMode.VOLATILE,
                false,
                Optional.of(new WriteOptions.Overlay(Optional.empty()))));
  }

  @Test
  void anOverlayInAFileKeepsTheUsualMode() throws Exception {
    WriteOptions writes =
        MountOptions.parse(List.of("overlay=/tmp/o.qcow2")).image().write().orElseThrow();

    assertThat(writes.cacheMode()).isEqualTo(CacheMode.WRITEBACK);
    assertThat(writes.overlay().orElseThrow().file()).contains(Path.of("/tmp/o.qcow2"));
    assertThat(writes.changesImage()).isFalse();
  }

  @Test
  void anOverlayAndReadOnlyExcludeEachOther() {
    assertThatThrownBy(() -> MountOptions.parse(List.of("ro,overlay=discard")))
        .isInstanceOf(MountOptionException.class)
        .hasMessageContaining("overlay");
  }
}
