package org.qcowfs.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Objects;

/** What a user reads of an exception: one line. */
final class ErrorMessages {
  private ErrorMessages() {}

  /** The message without the name of the program; may hold control characters of file names. */
  static String of(Throwable e) {
    if (e instanceof UncheckedIOException unchecked) {
      return of(unchecked.getCause());
    }
    if (e instanceof FileSystemException fileSystem) {
      return fileSystem.getFile() + ": " + reasonOf(fileSystem);
    }
    if (e instanceof IOException && e.getMessage() != null) {
      return e.getMessage();
    }
    if (e instanceof OutOfMemoryError) {
      return "out of memory; allow more with QCOWFS_JAVA_OPTS=-Xmx256m";
    }
    return "this is a defect of qcowfs, please report it with the output of --debug: " + e;
  }

  private static String reasonOf(FileSystemException e) {
    if (e instanceof NoSuchFileException) {
      return "no such file or directory";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileAlreadyExistsException) {
      return "exists already";
    }
    if (e instanceof DirectoryNotEmptyException) {
      return "the directory is not empty";
    }
    if (e instanceof NotDirectoryException) {
      return "is not a directory";
    }
    if (e instanceof FileSystemLoopException) {
      return "too many symbolic links";
    }
    return Objects.requireNonNullElse(e.getReason(), "the host refused it");
  }
}
