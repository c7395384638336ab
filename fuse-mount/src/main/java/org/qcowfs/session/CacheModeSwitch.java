package org.qcowfs.session;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.qcowfs.image.CacheMode;
import org.qcowfs.tree.ImageTree;

/**
 * The cache mode of a live mount, by way of the extended attribute of its disk: what {@code
 * getfattr} and {@code setfattr} do too.
 */
public final class CacheModeSwitch {
  /** The modes that there are, for messages. */
  static final String NAMES =
      Arrays.stream(CacheMode.values()).map(CacheMode::modeName).collect(Collectors.joining(", "));

  /** Java leaves out what begins every such name. */
  private static final String ATTRIBUTE = ImageTree.CACHE_ATTRIBUTE.substring("user.".length());

  private final Path mountpoint;
  private final UserDefinedFileAttributeView attributes;

  private CacheModeSwitch(Path mountpoint, UserDefinedFileAttributeView attributes) {
    this.mountpoint = mountpoint;
    this.attributes = attributes;
  }

  /**
   * Finds a mount's disk.
   *
   * @throws IOException when none of our mounts is there, or it can only be read
   */
  public static CacheModeSwitch of(Path mountpoint) throws IOException {
    MountTable table = MountTable.read();
    boolean ours =
        table.at(MountPath.resolve(mountpoint, table)).filter(MountEntry::isOurs).isPresent();
    if (!ours) {
      throw new IOException(
          mountpoint + ": no image is mounted there; name the directory or file of a mount");
    }
    Path disk = Files.isDirectory(mountpoint) ? mountpoint.resolve(ImageTree.DISK) : mountpoint;
    UserDefinedFileAttributeView attributes =
        Files.getFileAttributeView(disk, UserDefinedFileAttributeView.class);
    if (!attributes.list().contains(ATTRIBUTE)) {
      throw new IOException(
          mountpoint + ": is mounted read-only and so has no cache mode; mount it without ro");
    }
    return new CacheModeSwitch(mountpoint, attributes);
  }

  /** The name of the mode in force. */
  public String mode() throws IOException {
    ByteBuffer value = ByteBuffer.allocate(attributes.size(ATTRIBUTE));
    attributes.read(ATTRIBUTE, value);
    String name = StandardCharsets.UTF_8.decode(value.flip()).toString();
    if (CacheMode.byName(name).isEmpty()) {
      throw new IOException(
          mountpoint + ": its daemon names no cache mode that there is; another program serves it");
    }
    return name;
  }

  /**
   * Switches to another mode.
   *
   * @param name one that {@link #checkName} lets pass
   * @throws IOException when the mount cannot; the message says why
   */
  public void switchTo(String name) throws IOException {
    try {
      attributes.write(ATTRIBUTE, ByteBuffer.wrap(name.getBytes(StandardCharsets.UTF_8)));
    } catch (FileSystemException e) {
      throw new IOException(
          "%s: the switch to %s failed: %s; its log says more, and the mode now is %s"
              .formatted(mountpoint, name, hostsWords(e), mode()),
          e);
    }
  }

  /** Behind what Java says it has tried. */
  private static String hostsWords(FileSystemException e) {
    String reason = String.valueOf(e.getReason());
    return reason.substring(reason.lastIndexOf(": ") + 1).strip();
  }

  /**
   * Checks a name that a user gave.
   *
   * @throws IllegalArgumentException when there is no such mode
   */
  public static void checkName(String name) {
    if (CacheMode.byName(name).isEmpty()) {
      throw new IllegalArgumentException(
          "unknown cache mode '%s'; known are %s".formatted(name, NAMES));
    }
  }
}
