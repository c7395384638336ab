package org.qcowfs.storage;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.qcowfs.error.HostIoException;

/**
 * The space that a file takes up on the host: what {@code fallocate} does, and what has to be
 * written where the host cannot do it.
 */
final class HostSpace {
  static final int PUNCH_HOLE = Posix.FALLOC_FL_PUNCH_HOLE | Posix.FALLOC_FL_KEEP_SIZE;
  static final int ZERO_RANGE = Posix.FALLOC_FL_ZERO_RANGE;
  static final int ALLOCATE = 0;

  private final FileCalls calls;
  private final boolean onBlockDevice;

  /** Modes that the host has said it does not know. It is not asked again. */
  private final Set<Integer> unknownModes = ConcurrentHashMap.newKeySet();

  HostSpace(FileCalls calls, boolean onBlockDevice) {
    this.calls = calls;
    this.onBlockDevice = onBlockDevice;
  }

  /** False where the host cannot do it. The range is not empty. */
  boolean fallocate(int mode, long hostOffset, long bytes) throws HostIoException {
    if (unknownModes.contains(mode)) {
      return false;
    }
    try {
      calls.fallocate(mode, hostOffset, bytes);
      return true;
    } catch (HostIoException e) {
      if (isUnknown(e.errno())) {
        unknownModes.add(mode);
        return false;
      }
      if (onBlockDevice && e.errno() == Posix.EINVAL) {
        return false; // whole blocks only
      }
      throw e;
    }
  }

  private static boolean isUnknown(int errno) {
    return errno == Posix.EOPNOTSUPP || errno == Posix.ENOSYS;
  }

  /** Writes zeros to what of a range lies before the end of the file. The caller is alone. */
  void zeroUpToEnd(Transfer transfer, long hostOffset, long bytes) throws HostIoException {
    writeZeros(transfer, hostOffset, Math.min(hostOffset + bytes, calls.size()));
  }

  /** Writes zeros to the holes of a range and to what of it lies beyond the end. As above. */
  void fillHoles(Transfer transfer, long hostOffset, long bytes) throws HostIoException {
    long end = hostOffset + bytes;
    long size = calls.size();
    if (onBlockDevice) {
      checkWithin(end, size);
      return;
    }
    long offset = hostOffset;
    while (offset < Math.min(end, size)) {
      long hole = calls.lseek(offset, Posix.SEEK_HOLE);
      if (hole < 0 || hole >= size) {
        break;
      }
      long data = calls.lseek(hole, Posix.SEEK_DATA);
      offset = data < 0 ? size : data;
      writeZeros(transfer, hole, Math.min(end, offset));
    }
    writeZeros(transfer, Math.max(hostOffset, size), end);
  }

  private static void checkWithin(long end, long size) throws HostIoException {
    if (end > size) {
      throw new HostIoException(
          Posix.ENOSPC, "allocation of space failed: the device ends at 0x%x".formatted(size));
    }
  }

  private static void writeZeros(Transfer transfer, long hostOffset, long hostEnd)
      throws HostIoException {
    for (long offset = hostOffset; offset < hostEnd; offset += Zeros.BYTES_MAX) {
      int piece = (int) Math.min(Zeros.BYTES_MAX, hostEnd - offset);
      transfer.writeAlone(Zeros.buffers(piece), offset);
    }
  }
}
