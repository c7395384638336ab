package org.qcowfs.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.qcowfs.error.HostIoException;

final class HostFileWriteTest {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;
  private Path path;
  private HostFile file;

  @BeforeEach
  void openAnEmptyFile() throws IOException {
    path = Files.createFile(directory.resolve("image"));
    file = HostFile.openReadWrite(path);
  }

  @AfterEach
  void close() throws IOException {
    file.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aWriteLandsAtItsOffsetAndAdvancesThePosition(boolean direct) throws IOException {
    ByteBuffer source = filled(direct, 200_000);
    source.position(7);

    file.write(source, 1000);

    assertThat(source.remaining()).isZero();
    byte[] found = Files.readAllBytes(path);
    assertThat(found).hasSize(1000 + 200_000 - 7);
    assertThat(found[999]).isZero();
    for (int i = 7; i < 200_000; i++) {
      assertThat(found[1000 + i - 7]).isEqualTo((byte) (i * 31));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void gatheredSourcesBecomeOneRun(boolean direct) throws IOException {
    ByteBuffer[] sources = new ByteBuffer[700]; // more than one call takes
    for (int i = 0; i < sources.length; i++) {
      sources[i] = i % 3 == 0 ? ByteBuffer.allocateDirect(0) : filled(direct, i);
    }

    file.write(sources, 5);

    ByteBuffer found = ByteBuffer.wrap(Files.readAllBytes(path)).position(5);
    for (ByteBuffer source : sources) {
      assertThat(source.remaining()).isZero();
      assertThat(found.slice(found.position(), source.limit())).isEqualTo(source.flip());
      found.position(found.position() + source.limit());
    }
    assertThat(found.remaining()).isZero();
  }

  @Test
  void resizeCutsAndGrowsWithZeros() throws IOException {
    file.write(text("hello"), 0);

    file.resize(2);
    file.resize(4);

    assertThat(Files.readAllBytes(path)).containsExactly('h', 'e', 0, 0);
  }

  @Test
  void aPunchedHoleReadsAsZerosAndGivesItsSpaceBack() throws IOException {
    file.write(filled(true, MIB), 0);
    file.flushToDisk();
    long before = file.allocatedBytes();

    file.punchHole(4096 + 5, MIB);

    assertThat(file.size()).isEqualTo(MIB);
    assertThat(file.allocatedBytes()).isLessThan(before);
    byte[] found = Files.readAllBytes(path);
    assertThat(found[4096 + 4]).isEqualTo((byte) ((4096 + 4) * 31));
    assertZeros(found, 4096 + 5, MIB);
  }

  @Test
  void aZeroedRangeReadsAsZerosKeepsItsSpaceAndGrowsTheFile() throws IOException {
    file.write(filled(true, MIB), 0);

    file.zeroRange(MIB / 2 + 3, MIB);

    assertThat(file.size()).isEqualTo(MIB / 2 + 3 + MIB);
    assertThat(file.allocatedBytes()).isGreaterThanOrEqualTo(MIB / 2 + MIB);
    byte[] found = Files.readAllBytes(path);
    assertThat(found[MIB / 2 + 2]).isEqualTo((byte) ((MIB / 2 + 2) * 31));
    assertZeros(found, MIB / 2 + 3, found.length);
  }

  @Test
  void allocationReservesSpaceAndChangesNoByte() throws IOException {
    file.write(text("data"), 10);

    file.allocate(0, MIB);

    assertThat(file.allocatedBytes()).isGreaterThanOrEqualTo(MIB);
    byte[] found = Files.readAllBytes(path);
    assertThat(found).hasSize(MIB);
    assertThat(new String(found, 10, 4, StandardCharsets.UTF_8)).isEqualTo("data");
    assertZeros(found, 14, MIB);
  }

  @Test
  void aFileOpenForReadingOnlyRefusesEveryChange() throws IOException {
    try (HostFile readOnly = HostFile.openReadOnly(path)) {
      assertThat(readOnly.isWritable()).isFalse();
      assertThatThrownBy(() -> readOnly.write(text("x"), 0)).hasMessageContaining("reading only");
      assertThatThrownBy(() -> readOnly.resize(5)).hasMessageContaining("reading only");
      assertThatThrownBy(() -> readOnly.punchHole(0, 5)).hasMessageContaining("reading only");
      assertThatThrownBy(() -> readOnly.zeroRange(0, 5)).hasMessageContaining("reading only");
      assertThatThrownBy(() -> readOnly.allocate(0, 5)).hasMessageContaining("reading only");
    }
    assertThat(Files.size(path)).isZero();
  }

  @Test
  void aDirectoryIsNotAnImage() {
    assertThatThrownBy(() -> HostFile.openReadWrite(directory))
        .isInstanceOf(HostIoException.class)
        .hasMessage(directory + ": is a directory, not a disk image");
  }

  @Test
  void aFileTheHostProtectsIsRefusedWithTheWayOut() throws Exception {
    assumeTrue(chattr("+i"), "the file system cannot make a file immutable");
    try {
      assertThatThrownBy(() -> HostFile.openReadWrite(path))
          .asInstanceOf(type(HostIoException.class))
          .satisfies(e -> assertThat(e.errno()).isIn(Posix.EPERM, Posix.EACCES))
          .satisfies(e -> assertThat(e).hasMessageContaining("cannot be opened for writing"))
          .satisfies(e -> assertThat(e).hasMessageEndingWith("or only read the image"));
    } finally {
      chattr("-i");
    }
  }

  private boolean chattr(String flag) throws Exception {
    return new ProcessBuilder("chattr", flag, path.toString()).start().waitFor() == 0;
  }

  private static void assertZeros(byte[] bytes, int from, int to) {
    for (int i = from; i < to; i++) {
      assertThat(bytes[i]).as("byte at 0x%x", i).isZero();
    }
  }

  private static ByteBuffer text(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private static ByteBuffer filled(boolean direct, int bytes) {
    ByteBuffer buffer = direct ? ByteBuffer.allocateDirect(bytes) : ByteBuffer.allocate(bytes);
    for (int i = 0; i < bytes; i++) {
      buffer.put(i, (byte) (i * 31));
    }
    return buffer;
  }
}
