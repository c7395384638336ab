package org.qcowfs.fuse;

import com.kenai.jffi.MemoryIO;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.LongSupplier;
import jnr.ffi.Pointer;
import jnr.ffi.Struct;
import org.jspecify.annotations.Nullable;
import org.qcowfs.errno.Errno;
import org.qcowfs.tree.DirectoryNode;
import org.qcowfs.tree.FileNode;
import org.qcowfs.tree.Node;
import org.qcowfs.tree.OpenFile;
import ru.serce.jnrfuse.FuseFillDir;
import ru.serce.jnrfuse.FuseStubFS;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.FuseFileInfo;
import ru.serce.jnrfuse.struct.Statvfs;

/**
 * The callbacks that read: each unpacks the request, asks the tree and packs the answer. Called by
 * every session thread at once. What neither this class nor {@link TreeFileSystem} has, libfuse
 * answers by itself.
 *
 * <p>It is made before the tree is known, as making it is a good part of the start (see {@link
 * NativeParts}); {@link #serve} comes before the mount.
 *
 * <p>Never use {@code mount} and {@code umount} of the superclass: the one guesses whether it
 * succeeded, the other does not wait. {@link FuseSession} does both.
 */
abstract class ReadCallbacks extends FuseStubFS {
  static final MemoryIO MEMORY = MemoryIO.getInstance();
  private static final int STATFS_BLOCK_BYTES = 4096;
  private static final int NAME_MAX_BYTES = 255;

  Attributes attributes;
  CallbackRunner callbacks;
  final OpenFiles openFiles = new OpenFiles();
  private Node root;
  private KernelPages pages;
  private LongSupplier diskBytes;

  /** Says what to serve, and how. Once, before anything can call back. */
  final void serve(Node tree, MountSettings settings, KernelPages cachedPages) {
    root = tree;
    pages = cachedPages;
    attributes = new Attributes(settings);
    diskBytes = settings.diskBytes();
    callbacks = new CallbackRunner(settings.tracing());
  }

  /**
   * The table of callbacks. The closures that it names live as long as this object, to which a
   * reference must be kept.
   */
  byte[] operations() {
    byte[] table = new byte[Struct.size(fuseOperations)];
    Struct.getMemory(fuseOperations).get(0, table, 0, table.length);
    return table;
  }

  @Override
  public int getattr(String path, FileStat stat) {
    return callbacks.answer(
        "getattr",
        path,
        () -> {
          Node node = find(path);
          if (node == null) {
            return -Errno.ENOENT;
          }
          attributes.put(node, stat);
          return 0;
        });
  }

  @Override
  public int fgetattr(String path, FileStat stat, FuseFileInfo info) {
    return getattr(path, stat);
  }

  @Override
  public int open(String path, FuseFileInfo info) {
    return callbacks.answer("open", path, () -> openNode(path, info));
  }

  private int openNode(String path, FuseFileInfo info) throws IOException {
    Node node = find(path);
    if (node == null) {
      return -Errno.ENOENT;
    }
    if (!(node instanceof FileNode file)) {
      return -Errno.EISDIR;
    }
    boolean forWriting = FileInfo.isForWriting(info);
    if (forWriting && !file.isWritable()) {
      return -Errno.EROFS;
    }
    OpenFile opened = forWriting ? file.openForWriting() : file.open();
    RequestSource request = RequestLoop.current();
    boolean cached = file.mayBeCached();
    boolean parallel =
        cached && forWriting && FileInfo.isDirect(info) && request.canWriteInParallel();
    OpenHandle handle = new OpenHandle(opened, path, forWriting, !cached || parallel);
    FileInfo.setHandle(info, openFiles.add(handle));
    if (!cached || parallel) {
      FileInfo.bypassCache(info);
    }
    if (cached && opened.cachedIn(pages.of(request.node()), parallel)) {
      FileInfo.keepCache(info);
    }
    if (parallel) {
      request.allowParallelWrites();
    }
    return 0;
  }

  @Override
  public int read(String path, Pointer buffer, long size, long offset, FuseFileInfo info) {
    return callbacks.answer(
        "read",
        path,
        () -> {
          OpenHandle handle = openFiles.get(FileInfo.handle(info));
          if (handle == null) {
            return -Errno.EBADF;
          }
          // FUSE's own buffer: the engine fills it from the host file without a copy on the heap
          return handle.read(MEMORY.newDirectByteBuffer(buffer.address(), (int) size), offset);
        });
  }

  @Override
  public int release(String path, FuseFileInfo info) {
    return callbacks.answer(
        "release",
        path,
        () -> {
          openFiles.close(FileInfo.handle(info));
          return 0;
        });
  }

  @Override
  public int readdir(
      String path, Pointer buffer, FuseFillDir filler, long offset, FuseFileInfo info) {
    return callbacks.answer("readdir", path, () -> list(find(path), buffer, filler));
  }

  private static int list(@Nullable Node node, Pointer buffer, FuseFillDir filler)
      throws IOException {
    if (node == null) {
      return -Errno.ENOENT;
    }
    if (!(node instanceof DirectoryNode directory)) {
      return -Errno.ENOTDIR;
    }
    fill(filler, buffer, ".");
    fill(filler, buffer, "..");
    for (String name : directory.names()) {
      fill(filler, buffer, name);
    }
    return 0;
  }

  private static void fill(FuseFillDir filler, Pointer buffer, String name) {
    byte[] terminated = (name + "\0").getBytes(StandardCharsets.UTF_8);
    filler.apply(buffer, ByteBuffer.wrap(terminated), null, 0);
  }

  @Override
  public int statfs(String path, Statvfs statfs) {
    return callbacks.answer(
        "statfs",
        path,
        () -> {
          statfs.f_bsize.set(STATFS_BLOCK_BYTES);
          statfs.f_frsize.set(STATFS_BLOCK_BYTES);
          statfs.f_blocks.set(
              (diskBytes.getAsLong() + STATFS_BLOCK_BYTES - 1) / STATFS_BLOCK_BYTES);
          statfs.f_namemax.set(NAME_MAX_BYTES);
          return 0;
        });
  }

  @Override
  public int getxattr(String path, String name, Pointer value, long size) {
    if (!name.startsWith(ExtendedAttributes.USER)) {
      return -Errno.ENODATA; // asked of by the kernel before each write
    }
    if (name.equals(ExtendedAttributes.SERVING_PROCESS) && path.equals("/")) {
      return ExtendedAttributes.getServingProcess(value, size);
    }
    return callbacks.answer(
        "getxattr", path, () -> ExtendedAttributes.get(find(path), name, value, size));
  }

  @Override
  public int listxattr(String path, Pointer list, long size) {
    return callbacks.answer(
        "listxattr", path, () -> ExtendedAttributes.list(find(path), list, size));
  }

  /** The node of that path; null where there is none. */
  final @Nullable Node find(String path) throws IOException {
    Node node = root;
    for (String name : path.split("/", -1)) {
      if (name.isEmpty()) {
        continue;
      }
      if (!(node instanceof DirectoryNode directory)) {
        return null;
      }
      Optional<Node> child = directory.child(name);
      if (child.isEmpty()) {
        return null;
      }
      node = child.get();
    }
    return node;
  }
}
