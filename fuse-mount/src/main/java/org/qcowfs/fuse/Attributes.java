package org.qcowfs.fuse;

import java.io.IOException;
import java.time.Instant;
import org.qcowfs.tree.FileNode;
import org.qcowfs.tree.Node;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.Timespec;

/** What {@code stat} shows of a node. Immutable. */
final class Attributes {
  private static final int FILE_PERMISSIONS = 0444;
  private static final int DIRECTORY_PERMISSIONS = 0555;
  private static final int WRITE_PERMISSIONS = 0222;
  private static final int SECTOR_BYTES = 512;
  private static final int IO_BYTES = 64 << 10;

  private final long uid;
  private final long gid;
  private final int umask;
  private final boolean writable;
  private final Instant time;

  Attributes(MountSettings settings) {
    this.uid = settings.uid();
    this.gid = settings.gid();
    this.umask = settings.umask();
    this.writable = settings.writable();
    this.time = settings.time();
  }

  /** Fills the structure, which libfuse has cleared. */
  void put(Node node, FileStat stat) throws IOException {
    Instant modified = time;
    if (node instanceof FileNode file) {
      stat.st_mode.set(FileStat.S_IFREG | permissionsOf(node));
      stat.st_nlink.set(1);
      stat.st_size.set(file.size());
      stat.st_blocks.set((file.allocatedBytes() + SECTOR_BYTES - 1) / SECTOR_BYTES);
      modified = file.modified().orElse(time);
    } else {
      stat.st_mode.set(FileStat.S_IFDIR | permissionsOf(node));
      stat.st_nlink.set(2);
    }
    stat.st_uid.set(uid);
    stat.st_gid.set(gid);
    stat.st_blksize.set(IO_BYTES);
    put(modified, stat.st_atim);
    put(modified, stat.st_mtim);
    put(modified, stat.st_ctim);
  }

  /** The permission bits shown. */
  int permissionsOf(Node node) {
    boolean file = node instanceof FileNode;
    boolean canBeWritten = node instanceof FileNode fileNode ? fileNode.isWritable() : writable;
    int permissions = file ? FILE_PERMISSIONS : DIRECTORY_PERMISSIONS;
    return (canBeWritten ? permissions | WRITE_PERMISSIONS : permissions) & ~umask;
  }

  /** Whether these are the owner and group shown; -1 stands for any. */
  boolean isOwnedBy(long otherUid, long otherGid) {
    return isSame(otherUid, uid) && isSame(otherGid, gid);
  }

  private static boolean isSame(long wanted, long shown) {
    return (int) wanted == -1 || (int) wanted == (int) shown;
  }

  private static void put(Instant time, Timespec field) {
    field.tv_sec.set(time.getEpochSecond());
    field.tv_nsec.set(time.getNano());
  }
}
