package org.qcowfs.session;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.qcowfs.image.CacheMode;
import org.qcowfs.image.ImageFormat;
import org.qcowfs.image.OpenOptions;
import org.qcowfs.image.ReferencePolicy;
import org.qcowfs.image.WriteOptions;
import org.qcowfs.image.ZeroMode;
import org.qcowfs.tree.WriteRules;
import org.qcowfs.tree.ZeroDetection;

/** Takes mount options one by one, and makes {@link MountOptions} of them. */
final class MountOptionParser {
  private static final MountOptions DEFAULTS = MountOptions.defaults();

  private OpenOptions image = OpenOptions.defaults();
  private boolean writable = true;
  private Optional<CacheMode> cacheMode = Optional.empty();
  private Optional<WriteOptions.Overlay> overlay = Optional.empty();
  private boolean dropBitmaps;
  private Optional<Boolean> lazyRefcounts = Optional.empty();
  private long refcountCacheBytes = WriteOptions.defaults().refcountCacheBytes();
  private boolean allowShrink;
  private ZeroMode discard = DEFAULTS.writes().discard();
  private ZeroDetection detectZeroes = DEFAULTS.writes().detectZeroes();
  private int flushSeconds = DEFAULTS.flushSeconds();
  private boolean allowOther;
  private OptionalLong uid = OptionalLong.empty();
  private OptionalLong gid = OptionalLong.empty();
  private OptionalInt umask = OptionalInt.empty();
  private OptionalInt threads = OptionalInt.empty();
  private boolean accelerate = DEFAULTS.accelerate();
  private boolean debug;

  /** Takes one option: {@code NAME} or {@code NAME=VALUE}. */
  void take(String option) throws MountOptionException {
    int equals = option.indexOf('=');
    String name = equals < 0 ? option : option.substring(0, equals);
    Optional<String> value =
        equals < 0 ? Optional.empty() : Optional.of(option.substring(equals + 1));
    MountOptionNames.check(name, value);
    if (!takeOfImage(name, value.orElse("")) && !takeOfWriting(name, value.orElse(""))) {
      takeOfMount(name, value.orElse("")); // or it is what mount(8) hands on
    }
  }

  private boolean takeOfImage(String name, String value) throws MountOptionException {
    switch (name) {
      case "format" -> image = image.withFormat(format(name, value));
      case "backing_format" -> image = image.withBackingFormat(format(name, value));
      case "references" -> image = image.withReferences(references(value));
      case "snapshot" -> image = image.withSnapshot(value);
      case "force_share" -> image = image.withForceShare(true);
      case "l2_cache_size" -> image = image.withL2CacheBytes(OptionValues.bytes(name, value));
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean takeOfWriting(String name, String value) throws MountOptionException {
    switch (name) {
      case "ro" -> writable = false;
      case "overlay" -> overlay = Optional.of(overlay(value));
      case "rw" -> writable = true;
      case "cache" ->
          cacheMode =
              Optional.of(
                  OptionValues.named(name, value, CacheMode.byName(value), CacheModeSwitch.NAMES));
      case "discard" ->
          discard = OptionValues.named(name, value, discard(value), "unmap or ignore");
      case "detect_zeroes" ->
          detectZeroes =
              OptionValues.named(name, value, ZeroDetection.byName(value), "off, on or unmap");
      case "flush_interval" -> flushSeconds = OptionValues.flushSeconds(value);
      case "lazy_refcounts" ->
          lazyRefcounts =
              Optional.of(
                  OptionValues.named(name, value, OptionValues.onOrOff(value), "on or off"));
      case "refcount_cache_size" -> refcountCacheBytes = OptionValues.bytes(name, value);
      case "drop_bitmaps" -> dropBitmaps = true;
      case "allow_shrink" -> allowShrink = true;
      default -> {
        return false;
      }
    }
    return true;
  }

  private void takeOfMount(String name, String value) throws MountOptionException {
    switch (name) {
      case "allow_other" -> allowOther = true;
      case "uid" -> uid = OptionalLong.of(OptionValues.id(name, value));
      case "gid" -> gid = OptionalLong.of(OptionValues.id(name, value));
      case "umask" -> umask = OptionalInt.of(OptionValues.umask(value));
      case "threads" -> threads = OptionalInt.of(OptionValues.threads(value));
      case "accelerate" ->
          accelerate = OptionValues.named(name, value, OptionValues.onOrOff(value), "on or off");
      case "debug" -> debug = true;
      default -> {}
    }
  }

  /** The options, once all are taken. */
  MountOptions finish() throws MountOptionException {
    if (writable && image.forceShare()) {
      throw new MountOptionException(
          "mount option force_share: only a read-only mount can share the image; add ro");
    }
    if (!writable && overlay.isPresent()) {
      throw new MountOptionException(
          "mount option overlay: it takes writes, and ro forbids them; leave one of the two out");
    }
    if (detectZeroes == ZeroDetection.UNMAP && discard != ZeroMode.UNMAP) {
      throw new MountOptionException(
          "mount option detect_zeroes=unmap: not together with discard=ignore; give"
              + " detect_zeroes=on");
    }
    return new MountOptions(
        writable ? image.withWrite(writeOptions()) : image,
        new WriteRules(allowShrink, discard, detectZeroes),
        flushSeconds,
        allowOther,
        uid,
        gid,
        umask,
        threads,
        accelerate,
        debug);
  }

  private WriteOptions writeOptions() {
    boolean thrownAway = overlay.isPresent() && overlay.get().file().isEmpty();
    CacheMode unlessGiven = thrownAway ? CacheMode.VOLATILE : WriteOptions.defaults().cacheMode();
    return new WriteOptions(
        cacheMode.orElse(unlessGiven),
        dropBitmaps,
        overlay,
        lazyRefcounts,
        refcountCacheBytes,
        discard == ZeroMode.UNMAP);
  }

  private static WriteOptions.Overlay overlay(String value) throws MountOptionException {
    if (value.isEmpty()) {
      throw new MountOptionException("mount option overlay=: give discard or a file");
    }
    return new WriteOptions.Overlay(
        value.equals("discard") ? Optional.empty() : Optional.of(Path.of(value)));
  }

  private static ImageFormat format(String name, String value) throws MountOptionException {
    return ImageFormat.byName(value)
        .orElseThrow(
            () ->
                new MountOptionException(
                    "mount option %s=%s: the format is qcow2 or raw".formatted(name, value)));
  }

  private static ReferencePolicy references(String value) throws MountOptionException {
    if (value.isEmpty()) {
      throw new MountOptionException(
          "mount option references=: give same-dir, none, any or directories separated by colons");
    }
    return ReferencePolicy.parse(value);
  }

  private static Optional<ZeroMode> discard(String value) {
    return switch (value) {
      case "unmap" -> Optional.of(ZeroMode.UNMAP);
      case "ignore" -> Optional.of(ZeroMode.KEEP);
      default -> Optional.empty();
    };
  }
}
