package org.qcowfs.fuse.wire;

/** What a request asks for ({@code enum fuse_opcode}), as far as we look at it. */
public final class Opcode {
  public static final int OPEN = 14;
  public static final int READ = 15;
  public static final int WRITE = 16;
  public static final int INIT = 26;

  /** Somebody does not wait for the answer to another request any more. Has itself no answer. */
  public static final int INTERRUPT = 36;

  /** What the kernel keeps of a file, as it was asked. Has itself no answer. */
  public static final int NOTIFY_REPLY = 41;

  public static final int FALLOCATE = 43;
  public static final int LSEEK = 46;

  private Opcode() {}

  /** Whether the request is about an open file whose number it begins with, and is one of these. */
  public static boolean isOfOpenFile(int opcode) {
    return opcode == READ || opcode == WRITE || opcode == FALLOCATE || opcode == LSEEK;
  }

  /** Its name in the log. */
  public static String name(int opcode) {
    return switch (opcode) {
      case OPEN -> "open";
      case READ -> "read";
      case WRITE -> "write";
      case INIT -> "init";
      case INTERRUPT -> "interrupt";
      case FALLOCATE -> "fallocate";
      case LSEEK -> "lseek";
      default -> "request " + opcode;
    };
  }
}
