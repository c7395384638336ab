package org.qcowfs.doctor;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The shared library of libfuse 2 lies where the linker looks for it. */
final class LibfuseCheck implements Check {
  private static final String NAME = "libfuse 2";
  private static final String LIBRARY = "libfuse.so.2";
  private static final List<String> DIRECTORIES =
      List.of("/lib", "/usr/lib", "/usr/local/lib", "/lib64", "/usr/lib64", "/usr/local/lib64");

  private final Host host;

  LibfuseCheck(Host host) {
    this.host = host;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Finding examine() throws IOException {
    Optional<Path> found = find();
    if (found.isPresent()) {
      return Finding.ok(NAME, "/" + host.root().relativize(found.get()));
    }
    return Finding.missing(
        NAME,
        LIBRARY + " is not installed",
        host.install(
            "libfuse2(t64)?",
            "the package that holds " + LIBRARY + " (fuse-libs, fuse2, libfuse2)"));
  }

  private Optional<Path> find() throws IOException {
    for (Path directory : searched()) {
      Path candidate = directory.resolve(LIBRARY);
      if (Files.exists(candidate)) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }

  /** The library directories, and those below them that Debian names after the kind of machine. */
  private List<Path> searched() throws IOException {
    List<Path> searched = new ArrayList<>();
    for (String name : DIRECTORIES) {
      Path directory = host.path(name);
      searched.add(directory);
      if (Files.isDirectory(directory)) {
        try (DirectoryStream<Path> below = Files.newDirectoryStream(directory, "*-linux-*")) {
          below.forEach(searched::add);
        }
      }
    }
    return searched;
  }
}
