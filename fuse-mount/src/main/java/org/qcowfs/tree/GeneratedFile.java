package org.qcowfs.tree;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.BufferedOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * A file whose contents are made when its size or a byte of it is first asked for, and then kept:
 * not in memory but in a temporary file without a name, which ends with this process however it
 * ends.
 */
final class GeneratedFile implements FileNode {
  /**
   * An image can describe a map many thousand times its own size; no host disk shall fill up with
   * it.
   */
  static final long MAX_BYTES = 1L << 30;

  /** Writes the contents, always the same ones. */
  @FunctionalInterface
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  private final Content content;
  private final Path directory;
  private final long maxBytes;

  @GuardedBy("this")
  private @Nullable FileChannel kept;

  @GuardedBy("this")
  private @Nullable TooLargeException tooLarge;

  /** Contents that are kept in the host's directory for temporary files. */
  GeneratedFile(Content content) {
    this(content, Path.of(System.getProperty("java.io.tmpdir")), MAX_BYTES);
  }

  GeneratedFile(Content content, Path directory, long maxBytes) {
    this.content = content;
    this.directory = directory;
    this.maxBytes = maxBytes;
  }

  @Override
  public long size() throws IOException {
    return contents().size();
  }

  @Override
  public long allocatedBytes() throws IOException {
    return size();
  }

  @Override
  public OpenFile open() throws IOException {
    contents();
    return new OpenContents();
  }

  /** Made anew when an interrupted reader has closed the channel. */
  private synchronized FileChannel contents() throws IOException {
    if (tooLarge != null) {
      throw tooLarge;
    }
    if (kept == null || !kept.isOpen()) {
      try {
        kept = generate();
      } catch (TooLargeException e) {
        tooLarge = e;
        throw e;
      }
    }
    return kept;
  }

  private FileChannel generate() throws IOException {
    FileChannel channel = openUnlinked();
    try {
      OutputStream out =
          new BufferedOutputStream(new LimitedOutput(Channels.newOutputStream(channel), maxBytes));
      content.writeTo(out);
      out.flush();
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private FileChannel openUnlinked() throws IOException {
    Path path = Files.createTempFile(directory, "qcowfs-", null);
    try {
      return FileChannel.open(
          path,
          StandardOpenOption.READ,
          StandardOpenOption.WRITE,
          StandardOpenOption.DELETE_ON_CLOSE);
    } catch (IOException e) {
      Files.deleteIfExists(path);
      throw e;
    }
  }

  private final class OpenContents implements OpenFile {
    @Override
    public int read(ByteBuffer destination, long offset) throws IOException {
      FileChannel channel = contents();
      int total = 0;
      while (destination.hasRemaining()) {
        int count = channel.read(destination, offset + total);
        if (count < 0) {
          break;
        }
        total += count;
      }
      return total;
    }

    @Override
    public void close() {
      // The contents are kept for the next reader.
    }
  }

  private static final class LimitedOutput extends FilterOutputStream {
    private final long maxBytes;
    private long written;

    LimitedOutput(OutputStream out, long maxBytes) {
      super(out);
      this.maxBytes = maxBytes;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      written += length;
      if (written > maxBytes) {
        throw new TooLargeException(maxBytes);
      }
      out.write(bytes, offset, length);
    }
  }

  /** Remembered, so that no second look costs as much as the first. */
  private static final class TooLargeException extends IOException {
    private static final long serialVersionUID = 1L;

    TooLargeException(long maxBytes) {
      super(
          "larger than %d bytes; ask the command line for it, which has no limit"
              .formatted(maxBytes));
    }
  }
}
