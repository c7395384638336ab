package org.qcowfs.session;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds who keeps a mount busy. Only reads {@code /proc} and {@code /sys}: nothing is asked of the
 * mount itself, whose daemon may not answer. Sees what this user may see; processes that end while
 * one looks are passed over.
 */
final class MountUsers {
  private static final Path PROC = Path.of("/proc");
  private static final Path BLOCK_DEVICES = Path.of("/sys/block");
  private static final int SHOWN = 5;

  private final MountEntry mount;
  private final MountTable table;

  MountUsers(MountEntry mount, MountTable table) {
    this.mount = mount;
    this.table = table;
  }

  /** One line that names the users, or says that none can be seen. */
  String describe() throws IOException {
    List<String> users = find();
    if (users.isEmpty()) {
      return "who uses it cannot be seen by this user";
    }
    String shown = String.join("; ", users.subList(0, Math.min(SHOWN, users.size())));
    return users.size() <= SHOWN ? shown : shown + "; and " + (users.size() - SHOWN) + " more";
  }

  List<String> find() throws IOException {
    List<String> users = new ArrayList<>();
    table.inside(mount).forEach(inner -> users.add("a mount at " + inner.mountpoint()));
    users.addAll(loopDevices());
    users.addAll(processes());
    return users;
  }

  private List<String> loopDevices() throws IOException {
    List<String> users = new ArrayList<>();
    if (!Files.isDirectory(BLOCK_DEVICES)) {
      return users;
    }
    try (DirectoryStream<Path> loops = Files.newDirectoryStream(BLOCK_DEVICES, "loop*")) {
      for (Path loop : loops) {
        String backing = firstLine(loop.resolve("loop/backing_file"));
        if (backing != null && lies(backing)) {
          users.add("/dev/" + loop.getFileName() + " (losetup -d lets go of it)");
        }
      }
    }
    return users;
  }

  private List<String> processes() throws IOException {
    List<String> users = new ArrayList<>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path process : processes) {
        usage(process).ifPresent(users::add);
      }
    }
    return users;
  }

  private Optional<String> usage(Path process) {
    long pid = Long.parseLong(process.getFileName().toString());
    if (pid == ProcessHandle.current().pid()) {
      return Optional.empty();
    }
    String how = howUsed(process);
    if (how == null) {
      return Optional.empty();
    }
    String name = HostProcess.of(pid).map(HostProcess::name).orElse("a process");
    return Optional.of("%s (pid %d) %s".formatted(name, pid, how));
  }

  private @Nullable String howUsed(Path process) {
    if (linksInside(process.resolve("cwd"))) {
      return "has its working directory there";
    }
    if (linksInside(process.resolve("root"))) {
      return "has its root directory there";
    }
    String open = openFile(process);
    if (open != null) {
      return "has " + open + " open";
    }
    return mapsFile(process) ? "has a file of it mapped" : null;
  }

  /**
   * By the mount's number: a file below the mount that was opened earlier may have the same path.
   */
  private @Nullable String openFile(Path process) {
    String wanted = "mnt_id:\t" + mount.id();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(process.resolve("fdinfo"))) {
      for (Path info : files) {
        if (lines(info).contains(wanted)) {
          Path link = process.resolve("fd").resolve(info.getFileName().toString());
          return Files.readSymbolicLink(link).toString();
        }
      }
    } catch (IOException e) {
      return null; // it has ended, or belongs to another user
    }
    return null;
  }

  private boolean mapsFile(Path process) {
    String[] device = mount.device().split(":", -1);
    String column =
        String.format(
            Locale.ROOT, " %02x:%02x ", Integer.parseInt(device[0]), Integer.parseInt(device[1]));
    return lines(process.resolve("maps")).stream().anyMatch(line -> line.contains(column));
  }

  private boolean linksInside(Path link) {
    try {
      return lies(Files.readSymbolicLink(link).toString());
    } catch (IOException e) {
      return false; // it has ended, or belongs to another user
    }
  }

  private boolean lies(String path) {
    String outer = mount.mountpoint().toString();
    return path.equals(outer) || path.startsWith(outer + "/");
  }

  private static @Nullable String firstLine(Path file) {
    List<String> lines = lines(file);
    return lines.isEmpty() ? null : lines.get(0);
  }

  private static List<String> lines(Path file) {
    try {
      String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
      // As in the mount table, names may hold other breaks.
      return text.isEmpty() ? List.of() : List.of(text.split("\n", -1));
    } catch (IOException e) {
      return List.of(); // gone, or belongs to another user
    }
  }
}
