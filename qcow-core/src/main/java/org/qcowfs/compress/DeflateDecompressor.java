package org.qcowfs.compress;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Raw deflate (RFC 1951): compression type 0. Quicker where the machine has libdeflate. */
public final class DeflateDecompressor implements ClusterDecompressor {
  private static final ThreadLocal<Inflater> INFLATER =
      ThreadLocal.withInitial(() -> new Inflater(true));

  private static final ThreadLocal<Optional<LibDeflate>> LIBDEFLATE =
      ThreadLocal.withInitial(LibDeflate::create);

  private final boolean quick;

  public DeflateDecompressor() {
    this(true);
  }

  /**
   * @param quick use libdeflate if it is there
   */
  DeflateDecompressor(boolean quick) {
    this.quick = quick;
  }

  @Override
  public int decompress(ByteBuffer input, ByteBuffer output) {
    int wanted = output.remaining();
    if (quick) {
      Optional<LibDeflate> libDeflate = LIBDEFLATE.get();
      if (libDeflate.isPresent() && libDeflate.get().decompress(input, output)) {
        return wanted;
      }
    }
    return inflate(input, output);
  }

  private static int inflate(ByteBuffer input, ByteBuffer output) {
    Inflater inflater = INFLATER.get();
    inflater.reset();
    inflater.setInput(input);
    int start = output.position();
    try {
      while (output.hasRemaining()) {
        if (inflater.inflate(output) == 0) {
          break;
        }
      }
    } catch (DataFormatException e) {
      return output.position() - start;
    }
    return output.position() - start;
  }
}
