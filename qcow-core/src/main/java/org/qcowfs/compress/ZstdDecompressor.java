package org.qcowfs.compress;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;

/** Zstandard (RFC 8878): compression type 1. The library is loaded by the first cluster. */
public final class ZstdDecompressor implements ClusterDecompressor {
  private static final ThreadLocal<ZstdDecompressCtx> CONTEXT =
      ThreadLocal.withInitial(ZstdDecompressCtx::new);

  @Override
  public int decompress(ByteBuffer input, ByteBuffer output) {
    ZstdDecompressCtx context = CONTEXT.get();
    context.reset();
    int start = output.position();
    try {
      boolean frameEnded = false;
      while (output.hasRemaining() && input.hasRemaining() && !frameEnded) {
        int before = input.position() + output.position();
        frameEnded = context.decompressDirectByteBufferStream(output, input);
        if (input.position() + output.position() == before) {
          break;
        }
      }
    } catch (ZstdException e) {
      return output.position() - start;
    }
    return output.position() - start;
  }
}
