package org.qcowfs.compress;

import com.kenai.jffi.MemoryIO;
import java.nio.ByteBuffer;
import java.util.Optional;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.types.size_t;

/**
 * The library libdeflate, where the machine has it: about two thirds of the time of the zlib in the
 * JDK. It takes what is in order, and some damaged streams of the right length that zlib refuses;
 * whatever it refuses itself, zlib shall judge.
 *
 * <p>Thread rules: one instance for each thread. The native memory of an instance (11 KiB) is never
 * freed, so it belongs to a thread that stays.
 */
final class LibDeflate {
  private static final String FILE = "libdeflate.so.0";
  private static final int SUCCESS = 0;

  /** The library's functions, as far as they are needed. Public because jnr-ffi implements it. */
  public interface Functions {
    Pointer libdeflate_alloc_decompressor();

    int libdeflate_deflate_decompress(
        Pointer decompressor,
        @size_t long input,
        @size_t long inputBytes,
        @size_t long output,
        @size_t long outputBytes,
        @size_t long actualOutputBytes);
  }

  private static final Optional<Functions> LIBRARY = load();

  private final Functions functions;
  private final Pointer decompressor;

  private LibDeflate(Functions functions, Pointer decompressor) {
    this.functions = functions;
    this.decompressor = decompressor;
  }

  private static Optional<Functions> load() {
    try {
      return Optional.of(LibraryLoader.create(Functions.class).failImmediately().load(FILE));
    } catch (UnsatisfiedLinkError e) {
      return Optional.empty();
    }
  }

  /** An instance for the calling thread; none without the library, or memory for it. */
  static Optional<LibDeflate> create() {
    return LIBRARY.flatMap(
        functions ->
            Optional.ofNullable(functions.libdeflate_alloc_decompressor())
                .map(pointer -> new LibDeflate(functions, pointer)));
  }

  /**
   * Decompresses into the whole of the output, and moves its position to its limit.
   *
   * @return false where the input is not a stream that gives exactly so many bytes; the output's
   *     contents are undefined then, and no position has moved
   */
  boolean decompress(ByteBuffer input, ByteBuffer output) {
    int result =
        functions.libdeflate_deflate_decompress(
            decompressor,
            address(input),
            input.remaining(),
            address(output),
            output.remaining(),
            0);
    if (result != SUCCESS) {
      return false;
    }
    output.position(output.limit());
    return true;
  }

  private static long address(ByteBuffer direct) {
    return MemoryIO.getInstance().getDirectBufferAddress(direct) + direct.position();
  }
}
