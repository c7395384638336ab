package org.qcowfs.tree;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.BufferedOutputStream;
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
 * ends. Whoever opens the file after the disk has changed gets new contents; who has it open
 * already goes on with those of then.
 */
final class GeneratedFile implements FileNode {
  /**
   * An image can describe a map many thousand times its own size; no host disk shall fill up with
   * it.
   */
  static final long MAX_BYTES = 1L << 30;

  /** Writes the contents, always the same ones as long as the disk does not change. */
  @FunctionalInterface
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  private final Content content;
  private final Changes changes;
  private final Path directory;
  private final long maxBytes;

  @GuardedBy("this")
  private @Nullable Contents kept;

  @GuardedBy("this")
  private @Nullable ContentTooLargeException tooLarge;

  /** What the disk was like that was {@link #tooLarge} to describe. */
  @GuardedBy("this")
  private long tooLargeAtChange;

  /** Contents that are kept in the host's directory for temporary files. */
  GeneratedFile(Content content, Changes changes) {
    this(content, changes, Path.of(System.getProperty("java.io.tmpdir")), MAX_BYTES);
  }

  GeneratedFile(Content content, Changes changes, Path directory, long maxBytes) {
    this.content = content;
    this.changes = changes;
    this.directory = directory;
    this.maxBytes = maxBytes;
  }

  /** Contents of one moment. Guarded by the file, but for reads of the channel. */
  private static final class Contents {
    final FileChannel channel;
    final long change;

    /** The file that keeps them, and the handles that read them. */
    int users;

    Contents(FileChannel channel, long change) {
      this.channel = channel;
      this.change = change;
    }
  }

  /** Of the contents made last: looking at a changing file again and again makes none. */
  @Override
  public synchronized long size() throws IOException {
    return latest(false).channel.size();
  }

  @Override
  public long allocatedBytes() throws IOException {
    return size();
  }

  @Override
  public boolean mayBeCached() {
    return changes == Changes.NONE;
  }

  @Override
  public synchronized OpenFile open() throws IOException {
    return new OpenContents(acquire());
  }

  private synchronized Contents acquire() throws IOException {
    Contents contents = latest(true);
    contents.users++;
    return contents;
  }

  private synchronized void release(Contents contents) throws IOException {
    contents.users--;
    if (contents.users == 0) {
      contents.channel.close();
    }
  }

  /** Made anew when an interrupted reader has closed the channel. */
  private synchronized Contents latest(boolean current) throws IOException {
    long change = changes.count();
    Contents known = kept;
    if (known != null && known.channel.isOpen() && (!current || known.change == change)) {
      return known;
    }
    if (tooLarge != null && tooLargeAtChange == change) {
      throw tooLarge;
    }
    try {
      Contents made = new Contents(generate(), change);
      made.users++;
      kept = made;
      tooLarge = null;
      if (known != null) {
        release(known);
      }
      return made;
    } catch (ContentTooLargeException e) {
      tooLarge = e;
      tooLargeAtChange = change;
      throw e;
    }
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
    private volatile Contents contents;

    OpenContents(Contents contents) {
      this.contents = contents;
    }

    @Override
    public int read(ByteBuffer destination, long offset) throws IOException {
      FileChannel channel = channel();
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
    public long size() throws IOException {
      return channel().size();
    }

    private FileChannel channel() throws IOException {
      synchronized (GeneratedFile.this) {
        if (!contents.channel.isOpen()) {
          Contents closed = contents;
          contents = acquire();
          release(closed);
        }
        return contents.channel;
      }
    }

    @Override
    public void close() throws IOException {
      release(contents);
    }
  }
}
