package org.qcowfs.fuse;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import jnr.ffi.Pointer;
import org.qcowfs.errno.Errno;
import org.qcowfs.tree.FileNode;
import org.qcowfs.tree.Node;
import ru.serce.jnrfuse.struct.FuseFileInfo;
import ru.serce.jnrfuse.struct.Timespec;

/**
 * The callbacks of a mount. Those that change something are not called where the mount can only be
 * read: the kernel answers them. Nothing can be made, taken away or renamed.
 */
final class TreeFileSystem extends ReadCallbacks {
  private static final int PERMISSION_BITS = 07777;

  /** A callback's work on an open file. */
  @FunctionalInterface
  private interface FileWork {
    int run(OpenHandle handle) throws IOException;
  }

  private int onOpenFile(String operation, String path, FuseFileInfo info, FileWork work) {
    return callbacks.answer(
        operation,
        path,
        () -> {
          OpenHandle handle = openFiles.get(FileInfo.handle(info));
          return handle == null ? -Errno.EBADF : work.run(handle);
        });
  }

  /** A callback's work on a node of the tree. */
  @FunctionalInterface
  private interface NodeWork {
    int run(Node node) throws IOException;
  }

  private int onNode(String operation, String path, NodeWork work) {
    return callbacks.answer(
        operation,
        path,
        () -> {
          Node node = find(path);
          return node == null ? -Errno.ENOENT : work.run(node);
        });
  }

  @Override
  public int write(String path, Pointer buffer, long size, long offset, FuseFileInfo info) {
    return onOpenFile(
        "write",
        path,
        info,
        handle -> {
          // FUSE's own buffer: the engine writes it to the host file without a copy on the heap
          ByteBuffer source = MEMORY.newDirectByteBuffer(buffer.address(), (int) size);
          return FileInfo.writesPages(info)
              ? handle.writeBack(source, offset)
              : handle.write(source, offset, FileInfo.flags(info));
        });
  }

  @Override
  public int fallocate(String path, int mode, long offset, long length, FuseFileInfo info) {
    return onOpenFile(
        "fallocate",
        path,
        info,
        handle -> FileRange.fallocate(handle.file(), mode, offset, length));
  }

  @Override
  public int truncate(String path, long size) {
    return onNode("truncate", path, node -> resize(node, size));
  }

  @Override
  public int ftruncate(String path, long size, FuseFileInfo info) {
    return truncate(path, size);
  }

  private static int resize(Node node, long size) throws IOException {
    if (!(node instanceof FileNode file)) {
      return -Errno.EISDIR;
    }
    return file.resize(size) ? 0 : -Errno.EPERM;
  }

  /** Called at each close(2). What was opened for reading has nothing to flush. */
  @Override
  public int flush(String path, FuseFileInfo info) {
    OpenHandle handle = openFiles.get(FileInfo.handle(info));
    return handle != null && handle.isForWriting() ? fsync(path, 0, info) : 0;
  }

  /** The size and the metadata of a disk are as much of its contents as its bytes. */
  @Override
  public int fsync(String path, int dataOnly, FuseFileInfo info) {
    return onOpenFile(
        "fsync",
        path,
        info,
        handle -> {
          handle.file().flush();
          return 0;
        });
  }

  @Override
  public int fsyncdir(String path, FuseFileInfo info) {
    return onNode(
        "fsyncdir",
        path,
        node -> {
          node.flush();
          return 0;
        });
  }

  /** The modes are those of the mount: setting them as they are is all that can be done. */
  @Override
  public int chmod(String path, long mode) {
    return onNode(
        "chmod",
        path,
        node -> (mode & PERMISSION_BITS) == attributes.permissionsOf(node) ? 0 : -Errno.EPERM);
  }

  /** As {@link #chmod}. */
  @Override
  public int chown(String path, long uid, long gid) {
    return onNode("chown", path, node -> attributes.isOwnedBy(uid, gid) ? 0 : -Errno.EPERM);
  }

  @Override
  public int utimens(String path, Timespec[] times) {
    return onNode("utimens", path, node -> setModified(node, times[1]));
  }

  private static int setModified(Node node, Timespec time) throws IOException {
    if (!(node instanceof FileNode file) || !file.isWritable()) {
      return -Errno.EROFS;
    }
    file.setModified(Instant.ofEpochSecond(time.tv_sec.get(), time.tv_nsec.longValue()));
    return 0;
  }

  @Override
  public int setxattr(String path, String name, Pointer value, long size, int flags) {
    return callbacks.answer(
        "setxattr", path, () -> ExtendedAttributes.set(find(path), name, value, size, flags));
  }

  @Override
  public int removexattr(String path, String name) {
    return callbacks.answer("removexattr", path, () -> ExtendedAttributes.remove(find(path), name));
  }

  /** Without an answer of ours, programs would be told that FUSE is not up to it. */
  @Override
  public int create(String path, long mode, FuseFileInfo info) {
    return -Errno.EPERM;
  }

  @Override
  public int mknod(String path, long mode, long device) {
    return -Errno.EPERM;
  }

  @Override
  public int mkdir(String path, long mode) {
    return -Errno.EPERM;
  }

  @Override
  public int unlink(String path) {
    return -Errno.EPERM;
  }

  @Override
  public int rmdir(String path) {
    return -Errno.EPERM;
  }

  @Override
  public int rename(String from, String to) {
    return -Errno.EPERM;
  }
}
