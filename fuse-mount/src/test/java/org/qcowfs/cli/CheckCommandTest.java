package org.qcowfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the command in this process; so no test of this class may run beside another. */
final class CheckCommandTest {
  private static final int CLUSTER_BYTES = 1 << 16;
  private static final int L1_TABLE = 3 * CLUSTER_BYTES;
  private static final int REFCOUNTS = 2 * CLUSTER_BYTES;

  @TempDir private Path directory;
  private final PrintStream standardOut = System.out;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private Path image = Path.of("");

  /** Header, refcount table, refcount block and L1 table of an empty disk of 1 GiB. */
  @BeforeEach
  void writeAnImage() throws IOException {
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    image = directory.resolve("disk.qcow2");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(4 * CLUSTER_BYTES);
      file.writeInt(0x514649fb);
      file.writeInt(2);
      file.seek(20);
      file.writeInt(16);
      file.writeLong(1 << 30);
      file.seek(36);
      file.writeInt(2);
      file.writeLong(L1_TABLE);
      file.writeLong(CLUSTER_BYTES);
      file.writeInt(1);
      file.seek(CLUSTER_BYTES);
      file.writeLong(REFCOUNTS);
      file.seek(REFCOUNTS);
      file.writeLong(0x0001_0001_0001_0001L);
    }
  }

  @AfterEach
  void restoreStandardOutput() {
    System.setOut(standardOut);
  }

  private void poke(long hostOffset, long word) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.seek(hostOffset);
      file.writeLong(word);
    }
  }

  private int run(String... args) {
    return CommandLineFrame.run(new PrintStream(err, true, StandardCharsets.UTF_8), args);
  }

  private String printed() {
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aCleanImageGivesExitCode0() {
    assertThat(run("check", image.toString())).isZero();
    assertThat(printed()).startsWith("No errors were found on the image.");
  }

  @Test
  void leaksGiveExitCode3UntilTheyAreRepaired() throws IOException {
    poke(REFCOUNTS, 0x0001_0001_0001_0002L);

    assertThat(run("check", image.toString())).isEqualTo(ExitCodes.LEAKS);
    assertThat(run("check", "-r", "leaks", image.toString())).isZero();
    assertThat(run("check", image.toString())).isZero();
    assertThat(printed()).contains("leak: Cluster at host offset 0x30000").contains("repair: ");
  }

  @Test
  void corruptionsGiveExitCode2UntilTheyAreRepaired() throws IOException {
    poke(L1_TABLE, (1L << 63) | (1 << 28));
    byte[] before = Files.readAllBytes(image);

    assertThat(run("check", image.toString())).isEqualTo(ExitCodes.CORRUPT);
    assertThat(Files.readAllBytes(image)).isEqualTo(before);
    assertThat(run("check", "-r", "all", image.toString())).isZero();
    assertThat(printed()).contains("entry 0 (guest offset 0x0)").contains("past the end");
  }

  @Test
  void theLastLinesSayWhatToDo() throws IOException {
    poke(REFCOUNTS, 0x0001_0001_0001_0002L);
    run("check", image.toString());

    assertThat(printed()).contains("1 cluster is taken by nothing: ").contains("-r leaks gives");
    out.reset();
    poke(REFCOUNTS, 0x0001_0001_0002_0002L);
    poke(L1_TABLE + 8, 512);
    run("check", image.toString());

    // -r leaks keeps leaks where tables are damaged.
    assertThat(printed())
        .contains("repair it with -r all.")
        .contains("2 clusters are taken by nothing: ")
        .contains("-r all gives it back.")
        .doesNotContain("-r leaks");
  }

  @Test
  void jsonHasTheFieldsOfQemu() throws IOException {
    poke(L1_TABLE, (1L << 63) | (1 << 28));

    assertThat(run("check", "--json", image.toString())).isEqualTo(ExitCodes.CORRUPT);
    assertThat(printed())
        .contains("\"image-end-offset\": 262144")
        .contains("\"check-errors\": 0")
        .contains("\"corruptions\": 2")
        .contains("\"guest-offset\": 0");
  }

  @Test
  void whatCannotBeCheckedGivesExitCode1AndOneLine() throws IOException {
    Path raw = Files.write(directory.resolve("disk.raw"), new byte[512]);

    assertThat(run("check", raw.toString())).isEqualTo(ExitCodes.FAILED);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .isEqualTo("qcowfs: " + raw + ": a raw image has no structure that could be checked\n");
  }

  @Test
  void wrongUsageIsNotTakenForACorruption() {
    assertThat(run("check", "-r", "some", image.toString())).isEqualTo(ExitCodes.FAILED);
    assertThat(run("check", "--gone", image.toString())).isEqualTo(ExitCodes.FAILED);
  }

  @Test
  void theProgressLineTellsTheTimeLeft() {
    assertThat(ProgressLine.line(1, 4, TimeUnit.SECONDS.toNanos(30)))
        .isEqualTo("checking [#######.......................]  25 %, 1:30 left ");
  }
}
