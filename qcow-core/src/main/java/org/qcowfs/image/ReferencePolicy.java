package org.qcowfs.image;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Which further host files (backing files, external data files) an image may name. The image is not
 * trusted: it could name any file of the user's.
 *
 * @param kind what is allowed
 * @param directories the trees that are allowed where the kind is {@link Kind#DIRECTORIES}
 */
public record ReferencePolicy(Kind kind, List<Path> directories) {
  /** What is allowed. */
  public enum Kind {
    /** Only regular files that lie in the very directory of the image that names them. */
    SAME_DIRECTORY,
    /** No second file. */
    NONE,
    /** Any regular file. */
    ANY,
    /** Only regular files in or below the given directories. */
    DIRECTORIES
  }

  public static ReferencePolicy sameDirectory() {
    return new ReferencePolicy(Kind.SAME_DIRECTORY, List.of());
  }

  /**
   * The policy of the mount option {@code references=}: {@code same-dir}, {@code none}, {@code any}
   * or directories.
   */
  public static ReferencePolicy parse(String text) {
    return switch (text) {
      case "same-dir" -> sameDirectory();
      case "none" -> new ReferencePolicy(Kind.NONE, List.of());
      case "any" -> new ReferencePolicy(Kind.ANY, List.of());
      default ->
          new ReferencePolicy(
              Kind.DIRECTORIES,
              // An empty part would be the working directory, which nobody has asked for.
              Arrays.stream(text.split(":"))
                  .filter(part -> !part.isEmpty())
                  .map(Path::of)
                  .toList());
    };
  }
}
