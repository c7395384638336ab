package org.qcowfs.compress;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Raw deflate (RFC 1951): compression type 0. */
public final class DeflateDecompressor implements ClusterDecompressor {
  private static final ThreadLocal<Inflater> INFLATER =
      ThreadLocal.withInitial(() -> new Inflater(true));

  @Override
  public int decompress(ByteBuffer input, ByteBuffer output) {
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
