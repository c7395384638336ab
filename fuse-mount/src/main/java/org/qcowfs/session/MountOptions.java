package org.qcowfs.session;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.qcowfs.image.OpenOptions;
import org.qcowfs.image.WriteOptions;
import org.qcowfs.tree.WriteRules;

/**
 * The options of {@code mount -o}, decoded. Where an option is given twice the last one holds, and
 * so it does of {@code ro} and {@code rw}.
 *
 * <p>The options that every filesystem gets from {@code mount(8)} and {@code fstab} ({@code
 * nosuid}, {@code nodev}, {@code noexec}, {@code noatime}, {@code defaults}, {@code noauto}, {@code
 * user}, {@code _netdev}, {@code x-…} and the like) are accepted. They change nothing: a mount is
 * always {@code nosuid,nodev}, and the others speak to mount(8) or are harmless.
 *
 * @param image how to open the image
 * @param writes what is allowed and wanted of writes
 * @param flushSeconds how long writes may go without a flush in the background; 0 for ever
 * @param allowOther whether other users than the mounting one may look inside
 * @param uid the owner that is shown, where it is not the mounting user
 * @param gid the group that is shown, where it is not the mounting user's
 * @param umask the permission bits taken away from what is shown
 * @param threads how many threads serve requests, where the user has said it
 * @param accelerate whether reads and writes are answered without libfuse
 * @param debug whether every step is logged
 */
public record MountOptions(
    OpenOptions image,
    WriteRules writes,
    int flushSeconds,
    boolean allowOther,
    OptionalLong uid,
    OptionalLong gid,
    OptionalInt umask,
    OptionalInt threads,
    boolean accelerate,
    boolean debug) {

  /** What holds without {@code -o}. */
  public static MountOptions defaults() {
    return new MountOptions(
        OpenOptions.defaults().withWrite(WriteOptions.defaults()),
        WriteRules.defaults(),
        5,
        false,
        OptionalLong.empty(),
        OptionalLong.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        true,
        false);
  }

  /** Whether the image file itself is to be written. */
  boolean changesImage() {
    return image.write().map(WriteOptions::changesImage).orElse(false);
  }

  /**
   * Decodes option lists as {@code -o} gets them: {@code NAME[=VALUE]} separated by commas. A
   * backslash takes a comma or a backslash into a value.
   *
   * @throws MountOptionException when a name is unknown, a value malformed, or two options exclude
   *     each other
   */
  public static MountOptions parse(List<String> lists) throws MountOptionException {
    MountOptionParser parser = new MountOptionParser();
    for (String list : lists) {
      for (String option : split(list)) {
        parser.take(option);
      }
    }
    return parser.finish();
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
