package org.qcowfs.fuse;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * A line for the log that is said where not even logging works any more, as with the heap
 * exhausted. It is made beforehand, and goes to standard error, which is a daemon's log file.
 *
 * <p>Thread-safe.
 */
public final class LastWords {
  private final byte[] line =
      ("qcowfs: a request failed, and there was no memory left to say more (OutOfMemoryError);"
              + " unmount, and give Java more memory, as with QCOWFS_JAVA_OPTS=-Xmx128m\n")
          .getBytes(StandardCharsets.UTF_8);

  private final FileOutputStream standardError = new FileOutputStream(FileDescriptor.err);

  /** Says them. Takes no memory and throws nothing. */
  public void say() {
    try {
      standardError.write(line);
    } catch (IOException | Error e) {
      return; // there is nobody left to tell
    }
  }
}
