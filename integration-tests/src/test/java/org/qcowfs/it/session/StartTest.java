package org.qcowfs.it.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.Checkout;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.CommandResult;
import org.qcowfs.it.kit.SmallImage;
import org.qcowfs.it.kit.TestDirectory;

/** The archive of classes that makes a start quick, and that must never be in its way. */
final class StartTest {
  private static final Path LAUNCHER = Checkout.root().resolve("packaging/qcowfs");

  private final Path directory = TestDirectory.create("start");
  private final Path image = SmallImage.create(directory.resolve("vm.qcow2"));

  @AfterEach
  void removeFiles() {
    TestDirectory.delete(directory);
  }

  @Test
  void theClassesComeFromTheArchiveThatTheBuildMakes() throws IOException {
    assertThat(loaded(LAUNCHER, "org.qcowfs.cli.Main")).contains("shared objects file");
  }

  /** A lambda of one of its interfaces would keep that, and all that extend it, out of it. */
  @Test
  void soDoAllOfTheCommandLinesClasses() throws IOException {
    assertThat(loaded(LAUNCHER))
        .filteredOn(line -> line.contains(" picocli.") || line.contains(".cli."))
        .hasSizeGreaterThan(100)
        .allMatch(line -> line.contains("shared objects file"));
  }

  @Test
  void noAnnotationIsReadForAShortCommand() throws IOException {
    assertThat(loaded(LAUNCHER)).noneMatch(line -> line.contains("__dynamic_proxy__"));
  }

  @Test
  void anArchiveOfOtherJarsIsIgnoredInSilence() throws IOException {
    Path launcher = copyOfProgram();
    CommandResult result = Command.of(launcher, "info", image).run().succeeded();

    assertThat(result.stderr()).isEmpty();
    assertThat(result.stdout()).startsWith("image: ");
    assertThat(loaded(launcher, "org.qcowfs.cli.Main")).contains("fuse-mount");
  }

  @Test
  void anArchiveThatIsNoneIsIgnoredInSilence() throws IOException {
    Path launcher = copyOfProgram();
    Path archive = onlyFile(launcher.resolveSibling("target/lib"), "classes-*.jsa");
    Files.delete(archive);
    Files.writeString(archive, "no archive");
    CommandResult result = Command.of(launcher, "info", image).run().succeeded();

    assertThat(result.stderr()).isEmpty();
    assertThat(result.stdout()).startsWith("image: ");
  }

  /** Its jars lie elsewhere, so the archive that comes with them is that of others. */
  private Path copyOfProgram() throws IOException {
    Path packaging = Files.createDirectories(directory.resolve("packaging/target"));
    Command.of("cp", "-r", LAUNCHER.resolveSibling("target/lib"), packaging).run().succeeded();
    Path copy = directory.resolve("packaging/qcowfs");
    Command.of("cp", LAUNCHER, copy).run().succeeded();
    return copy;
  }

  /** What the JVM says of where a class came from. */
  private String loaded(Path launcher, String name) throws IOException {
    return loaded(launcher).stream()
        .filter(line -> line.contains(" " + name + " "))
        .findFirst()
        .orElseThrow();
  }

  private List<String> loaded(Path launcher) throws IOException {
    Path log = directory.resolve("classes.log");
    Command.of(launcher, "info", image)
        .env("QCOWFS_JAVA_OPTS", "-Xlog:class+load:file=" + log)
        .run()
        .succeeded();
    return Files.readAllLines(log);
  }

  private static Path onlyFile(Path directory, String glob) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, glob)) {
      return files.iterator().next();
    }
  }
}
