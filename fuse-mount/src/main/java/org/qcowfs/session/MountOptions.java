package org.qcowfs.session;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.qcowfs.image.ImageFormat;
import org.qcowfs.image.OpenOptions;
import org.qcowfs.image.ReferencePolicy;

/**
 * The options of {@code mount -o}, decoded. Where an option is given twice the last one holds.
 *
 * <p>The options that every filesystem gets from {@code mount(8)} and {@code fstab} ({@code
 * nosuid}, {@code nodev}, {@code noexec}, {@code noatime}, {@code defaults}, {@code noauto}, {@code
 * user}, {@code _netdev}, {@code x-…} and the like) are accepted. They change nothing: a mount is
 * always {@code nosuid,nodev}, and the others speak to mount(8) or are harmless.
 *
 * @param image how to open the image
 * @param allowOther whether other users than the mounting one may look inside
 * @param uid the owner that is shown, where it is not the mounting user
 * @param gid the group that is shown, where it is not the mounting user's
 * @param umask the permission bits taken away from what is shown
 * @param threads how many threads serve requests, where the user has said it
 * @param debug whether every step is logged
 */
public record MountOptions(
    OpenOptions image,
    boolean allowOther,
    OptionalLong uid,
    OptionalLong gid,
    OptionalInt umask,
    OptionalInt threads,
    boolean debug) {

  /** What holds without {@code -o}. */
  public static MountOptions defaults() {
    return new MountOptions(
        OpenOptions.defaults(),
        false,
        OptionalLong.empty(),
        OptionalLong.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        false);
  }

  /**
   * Decodes option lists as {@code -o} gets them: {@code NAME[=VALUE]} separated by commas. A
   * backslash takes a comma or a backslash into a value.
   *
   * @throws MountOptionException when a name is unknown or a value malformed
   * @throws IOException when an option asks for what this version cannot do yet
   */
  public static MountOptions parse(List<String> lists) throws MountOptionException, IOException {
    MountOptions options = defaults();
    for (String list : lists) {
      for (String option : split(list)) {
        options = options.with(option);
      }
    }
    return options;
  }

  private MountOptions with(String option) throws MountOptionException, IOException {
    int equals = option.indexOf('=');
    String name = equals < 0 ? option : option.substring(0, equals);
    Optional<String> value =
        equals < 0 ? Optional.empty() : Optional.of(option.substring(equals + 1));
    MountOptionNames.check(name, value);
    return with(name, value.orElse(""));
  }

  private MountOptions with(String name, String value) throws MountOptionException {
    return switch (name) {
      case "format" -> withImage(image.withFormat(format(name, value)));
      case "backing_format" -> withImage(image.withBackingFormat(format(name, value)));
      case "references" -> withImage(image.withReferences(references(value)));
      case "snapshot" -> withImage(image.withSnapshot(value));
      case "force_share" -> withImage(image.withForceShare(true));
      case "l2_cache_size" -> withImage(image.withL2CacheBytes(OptionValues.bytes(name, value)));
      case "allow_other" -> new MountOptions(image, true, uid, gid, umask, threads, debug);
      case "uid" ->
          new MountOptions(image, allowOther, id(name, value), gid, umask, threads, debug);
      case "gid" ->
          new MountOptions(image, allowOther, uid, id(name, value), umask, threads, debug);
      case "umask" ->
          new MountOptions(
              image,
              allowOther,
              uid,
              gid,
              OptionalInt.of(OptionValues.umask(value)),
              threads,
              debug);
      case "threads" ->
          new MountOptions(
              image,
              allowOther,
              uid,
              gid,
              umask,
              OptionalInt.of(OptionValues.threads(value)),
              debug);
      case "debug" -> new MountOptions(image, allowOther, uid, gid, umask, threads, true);
      default -> this; // `ro`, which is how every mount is, and what mount(8) hands on
    };
  }

  private MountOptions withImage(OpenOptions value) {
    return new MountOptions(value, allowOther, uid, gid, umask, threads, debug);
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

  private static OptionalLong id(String name, String value) throws MountOptionException {
    return OptionalLong.of(OptionValues.id(name, value));
  }

  private static List<String> split(String list) {
    List<String> options = new ArrayList<>();
    StringBuilder option = new StringBuilder();
    for (int i = 0; i < list.length(); i++) {
      char c = list.charAt(i);
      if (c == '\\' && i + 1 < list.length() && isSpecial(list.charAt(i + 1))) {
        option.append(list.charAt(++i));
      } else if (c == ',') {
        options.add(option.toString());
        option.setLength(0);
      } else {
        option.append(c);
      }
    }
    options.add(option.toString());
    options.removeIf(String::isEmpty);
    return options;
  }

  private static boolean isSpecial(char c) {
    return c == ',' || c == '\\';
  }
}
