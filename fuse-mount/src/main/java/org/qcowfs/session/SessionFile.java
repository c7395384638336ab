package org.qcowfs.session;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The file that holds a {@link SessionRecord}, named by the device number of the mount and by the
 * process that serves it: the kernel gives the number to the next mount while that process may
 * still be about to remove its file. The session keeps the file locked until its process ends, so
 * whoever wants to wait for that waits for the lock: the kernel lets go of it whatever way the
 * process ends. A file that nobody has locked is stale.
 *
 * <p>The lock is a POSIX one. It is given up when the process closes any channel to the same file,
 * so a session never opens its own file again.
 */
final class SessionFile implements Closeable {
  private static final int MAX_BYTES = 64 << 10;
  private static final String SEPARATOR = "-";

  private final Path path;
  private final FileChannel channel;
  private final SessionRecord record;

  private SessionFile(Path path, FileChannel channel, SessionRecord record) {
    this.path = path;
    this.channel = channel;
    this.record = record;
  }

  /** Writes and locks the file of a new session, and removes what dead ones left for the device. */
  static SessionFile create(Path directory, String device, SessionRecord record)
      throws IOException {
    removeStale(directory, device);
    Path path = directory.resolve(device + SEPARATOR + record.pid());
    Path unfinished = directory.resolve("new." + path.getFileName());
    FileChannel channel =
        FileChannel.open(
            unfinished,
            Set.of(
                StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      channel.lock();
      SessionFile file = new SessionFile(path, channel, record);
      file.write(record);
      Files.move(unfinished, path, StandardCopyOption.ATOMIC_MOVE);
      return file;
    } catch (IOException | RuntimeException e) {
      channel.close();
      Files.deleteIfExists(unfinished);
      throw e;
    }
  }

  /**
   * Opens the record of the session that serves a mount; empty when there is none that is to be
   * trusted.
   */
  static Optional<SessionFile> find(
      MountEntry mount, HostUser user, Map<String, String> environment) throws IOException {
    long owner = mount.mountingUser().orElse(user.uid());
    Map<String, String> known = owner == user.uid() ? environment : Map.of();
    for (Path directory : PrivateDirectory.recordDirectories(owner, known)) {
      if (PrivateDirectory.isPrivate(directory, owner)) {
        Optional<SessionFile> file = newestAt(mount, pathsOf(directory, mount.device()));
        if (file.isPresent()) {
          return file;
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Of several, the one that mounted where the mount is now; else, as it may have been moved, the
   * one that mounted last.
   */
  private static Optional<SessionFile> newestAt(MountEntry mount, List<Path> paths)
      throws IOException {
    Comparator<SessionRecord> likeliest =
        Comparator.<SessionRecord, Boolean>comparing(
                record -> record.mountpoint().equals(mount.mountpoint()))
            .thenComparingLong(SessionRecord::startTime);
    SessionFile best = null;
    for (Path path : paths) {
      SessionFile file = open(path).orElse(null);
      if (file == null) {
        continue;
      }
      boolean better = best == null || likeliest.compare(file.record, best.record) > 0;
      SessionFile worse = better ? best : file;
      best = better ? file : best;
      if (worse != null) {
        worse.close();
      }
    }
    return Optional.ofNullable(best);
  }

  private static List<Path> pathsOf(Path directory, String device) throws IOException {
    try (Stream<Path> paths = Files.list(directory)) {
      return paths
          .filter(path -> String.valueOf(path.getFileName()).startsWith(device + SEPARATOR))
          .filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))
          .toList();
    }
  }

  private static void removeStale(Path directory, String device) throws IOException {
    for (Path path : pathsOf(directory, device)) {
      Optional<SessionFile> found = open(path);
      if (found.isPresent()) {
        try (SessionFile file = found.get()) {
          if (!file.isHeld()) {
            file.removeStale();
          }
        }
      }
    }
  }

  static Optional<SessionFile> open(Path path) throws IOException {
    FileChannel channel;
    try {
      channel = FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException e) {
      return Optional.empty(); // its session has just ended
    }
    try {
      return Optional.of(new SessionFile(path, channel, read(channel)));
    } catch (IOException e) {
      channel.close();
      return Optional.empty(); // half written by a session that died, or not ours: no record
    }
  }

  SessionRecord record() {
    return record;
  }

  /** Whether the session's process still lives. */
  boolean isHeld() throws IOException {
    try (var lock = channel.tryLock(0, Long.MAX_VALUE, true)) {
      return lock == null;
    } catch (OverlappingFileLockException e) {
      return true; // by this very process
    }
  }

  /** Waits until the session's process has ended, and returns what it wrote last. */
  SessionRecord awaitEnd() throws IOException {
    FileLock lock = channel.lock(0, Long.MAX_VALUE, true);
    try {
      return read(channel);
    } finally {
      lock.release();
    }
  }

  /**
   * Tells whoever waits how the session ended, and removes the file. The lock stays to the very
   * end.
   */
  void finish(String outcome) throws IOException {
    write(record.withOutcome(outcome));
    Files.deleteIfExists(path);
  }

  /** Removes the file of a session that died. */
  void removeStale() throws IOException {
    Files.deleteIfExists(path);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private void write(SessionRecord value) throws IOException {
    ByteBuffer text = ByteBuffer.wrap(value.encode().getBytes(StandardCharsets.UTF_8));
    channel.truncate(0);
    channel.position(0);
    while (text.hasRemaining()) {
      channel.write(text);
    }
  }

  private static SessionRecord read(FileChannel channel) throws IOException {
    ByteBuffer text = ByteBuffer.allocate((int) Math.min(channel.size(), MAX_BYTES));
    int count;
    do {
      count = channel.read(text, text.position());
    } while (count > 0 && text.hasRemaining());
    return SessionRecord.decode(
        new String(text.array(), 0, text.position(), StandardCharsets.UTF_8));
  }
}
