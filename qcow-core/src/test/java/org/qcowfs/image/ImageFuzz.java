package org.qcowfs.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;

/**
 * Fuzz target: the bytes are an image file, which is used as {@link HostileUse} does: read,
 * changed, checked and repaired.
 */
public final class ImageFuzz {
  private static final int ATTEMPTS = 5;

  private ImageFuzz() {}

  /** One case. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    use(data, file -> Files.write(file, data));
  }

  /** Makes the image of a case. */
  @FunctionalInterface
  interface Maker {
    Path writeTo(Path file) throws IOException;
  }

  /**
   * Does with an image everything that users do, each within its budget. Where code is loaded (and
   * made ready for the fuzzer), that costs more than any image: so what fails is tried again, until
   * that cannot be the reason any more.
   */
  static void use(byte[] data, Maker maker) throws IOException {
    CRC32 seed = new CRC32();
    seed.update(data);
    for (int attempt = 1; ; attempt++) {
      try {
        useOnce(maker, seed.getValue());
        return;
      } catch (AssertionError failure) {
        if (attempt == ATTEMPTS) {
          throw failure;
        }
      }
    }
  }

  private static void useOnce(Maker maker, long seed) throws IOException {
    Path file = maker.writeTo(FuzzDirectory.PATH.resolve("fuzz.qcow2"));
    HostileUse user = new HostileUse(file, seed);
    user.measured(HostileUse::read);
    user.measured(HostileUse::write);
    user.measured(HostileUse::check);
  }
}
