package org.qcowfs.image;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.ReferenceRefusedException;
import org.qcowfs.storage.HostFile;

/**
 * The gate for every host file that an image names. A file is looked at by its real path before it
 * is opened, and once more by what was really opened, so that a name that changes meanwhile gains
 * nothing.
 */
final class References {
  /** What QEMU would take for a protocol: a colon before any slash. */
  private static final Pattern PROTOCOL = Pattern.compile("[^/]*:.*", Pattern.DOTALL);

  private final ReferencePolicy policy;
  private final Optional<Path> trusted;
  private final Opener opener;

  /** How a file is opened once its name has passed. Tests change what the name means in between. */
  interface Opener {
    HostFile open(Path real, boolean writable) throws IOException;
  }

  /**
   * @param trusted the real path of a file that the user named, which may be referred to as well
   */
  References(ReferencePolicy policy, Optional<Path> trusted) {
    this(
        policy,
        trusted,
        (real, writable) -> writable ? HostFile.openReadWrite(real) : HostFile.openReadOnly(real));
  }

  References(ReferencePolicy policy, Optional<Path> trusted, Opener opener) {
    this.policy = policy;
    this.trusted = trusted;
    this.opener = opener;
  }

  private boolean isTrustedName(String name) {
    return trusted.isPresent() && trusted.get().toString().equals(name);
  }

  private boolean isTrusted(Path real) {
    return trusted.isPresent() && trusted.get().equals(real);
  }

  /**
   * Opens a file that an image names.
   *
   * @param image the image that names it
   * @param role what it is to the image: {@code backing file}, {@code data file}
   * @param name as stored in the image; relative to the image's directory
   * @param writable open it for writing too: the external data file of an image that is written
   * @throws ReferenceRefusedException when the policy does not allow it
   */
  HostFile open(HostFile image, String role, String name, boolean writable) throws IOException {
    if (policy.kind() == ReferencePolicy.Kind.NONE && !isTrustedName(name)) {
      throw new ReferenceRefusedException(
              "names '%s' as its %s, and references=none allows no second file; allow it with"
                      .formatted(name, role)
                  + " references=same-dir, or references=DIR")
          .in(image.name());
    }
    if (PROTOCOL.matcher(name).matches()) {
      throw new ReferenceRefusedException(
              "its %s '%s' is not a plain file name; json: and protocol names are never followed"
                  .formatted(role, name))
          .in(image.name());
    }
    Path real = realPath(image, role, name);
    checkAllowed(image, role, real);
    if (!Files.isRegularFile(real)) {
      throw notRegular(image, role, real);
    }
    HostFile file = opener.open(real, writable);
    try {
      if (!file.isRegularFile()) {
        throw notRegular(image, role, real);
      }
      checkAllowed(image, role, file.realPath());
      return file;
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  private static Path realPath(HostFile image, String role, String name) throws IOException {
    try {
      return image.directory().resolve(name).toRealPath();
    } catch (InvalidPathException e) {
      throw new CorruptImageException(
              "Header",
              0,
              "the name of its %s is not a file name: %s".formatted(role, e.getReason()))
          .in(image.name());
    } catch (NoSuchFileException e) {
      throw new ReferenceRefusedException("its %s '%s' does not exist".formatted(role, name))
          .in(image.name());
    } catch (FileSystemException e) {
      // Without a reason it is AccessDeniedException; the others say what the host said.
      String reason = e.getReason() == null ? "permission denied" : e.getReason();
      throw new ReferenceRefusedException(
              "its %s '%s' cannot be reached: %s".formatted(role, name, reason))
          .in(image.name());
    }
  }

  private void checkAllowed(HostFile image, String role, Path real) throws IOException {
    boolean allowed =
        switch (policy.kind()) {
          case NONE -> false;
          case ANY -> true;
          case SAME_DIRECTORY -> image.directory().equals(real.getParent());
          case DIRECTORIES -> isInAllowedDirectory(real);
        };
    if (!allowed && !isTrusted(real)) {
      throw new ReferenceRefusedException(
              "its %s '%s' lies outside %s; if you trust the image, allow it with references=%s"
                  .formatted(
                      role,
                      real,
                      policy.kind() == ReferencePolicy.Kind.DIRECTORIES
                          ? "the directories given by references="
                          : "the directory of the image",
                      real.getParent()))
          .in(image.name());
    }
  }

  private boolean isInAllowedDirectory(Path real) throws IOException {
    for (Path directory : policy.directories()) {
      if (Files.isDirectory(directory) && real.startsWith(directory.toRealPath())) {
        return true;
      }
    }
    return false;
  }

  private static ReferenceRefusedException notRegular(HostFile image, String role, Path real) {
    ReferenceRefusedException refused =
        new ReferenceRefusedException("its %s '%s' is not a regular file".formatted(role, real));
    refused.in(image.name());
    return refused;
  }
}
