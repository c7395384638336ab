package org.qcowfs.fuse.wire;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Function;
import com.kenai.jffi.Library;
import com.kenai.jffi.MemoryIO;
import com.kenai.jffi.Type;
import java.nio.charset.StandardCharsets;

/**
 * A library of C functions, called through jffi, the lower half of jnr-ffi. The upper half would
 * write a class for each library at run time, and read its annotations through proxies to do so,
 * which is a good part of a start; the call that this class would make is the same.
 */
public final class NativeLibrary {
  private static final MemoryIO MEMORY = MemoryIO.getInstance();

  private final String file;
  private final Library library;

  /**
   * @throws UnsatisfiedLinkError when it is missing or cannot be loaded
   */
  public NativeLibrary(String file) {
    this.file = file;
    this.library = Library.getCachedInstance(file, Library.LAZY);
    if (library == null) {
      throw new UnsatisfiedLinkError(file + " cannot be loaded: " + Library.getLastError());
    }
  }

  /** The C library of the system. */
  public static NativeLibrary ofSystem() {
    return new NativeLibrary("libc.so.6");
  }

  /**
   * A function, of whose failures the error number is kept for the calling thread.
   *
   * @throws UnsatisfiedLinkError when the library has none of that name
   */
  public Function function(String name, Type result, Type... parameters) {
    long address = library.getSymbolAddress(name);
    if (address == 0) {
      throw new UnsatisfiedLinkError(file + " has no function " + name);
    }
    boolean keepErrno = true;
    return new Function(
        address,
        CallContext.getCallContext(result, parameters, CallingConvention.DEFAULT, keepErrno));
  }

  /** A string as C wants it; the caller frees the memory at the address returned. */
  public static long copy(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    long address = MEMORY.allocateMemory(bytes.length + 1L, true);
    MEMORY.putByteArray(address, bytes, 0, bytes.length);
    return address;
  }
}
