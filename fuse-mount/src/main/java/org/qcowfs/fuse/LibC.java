package org.qcowfs.fuse;

import static com.kenai.jffi.Type.POINTER;
import static com.kenai.jffi.Type.SINT32;

import com.kenai.jffi.Function;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;
import com.kenai.jffi.MemoryIO;
import org.qcowfs.fuse.wire.NativeLibrary;

/**
 * The C library, as far as a daemon needs it. A failed call is negative and leaves its error number
 * in {@link #errno}.
 */
final class LibC {
  private static final Invoker INVOKER = Invoker.getInstance();
  private static final NativeLibrary LIBRARY = NativeLibrary.ofSystem();

  private static final Function OPEN = LIBRARY.function("open", SINT32, POINTER, SINT32, SINT32);
  private static final Function CLOSE = LIBRARY.function("close", SINT32, SINT32);
  private static final Function DUP = LIBRARY.function("dup", SINT32, SINT32);
  private static final Function DUP2 = LIBRARY.function("dup2", SINT32, SINT32, SINT32);
  private static final Function CHDIR = LIBRARY.function("chdir", SINT32, POINTER);
  private static final Function MEMFD_CREATE =
      LIBRARY.function("memfd_create", SINT32, POINTER, SINT32);

  private LibC() {}

  /** Loads the library, as the first call would. */
  static void load() {}

  /** The error number of this thread's last failed call. */
  static int errno() {
    return LastError.getInstance().get();
  }

  static int open(String path, int flags, int mode) {
    return onCopy(path, copy -> (int) INVOKER.invokeNNNrN(OPEN, copy, flags, mode));
  }

  static int close(int fd) {
    return (int) INVOKER.invokeNrN(CLOSE, fd);
  }

  static int dup(int fd) {
    return (int) INVOKER.invokeNrN(DUP, fd);
  }

  static int dup2(int from, int to) {
    return (int) INVOKER.invokeNNrN(DUP2, from, to);
  }

  static int chdir(String path) {
    return onCopy(path, copy -> (int) INVOKER.invokeNrN(CHDIR, copy));
  }

  static int memfdCreate(String name, int flags) {
    return onCopy(name, copy -> (int) INVOKER.invokeNNrN(MEMFD_CREATE, copy, flags));
  }

  /** A call with the address of a string. */
  @FunctionalInterface
  private interface Call {
    int with(long address);
  }

  private static int onCopy(String text, Call call) {
    long copy = NativeLibrary.copy(text);
    try {
      return call.with(copy);
    } finally {
      MemoryIO.getInstance().freeMemory(copy);
    }
  }
}
