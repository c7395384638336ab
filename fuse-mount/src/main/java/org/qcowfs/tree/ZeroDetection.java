package org.qcowfs.tree;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.qcowfs.image.ZeroMode;

/** What becomes of a write of nothing but zeros: written like any other, or noted as zeros. */
public enum ZeroDetection {
  /** Written. */
  OFF(null),
  /** Noted; space that the range has is kept for it. */
  ON(ZeroMode.KEEP),
  /** Noted; the space is given back. */
  UNMAP(ZeroMode.UNMAP);

  /** Below this, and off its multiples, looking costs more than it saves. */
  private static final int GRANULE_BYTES = 4096;

  private static final ByteBuffer ZEROS =
      ByteBuffer.allocateDirect(GRANULE_BYTES).asReadOnlyBuffer();

  private final @Nullable ZeroMode mode;

  ZeroDetection(@Nullable ZeroMode mode) {
    this.mode = mode;
  }

  /** The one of that name, as mount options know it; empty when there is none. */
  public static Optional<ZeroDetection> byName(String name) {
    return Arrays.stream(values())
        .filter(value -> value.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst();
  }

  /**
   * How the source's remaining bytes, to be written at the offset, are noted; empty where they are
   * to be written.
   */
  Optional<ZeroMode> modeFor(ByteBuffer source, long offset) {
    boolean looked = mode != null && (source.remaining() | offset) % GRANULE_BYTES == 0;
    return looked && source.hasRemaining() && isZero(source)
        ? Optional.ofNullable(mode)
        : Optional.empty();
  }

  /** The first long decides for most that is not zero. */
  private static boolean isZero(ByteBuffer source) {
    int start = source.position();
    if (source.getLong(start) != 0) {
      return false;
    }
    for (int at = start; at < source.limit(); at += GRANULE_BYTES) {
      if (ZEROS.mismatch(source.slice(at, GRANULE_BYTES)) >= 0) {
        return false;
      }
    }
    return true;
  }
}
