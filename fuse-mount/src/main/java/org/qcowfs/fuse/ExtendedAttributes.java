package org.qcowfs.fuse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import jnr.ffi.Pointer;
import org.jspecify.annotations.Nullable;
import org.qcowfs.errno.Errno;
import org.qcowfs.tree.ExtendedAttribute;
import org.qcowfs.tree.FileNode;
import org.qcowfs.tree.Node;

/** The protocol of extended attributes (xattr(7)): what a callback answers. */
final class ExtendedAttributes {
  /** What the names begin with that users may give; we have no others. */
  static final String USER = "user.";

  /** Which process serves a mount. Only its root has it, and no list shows it. */
  static final String SERVING_PROCESS = USER + FuseSession.SERVING_PROCESS;

  private static final int XATTR_CREATE = 1;

  private ExtendedAttributes() {}

  static int get(@Nullable Node node, String name, Pointer value, long size) {
    ExtendedAttribute attribute = of(node).get(name);
    return attribute == null
        ? -Errno.ENODATA
        : put(attribute.value().getBytes(StandardCharsets.UTF_8), value, size);
  }

  /** The value of {@link #SERVING_PROCESS}. */
  static int getServingProcess(Pointer value, long size) {
    String pid = Long.toString(ProcessHandle.current().pid());
    return put(pid.getBytes(StandardCharsets.UTF_8), value, size);
  }

  static int list(@Nullable Node node, Pointer list, long size) {
    StringBuilder names = new StringBuilder();
    of(node).keySet().forEach(name -> names.append(name).append('\0'));
    return put(names.toString().getBytes(StandardCharsets.UTF_8), list, size);
  }

  /** A size of 0 asks how large a buffer must be. */
  private static int put(byte[] bytes, Pointer buffer, long size) {
    if (size > 0 && bytes.length > size) {
      return -Errno.ERANGE;
    }
    if (size > 0) {
      buffer.put(0, bytes, 0, bytes.length);
    }
    return bytes.length;
  }

  static int set(@Nullable Node node, String name, Pointer value, long size, int flags)
      throws IOException {
    ExtendedAttribute attribute = of(node).get(name);
    if (attribute == null) {
      return -Errno.EOPNOTSUPP;
    }
    if ((flags & XATTR_CREATE) != 0) {
      return -Errno.EEXIST;
    }
    byte[] bytes = new byte[(int) size];
    value.get(0, bytes, 0, bytes.length);
    return attribute.set(new String(bytes, StandardCharsets.UTF_8)) ? 0 : -Errno.EINVAL;
  }

  /** Those that there are can be changed, but not taken away. */
  static int remove(@Nullable Node node, String name) {
    return of(node).containsKey(name) ? -Errno.EPERM : -Errno.ENODATA;
  }

  private static Map<String, ExtendedAttribute> of(@Nullable Node node) {
    return node instanceof FileNode file ? file.attributes() : Map.of();
  }
}
