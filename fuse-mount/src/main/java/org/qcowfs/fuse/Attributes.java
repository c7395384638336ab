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
  private static final int SECTOR_BYTES = 512;
  private static final int IO_BYTES = 64 << 10;

  private final long uid;
  private final long gid;
  private final int umask;
  private final Instant time;

  Attributes(MountSettings settings) {
    this.uid = settings.uid();
    this.gid = settings.gid();
    this.umask = settings.umask();
    this.time = settings.time();
  }

  /** Fills the structure, which libfuse has cleared. */
  void put(Node node, FileStat stat) throws IOException {
    if (node instanceof FileNode file) {
      stat.st_mode.set(FileStat.S_IFREG | (FILE_PERMISSIONS & ~umask));
      stat.st_nlink.set(1);
      stat.st_size.set(file.size());
      stat.st_blocks.set((file.allocatedBytes() + SECTOR_BYTES - 1) / SECTOR_BYTES);
    } else {
      stat.st_mode.set(FileStat.S_IFDIR | (DIRECTORY_PERMISSIONS & ~umask));
      stat.st_nlink.set(2);
    }
    stat.st_uid.set(uid);
    stat.st_gid.set(gid);
    stat.st_blksize.set(IO_BYTES);
    put(stat.st_atim);
    put(stat.st_mtim);
    put(stat.st_ctim);
  }

  private void put(Timespec field) {
    field.tv_sec.set(time.getEpochSecond());
    field.tv_nsec.set(time.getNano());
  }
}
