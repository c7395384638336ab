package org.qcowfs.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The program that mounts and unmounts for users is there, may do so, and is new enough: before
 * 2.9.8, and in the third version before 3.2.5, a user could get round {@code user_allow_other}
 * with it (CVE-2018-10906).
 */
final class FusermountCheck implements Check {
  private static final String NAME = "fusermount";
  private static final List<String> DIRECTORIES =
      List.of("/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin", "/usr/local/sbin");
  private static final Pattern VERSION = Pattern.compile("version:? *(\\d+)\\.(\\d+)\\.(\\d+)");
  private static final int[] FIRST_SAFE_VERSION = {2, 9, 8};
  private static final int[] FIRST_SAFE_VERSION_3 = {3, 2, 5};
  private static final int SET_USER_ID = 04000;

  private final Host host;

  FusermountCheck(Host host) {
    this.host = host;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Finding examine() throws IOException {
    Optional<String> found = find("fusermount").or(() -> find("fusermount3"));
    if (found.isEmpty()) {
      return Finding.missing(NAME, "neither fusermount nor fusermount3 is installed", install());
    }
    String program = found.get();
    if (!host.isRootUser() && program.endsWith("3")) {
      return Finding.missing(
          NAME,
          program + " is installed, but libfuse 2 mounts for users through the name fusermount",
          host.asRoot(
              "ln -s %s %s".formatted(program, program.substring(0, program.length() - 1))));
    }
    if (!host.isRootUser() && !isSetUserId(host.path(program))) {
      return Finding.missing(
          NAME,
          program + " is not set-user-ID root, so users cannot mount",
          host.asRoot("chmod u+s " + program));
    }
    return judgeVersion(program);
  }

  private Finding judgeVersion(String program) {
    Optional<int[]> version =
        host.programs()
            .run(List.of(host.path(program).toString(), "-V"))
            .flatMap(FusermountCheck::parse);
    if (version.isEmpty()) {
      return Finding.warning(NAME, program + " does not tell its version", install());
    }
    int[] numbers = version.get();
    String detail = "%s, version %d.%d.%d".formatted(program, numbers[0], numbers[1], numbers[2]);
    int[] safe = numbers[0] == 3 ? FIRST_SAFE_VERSION_3 : FIRST_SAFE_VERSION;
    return Arrays.compare(numbers, safe) >= 0
        ? Finding.ok(NAME, detail)
        : Finding.warning(NAME, detail + ", has a known hole (CVE-2018-10906)", install());
  }

  private String install() {
    return host.install("fuse3", "the package that holds fusermount (fuse3, or fuse)");
  }

  private Optional<String> find(String name) {
    Stream<String> candidates = DIRECTORIES.stream().map(directory -> directory + "/" + name);
    return candidates.filter(candidate -> Files.isExecutable(host.path(candidate))).findFirst();
  }

  private static boolean isSetUserId(Path program) throws IOException {
    int owner = (Integer) Files.getAttribute(program, "unix:uid");
    int mode = (Integer) Files.getAttribute(program, "unix:mode");
    return owner == 0 && (mode & SET_USER_ID) != 0;
  }

  private static Optional<int[]> parse(String printed) {
    Matcher matcher = VERSION.matcher(printed);
    if (!matcher.find()) {
      return Optional.empty();
    }
    int[] numbers = new int[3];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = Integer.parseInt(matcher.group(i + 1));
    }
    return Optional.of(numbers);
  }
}
