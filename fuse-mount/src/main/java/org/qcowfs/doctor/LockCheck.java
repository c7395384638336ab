package org.qcowfs.doctor;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.qcowfs.image.ImageFormat;
import org.qcowfs.image.Images;
import org.qcowfs.image.OpenOptions;

/**
 * The file system of the images has the locks that keep two programs from changing one image. It is
 * tried on a small file that is removed again.
 */
final class LockCheck implements Check {
  private static final String NAME = "image locks";
  private static final int SECTOR_BYTES = 512;

  private final Path directory;
  private final Trial trial;

  LockCheck(Path directory) {
    this(directory, LockCheck::openAsImage);
  }

  LockCheck(Path directory, Trial trial) {
    this.directory = directory;
    this.trial = trial;
  }

  /** Locks a file as an image is locked, and unlocks it. */
  @FunctionalInterface
  interface Trial {
    void lock(Path file) throws IOException;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Finding examine() throws IOException {
    Path file;
    try {
      file = Files.createTempFile(directory, ".qcowfs-doctor", ".raw");
    } catch (AccessDeniedException e) {
      return notTried("not writable for you");
    } catch (FileSystemException e) {
      return notTried(String.valueOf(e.getReason()));
    }
    try {
      Files.write(file, new byte[SECTOR_BYTES]);
      return examine(file);
    } finally {
      Files.delete(file);
    }
  }

  private Finding examine(Path file) {
    try {
      trial.lock(file);
      return Finding.ok(NAME, "work in " + directory);
    } catch (IOException e) {
      return Finding.missing(
          NAME,
          "do not work in %s: %s".formatted(directory, e.getMessage()),
          "keep the images on a file system with locks, such as ext4 or xfs");
    } catch (LinkageError e) {
      return Finding.missing(
          NAME,
          "jffi's native library cannot be loaded: " + e.getMessage(),
          "where /tmp is mounted noexec, set QCOWFS_JAVA_OPTS=-Djava.io.tmpdir=DIRECTORY");
    }
  }

  private Finding notTried(String reason) {
    return Finding.warning(
        NAME,
        "not tried in %s: %s".formatted(directory, reason),
        "qcowfs doctor DIRECTORY, with a directory of images that you can write to");
  }

  private static void openAsImage(Path file) throws IOException {
    Images.open(file, OpenOptions.defaults().withFormat(ImageFormat.RAW)).close();
  }
}
