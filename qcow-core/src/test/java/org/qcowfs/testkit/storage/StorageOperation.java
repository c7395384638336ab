package org.qcowfs.testkit.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.storage.BlockStorage;

/**
 * One request to a {@link BlockStorage}.
 *
 * @param hostOffset where it starts, in bytes; for a resize, the new size; for a flush, its number
 * @param length how many bytes it is about; 0 for a resize or a flush
 * @param bytes what was written; empty for all that writes nothing
 */
public record StorageOperation(Kind kind, long hostOffset, long length, ByteBuffer bytes) {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0).asReadOnlyBuffer();

  /** What was asked for. */
  public enum Kind {
    /** A read. */
    READ,
    /** A write, from one buffer or from several. */
    WRITE,
    /** A flush to disk was asked for. */
    FLUSH,
    /** A flush to disk has returned; the number tells which. */
    FLUSH_DONE,
    /** A change of the file's size. */
    RESIZE,
    /** A hole was punched. */
    PUNCH_HOLE,
    /** A range was zeroed and kept. */
    ZERO_RANGE,
    /** Space was reserved. */
    ALLOCATE
  }

  static StorageOperation of(Kind kind, long hostOffset, long length) {
    return new StorageOperation(kind, hostOffset, length, NOTHING);
  }

  /** A write of a copy of what remains in the buffers. */
  static StorageOperation write(long hostOffset, ByteBuffer... sources) {
    int length = 0;
    for (ByteBuffer source : sources) {
      length += source.remaining();
    }
    ByteBuffer bytes = ByteBuffer.allocate(length);
    for (ByteBuffer source : sources) {
      bytes.put(source.duplicate());
    }
    return new StorageOperation(Kind.WRITE, hostOffset, length, bytes.flip().asReadOnlyBuffer());
  }

  /** Makes the same change elsewhere. A read and the end of a flush change nothing. */
  public void applyTo(BlockStorage storage) throws IOException {
    switch (kind) {
      case READ, FLUSH_DONE -> {}
      case WRITE -> storage.write(bytes.duplicate(), hostOffset);
      case FLUSH -> storage.flushToDisk();
      case RESIZE -> storage.resize(hostOffset);
      case PUNCH_HOLE -> storage.punchHole(hostOffset, length);
      case ZERO_RANGE -> storage.zeroRange(hostOffset, length);
      case ALLOCATE -> storage.allocate(hostOffset, length);
    }
  }

  @Override
  public String toString() {
    return switch (kind) {
      case FLUSH, FLUSH_DONE -> "%s %d".formatted(kind, hostOffset);
      case RESIZE -> "RESIZE to 0x%x".formatted(hostOffset);
      default -> "%s 0x%x+0x%x".formatted(kind, hostOffset, length);
    };
  }
}
