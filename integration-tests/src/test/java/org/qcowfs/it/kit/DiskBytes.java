package org.qcowfs.it.kit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.SplittableRandom;

/** Compares what disks hold. */
public final class DiskBytes {
  private static final int CHUNK = 1 << 20;

  private DiskBytes() {}

  /** Asserts that both files have the same size and the same bytes. */
  public static void assertSame(Path actual, Path expected) {
    try {
      assertThat(Files.size(actual)).as("size of %s", actual).isEqualTo(Files.size(expected));
      assertSameUpTo(actual, expected, Files.size(expected));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Asserts that the first bytes of both files are the same. */
  public static void assertSameUpTo(Path actual, Path expected, long size) {
    try (FileChannel ours = FileChannel.open(actual);
        FileChannel theirs = FileChannel.open(expected)) {
      ByteBuffer read = ByteBuffer.allocateDirect(CHUNK);
      ByteBuffer wanted = ByteBuffer.allocateDirect(CHUNK);
      for (long offset = 0; offset < size; offset += CHUNK) {
        int length = (int) Math.min(CHUNK, size - offset);
        fill(ours, read.clear().limit(length), offset);
        fill(theirs, wanted.clear().limit(length), offset);
        assertEqual(actual, read.flip(), wanted.flip(), offset);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Asserts that ranges of any length and alignment, chosen by the seed, are the same. */
  public static void assertSameAtRandom(Path actual, Path expected, SplittableRandom random) {
    try (FileChannel ours = FileChannel.open(actual);
        FileChannel theirs = FileChannel.open(expected)) {
      long size = theirs.size();
      for (int i = 0; i < 16; i++) {
        long offset = random.nextLong(size);
        int length = (int) Math.min(1L << random.nextInt(18), size - offset);
        ByteBuffer read = fill(ours, ByteBuffer.allocate(length), offset);
        ByteBuffer wanted = fill(theirs, ByteBuffer.allocate(length), offset);
        assertEqual(actual, read.flip(), wanted.flip(), offset);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Asserts that the bytes at an offset of a file are those. */
  public static void assertHolds(Path actual, long offset, byte[] expected) {
    assertEqual(
        actual,
        ByteBuffer.wrap(read(actual, offset, expected.length)),
        ByteBuffer.wrap(expected),
        offset);
  }

  /** Reads that many bytes, which must be there. */
  public static byte[] read(Path file, long offset, int length) {
    try (FileChannel channel = FileChannel.open(file)) {
      return fill(channel, ByteBuffer.allocate(length), offset).array();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Fills the buffer up to its limit; a file that ends before is an error. */
  public static ByteBuffer fill(FileChannel file, ByteBuffer buffer, long offset)
      throws IOException {
    long at = offset;
    while (buffer.hasRemaining()) {
      int read = file.read(buffer, at);
      if (read < 0) {
        throw new IOException("file ends at 0x%x, before 0x%x".formatted(file.size(), at));
      }
      at += read;
    }
    return buffer;
  }

  /** Asserts equality and names the first differing byte by its offset in the file. */
  public static void assertEqual(Path what, ByteBuffer actual, ByteBuffer expected, long offset) {
    int mismatch = actual.mismatch(expected);
    if (mismatch >= 0) {
      throw new AssertionError(
          "%s differs first at offset 0x%x (read from 0x%x, %d bytes)"
              .formatted(what, offset + mismatch, offset, expected.remaining()));
    }
  }

  /** The SHA-256 of a file in hexadecimal digits. */
  public static String sha256(Path file) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
