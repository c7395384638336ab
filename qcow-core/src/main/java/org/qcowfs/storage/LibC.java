package org.qcowfs.storage;

import static com.kenai.jffi.Type.POINTER;
import static com.kenai.jffi.Type.SINT32;
import static com.kenai.jffi.Type.SINT64;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Function;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;
import com.kenai.jffi.Library;
import com.kenai.jffi.MemoryIO;
import com.kenai.jffi.Type;
import java.nio.charset.StandardCharsets;

/**
 * The C library, as far as the engine needs it. Pointers are addresses. A failed call is negative
 * and leaves its error number in {@link #errno}.
 *
 * <p>Called through jffi, the lower half of jnr-ffi. The upper half would write a class for these
 * declarations at run time, which takes about a third of a short command's time; the call that this
 * class would make is the same.
 */
final class LibC {
  private static final String FILE = "libc.so.6";
  private static final Invoker INVOKER = Invoker.getInstance();
  private static final MemoryIO MEMORY = MemoryIO.getInstance();
  private static final LastError LAST_ERROR = LastError.getInstance();
  private static final Library LIBRARY = library();

  private static final Function OPEN = function("open", SINT32, POINTER, SINT32, SINT32);
  private static final Function CLOSE = function("close", SINT32, SINT32);
  private static final Function PREAD =
      function("pread64", SINT64, SINT32, POINTER, SINT64, SINT64);
  private static final Function PWRITE =
      function("pwrite64", SINT64, SINT32, POINTER, SINT64, SINT64);
  private static final Function PWRITEV =
      function("pwritev64", SINT64, SINT32, POINTER, SINT32, SINT64);
  private static final Function FDATASYNC = function("fdatasync", SINT32, SINT32);
  private static final Function FTRUNCATE = function("ftruncate64", SINT32, SINT32, SINT64);
  private static final Function FALLOCATE =
      function("fallocate64", SINT32, SINT32, SINT32, SINT64, SINT64);
  private static final Function LSEEK = function("lseek64", SINT64, SINT32, SINT64, SINT32);
  private static final Function STATX =
      function("statx", SINT32, SINT32, POINTER, SINT32, SINT32, POINTER);
  private static final Function FSTATFS = function("fstatfs64", SINT32, SINT32, POINTER);
  private static final Function FCNTL = function("fcntl64", SINT32, SINT32, SINT32, POINTER);
  private static final Function STRERROR = function("strerror", POINTER, SINT32);

  private LibC() {}

  /** Loads the library, as the first call would. */
  static void load() {}

  private static Library library() {
    Library library = Library.getCachedInstance(FILE, Library.LAZY);
    if (library == null) {
      throw new UnsatisfiedLinkError(FILE + " cannot be loaded: " + Library.getLastError());
    }
    return library;
  }

  private static Function function(String name, Type result, Type... parameters) {
    long address = LIBRARY.getSymbolAddress(name);
    if (address == 0) {
      throw new UnsatisfiedLinkError(FILE + " has no function " + name);
    }
    boolean keepErrno = true;
    return new Function(
        address,
        CallContext.getCallContext(result, parameters, CallingConvention.DEFAULT, keepErrno));
  }

  /** The error number of this thread's last failed call. */
  static int errno() {
    return LAST_ERROR.get();
  }

  static int open(String path, int flags, int mode) {
    long name = copy(path);
    try {
      return (int) INVOKER.invokeNNNrN(OPEN, name, flags, mode);
    } finally {
      MEMORY.freeMemory(name);
    }
  }

  /** A string as C wants it, in memory that is to be freed. */
  private static long copy(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    long address = MEMORY.allocateMemory(bytes.length + 1L, true);
    MEMORY.putByteArray(address, bytes, 0, bytes.length);
    return address;
  }

  static int close(int fd) {
    return (int) INVOKER.invokeNrN(CLOSE, fd);
  }

  static long pread(int fd, long address, long bytes, long offset) {
    return INVOKER.invokeNNNNrN(PREAD, fd, address, bytes, offset);
  }

  static long pwrite(int fd, long address, long bytes, long offset) {
    return INVOKER.invokeNNNNrN(PWRITE, fd, address, bytes, offset);
  }

  static long pwritev(int fd, long vectors, int count, long offset) {
    return INVOKER.invokeNNNNrN(PWRITEV, fd, vectors, count, offset);
  }

  static int fdatasync(int fd) {
    return (int) INVOKER.invokeNrN(FDATASYNC, fd);
  }

  static int ftruncate(int fd, long bytes) {
    return (int) INVOKER.invokeNNrN(FTRUNCATE, fd, bytes);
  }

  static int fallocate(int fd, int mode, long offset, long bytes) {
    return (int) INVOKER.invokeNNNNrN(FALLOCATE, fd, mode, offset, bytes);
  }

  static long lseek(int fd, long offset, int whence) {
    return INVOKER.invokeNNNrN(LSEEK, fd, offset, whence);
  }

  /** Of the open file itself: with an empty path. */
  static int statx(int fd, int flags, int mask, long address) {
    long empty = copy("");
    try {
      return (int) INVOKER.invokeNNNNNrN(STATX, fd, empty, flags, mask, address);
    } finally {
      MEMORY.freeMemory(empty);
    }
  }

  static int fstatfs(int fd, long address) {
    return (int) INVOKER.invokeNNrN(FSTATFS, fd, address);
  }

  static int fcntl(int fd, int command, long argument) {
    return (int) INVOKER.invokeNNNrN(FCNTL, fd, command, argument);
  }

  static String strerror(int errno) {
    long words = INVOKER.invokeNrN(STRERROR, errno);
    return new String(MEMORY.getZeroTerminatedByteArray(words), StandardCharsets.UTF_8);
  }
}
