package org.qcowfs.session;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Where log lines go: to standard error, which is a daemon's log file. That file is kept below a
 * limit: past it, its contents move to a second file ({@code .1}) and it begins anew. It is emptied
 * in place, so what native code and the JVM print goes on landing in it.
 */
public final class LogStream extends OutputStream {
  private static final LogStream INSTANCE = new LogStream();
  private static final long MAX_BYTES = 1 << 20;

  private volatile @Nullable Path file;

  private LogStream() {}

  /** The log of this process. Closing it does nothing. */
  public static LogStream instance() {
    return INSTANCE;
  }

  /** Says that standard error is now that file. */
  void bound(Path value) {
    file = value;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
    System.err.write(bytes, offset, length);
    System.err.flush();
    Path current = file;
    if (current != null && Files.size(current) > MAX_BYTES) {
      beginAnew(current);
    }
  }

  private static void beginAnew(Path current) throws IOException {
    Path older = current.resolveSibling(current.getFileName() + ".1");
    Files.copy(current, older, StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel channel =
        FileChannel.open(current, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
      channel.truncate(0);
    }
  }
}
