package org.qcowfs.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The machine that is examined, and the user as whom.
 *
 * @param root what stands for {@code /}
 * @param uid effective user ID
 * @param environment the environment variables
 * @param programs what can be run there
 */
record Host(Path root, long uid, Map<String, String> environment, Programs programs) {
  static Host current() throws IOException {
    int uid = (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    return new Host(
        Path.of("/"), Integer.toUnsignedLong(uid), System.getenv(), Programs.ofThisHost());
  }

  boolean isRootUser() {
    return uid == 0;
  }

  /** The place of a file that is named by its absolute path. */
  Path path(String absolute) {
    return root.resolve(absolute.substring(1));
  }

  /** The lines of a small text file; none where it cannot be read. */
  List<String> lines(String absolute) {
    try {
      return Files.readAllLines(path(absolute));
    } catch (IOException e) {
      return List.of(); // absent, or hidden from this user: then it tells nothing
    }
  }

  /** The command as this user must type it for it to run as root. */
  String asRoot(String command) {
    return isRootUser() ? command : "sudo " + command;
  }

  /**
   * The command that installs a package.
   *
   * @param namePattern regular expression for its name where apt is the package manager
   * @param elsewhere what other distributions call it
   */
  String install(String namePattern, String elsewhere) {
    Optional<String> name =
        programs
            .run(List.of("apt-cache", "search", "--names-only", "^" + namePattern + "$"))
            .flatMap(printed -> printed.lines().findFirst())
            .map(line -> line.split(" ", 2)[0])
            .filter(word -> !word.isEmpty());
    return name.map(known -> asRoot("apt-get install " + known)).orElse("install " + elsewhere);
  }
}
