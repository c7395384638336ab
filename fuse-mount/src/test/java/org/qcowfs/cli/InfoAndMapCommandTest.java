package org.qcowfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the commands in this process; so no test of this class may run beside another. */
final class InfoAndMapCommandTest {
  @TempDir private Path directory;
  private final PrintStream standardOut = System.out;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private String image = "";

  @BeforeEach
  void writeARawImage() throws IOException {
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    Path file = directory.resolve("disk.raw");
    Files.write(file, new byte[] {1, 2, 3});
    image = file.toString();
  }

  @AfterEach
  void restoreStandardOutput() {
    System.setOut(standardOut);
  }

  private int run(String... args) {
    return CommandLineFrame.run(new PrintStream(err, true, StandardCharsets.UTF_8), args);
  }

  private String printed() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private String complaint() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void infoIsForPeopleUnlessJsonIsAskedFor() {
    assertThat(run("info", image)).isZero();
    assertThat(printed()).startsWith("image: " + image).contains("virtual size: 3 B (3 bytes)");
  }

  @Test
  void infoPrintsJson() {
    assertThat(run("info", "--json", image)).isZero();
    assertThat(printed()).startsWith("{\n    \"virtual-size\": 512,");
  }

  @Test
  void infoPrintsAChainAsAnArray() {
    assertThat(run("info", "--json", "--backing-chain", image)).isZero();
    assertThat(printed()).startsWith("[\n    {\n        \"virtual-size\": 512,");
  }

  @Test
  void mapPrintsTheWantedPart() {
    assertThat(run("map", "--json", "-f", "raw", "--start-offset=1", "--max-length=1", image))
        .isZero();
    assertThat(printed())
        .isEqualTo(
            """
            [{ "start": 1, "length": 1, "depth": 0, "present": true, "zero": false, "data": true, "offset": 1}]
            """);
  }

  @Test
  void anUnknownFormatIsWrongUsage() {
    assertThat(run("map", "-f", "vmdk", image)).isEqualTo(ExitCodes.WRONG_USAGE);
    assertThat(complaint()).contains("'vmdk' is not qcow2 or raw").hasLineCount(1);
  }

  @Test
  void aSnapshotThatIsNotThereIsAFailure() {
    assertThat(run("map", "--snapshot", "gone", image)).isEqualTo(ExitCodes.FAILED);
    assertThat(complaint()).contains("gone").contains(image).hasLineCount(1);
  }

  @Test
  void aFileThatIsNotThereIsAFailureThatNamesIt() {
    assertThat(run("info", image + ".gone")).isEqualTo(ExitCodes.FAILED);
    assertThat(complaint()).contains(image + ".gone").hasLineCount(1);
    assertThat(printed()).isEmpty();
  }

  @Test
  void outputThatCannotBeWrittenIsAFailure() {
    System.setOut(
        new PrintStream(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                throw new IOException("full");
              }
            }));
    assertThat(run("info", image)).isEqualTo(ExitCodes.FAILED);
    assertThat(complaint()).contains("standard output cannot be written");
  }
}
