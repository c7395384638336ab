package org.qcowfs.compress;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;

/**
 * Zstandard (RFC 8878): compression type 1. The library is loaded by the first cluster.
 *
 * <p>Frames are decompressed whole, straight into the output. Streaming would allocate the window
 * that a frame asks for, and an image can ask for 128 MiB a thread.
 */
public final class ZstdDecompressor implements ClusterDecompressor {
  private static final ThreadLocal<ZstdDecompressCtx> CONTEXT =
      ThreadLocal.withInitial(ZstdDecompressCtx::new);

  @Override
  public int decompress(ByteBuffer input, ByteBuffer output) {
    int start = output.position();
    try {
      while (output.hasRemaining() && input.hasRemaining()) {
        decompressFrame(input, output);
      }
    } catch (ZstdException e) {
      return output.position() - start;
    }
    return output.position() - start;
  }

  private static void decompressFrame(ByteBuffer input, ByteBuffer output) {
    int from = input.position();
    long frameBytes = Zstd.findDirectByteBufferFrameCompressedSize(input, from, input.remaining());
    if (Zstd.isError(frameBytes)) {
      throw new ZstdException(frameBytes);
    }
    int to = output.position();
    int count =
        CONTEXT
            .get()
            .decompressDirectByteBuffer(
                output, to, output.remaining(), input, from, (int) frameBytes);
    output.position(to + count);
    input.position(from + (int) frameBytes);
  }
}
