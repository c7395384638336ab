package org.qcowfs.doctor;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Objects;

/** The FUSE device is there and can be opened, which is tried: opening it changes nothing. */
final class FuseDeviceCheck implements Check {
  private static final String NAME = "FUSE device";
  private static final String DEVICE = "/dev/fuse";

  private final Host host;
  private final Trial trial;

  FuseDeviceCheck(Host host) {
    this(host, FuseDeviceCheck::openForBoth);
  }

  FuseDeviceCheck(Host host, Trial trial) {
    this.host = host;
    this.trial = trial;
  }

  /** Opens a file for reading and writing, and closes it. */
  @FunctionalInterface
  interface Trial {
    void open(Path file) throws IOException;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Finding examine() throws IOException {
    Path device = host.path(DEVICE);
    try {
      trial.open(device);
      return Finding.ok(
          NAME, "%s opens for reading and writing (mode %s)".formatted(DEVICE, mode(device)));
    } catch (NoSuchFileException e) {
      return Finding.missing(
          NAME,
          DEVICE + " does not exist",
          host.asRoot("modprobe fuse") + "   (a container: start it with --device " + DEVICE + ")");
    } catch (AccessDeniedException e) {
      return Finding.missing(
          NAME,
          "%s is not readable and writable for you (mode %s)".formatted(DEVICE, mode(device)),
          host.asRoot("chmod 0666 " + DEVICE));
    } catch (FileSystemException e) {
      return Finding.missing(
          NAME,
          "%s cannot be opened: %s"
              .formatted(DEVICE, Objects.requireNonNullElse(e.getReason(), "no reason given")),
          host.asRoot("modprobe fuse") + "   (a container: start it with --device " + DEVICE + ")");
    }
  }

  private static String mode(Path device) throws IOException {
    int mode = (Integer) Files.getAttribute(device, "unix:mode");
    return String.format(Locale.ROOT, "%04o", mode & 07777);
  }

  private static void openForBoth(Path file) throws IOException {
    FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE).close();
  }
}
