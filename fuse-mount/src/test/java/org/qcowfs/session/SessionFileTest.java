package org.qcowfs.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SessionFileTest {
  private static final SessionRecord RECORD =
      new SessionRecord(
          42,
          4711,
          Path.of("/mnt/with space\nand=more\\"),
          Path.of("/img/é,ü.qcow2"),
          Optional.of(Path.of("/var/log/x.log")),
          Optional.empty());

  @TempDir private Path directory;

  @Test
  void aRecordSurvivesEncodingWhateverItsPathsHold() throws IOException {
    assertThat(SessionRecord.decode(RECORD.encode())).isEqualTo(RECORD);
    SessionRecord ended = RECORD.withOutcome("line one\nline two");
    assertThat(SessionRecord.decode(ended.encode())).isEqualTo(ended);
  }

  @Test
  void whatIsNotARecordIsRefused() {
    assertThatThrownBy(() -> SessionRecord.decode("pid=x")).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> SessionRecord.decode("")).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> SessionRecord.decode("pid=\\u12")).isInstanceOf(IOException.class);
  }

  @Test
  void aNewSessionRemovesTheFileOfADeadOne() throws IOException {
    Files.writeString(directory.resolve("0:41-7"), RECORD.encode());
    Files.writeString(directory.resolve("0:4-7"), RECORD.encode());

    try (SessionFile file = SessionFile.create(directory, "0:41", RECORD)) {
      assertThat(file.record()).isEqualTo(RECORD);
      assertThat(Files.readString(directory.resolve("0:41-42"))).contains("pid=42");
      assertThat(Files.getPosixFilePermissions(directory.resolve("0:41-42")))
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
      try (Stream<Path> files = Files.list(directory)) {
        assertThat(files)
            .containsExactlyInAnyOrder(directory.resolve("0:41-42"), directory.resolve("0:4-7"));
      }
    }
  }

  /** The kernel gives the device number of a mount to the next one while its process still ends. */
  @Test
  void aSessionThatEndsLeavesTheFileOfTheNextOneOnItsDevice() throws IOException {
    SessionRecord next =
        new SessionRecord(
            RECORD.pid() + 1,
            RECORD.startTime() + 1,
            RECORD.mountpoint(),
            RECORD.image(),
            RECORD.log(),
            Optional.empty());
    try (SessionFile ending = SessionFile.create(directory, "0:41", RECORD);
        SessionFile begun = SessionFile.create(directory, "0:41", next)) {
      ending.finish(SessionRecord.FLUSHED);

      assertThat(Files.readString(directory.resolve("0:41-43"))).contains("pid=43");
      assertThat(begun.record()).isEqualTo(next);
    }
  }

  @Test
  void anEndedSessionLeavesNoFileButItsOutcomeForWhoeverHadItOpen() throws IOException {
    try (SessionFile waiting = openedWhileTheSessionRan()) {
      assertThat(directory).isEmptyDirectory();
      assertThat(waiting.record().outcome()).isEmpty();
      assertThat(waiting.awaitEnd().outcome()).contains(SessionRecord.FLUSHED);
    }
  }

  private SessionFile openedWhileTheSessionRan() throws IOException {
    try (SessionFile session = SessionFile.create(directory, "0:41", RECORD)) {
      SessionFile waiting = SessionFile.open(directory.resolve("0:41-42")).orElseThrow();
      session.finish(SessionRecord.FLUSHED);
      return waiting;
    }
  }

  @Test
  void aStaleFileIsHeldByNobody() throws IOException {
    Files.writeString(directory.resolve("0:41"), RECORD.encode());

    try (SessionFile file = SessionFile.open(directory.resolve("0:41")).orElseThrow()) {
      assertThat(file.isHeld()).isFalse();
    }
  }

  @Test
  void anUnreadableFileIsNoRecord() throws IOException {
    Files.writeString(directory.resolve("0:41"), "half");

    assertThat(SessionFile.open(directory.resolve("0:41"))).isEmpty();
  }

  @Test
  void recordsAreLookedForWhereTheMountingUserKeepsThem() {
    assertThat(PrivateDirectory.recordDirectories(0, Map.of("XDG_RUNTIME_DIR", "/run/user/9")))
        .containsExactly(Path.of("/run/qcowfs"));
    assertThat(PrivateDirectory.recordDirectories(7, Map.of("XDG_RUNTIME_DIR", "/xdg")))
        .containsExactly(
            Path.of("/xdg/qcowfs"), Path.of("/run/user/7/qcowfs"), Path.of("/tmp/qcowfs-7"));
    assertThat(PrivateDirectory.recordDirectories(7, Map.of("XDG_RUNTIME_DIR", "relative")))
        .containsExactly(Path.of("/run/user/7/qcowfs"), Path.of("/tmp/qcowfs-7"));
  }

  @Test
  void aDirectoryThatOthersCanEnterOrThatIsALinkIsNotPrivate() throws IOException {
    HostUser user = HostUser.current();
    Path open = Files.createDirectory(directory.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-x---"));
    Path closed = Files.createDirectory(directory.resolve("closed"));
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), closed);

    assertThat(PrivateDirectory.isPrivate(closed, user.uid())).isTrue();
    assertThat(PrivateDirectory.isPrivate(closed, user.uid() + 1)).isFalse();
    assertThat(PrivateDirectory.isPrivate(open, user.uid())).isFalse();
    assertThat(PrivateDirectory.isPrivate(link, user.uid())).isFalse();
    assertThat(PrivateDirectory.isPrivate(directory.resolve("none"), user.uid())).isFalse();
  }
}
