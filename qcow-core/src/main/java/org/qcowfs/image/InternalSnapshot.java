package org.qcowfs.image;

import java.util.Optional;

/**
 * An entry of the snapshot table (section "Snapshots").
 *
 * @param index 0-based place in the snapshot table
 * @param id unique ID string, as stored
 * @param name as stored; may be empty, may equal another's, may hold any character
 * @param dateSeconds when it was taken, in seconds since the Epoch
 * @param dateNanos subsecond part of that, in nanoseconds
 * @param vmClockNanos how long the guest had been running, in nanoseconds
 * @param vmStateBytes size of the saved VM state; 0 where there is none
 * @param diskBytes virtual size of the disk at that time
 * @param icount replay instruction count, or {@link #NO_ICOUNT}
 * @param problem why the snapshot cannot be read, if it cannot
 */
public record InternalSnapshot(
    int index,
    String id,
    String name,
    long dateSeconds,
    long dateNanos,
    long vmClockNanos,
    long vmStateBytes,
    long diskBytes,
    long icount,
    Optional<String> problem) {
  /** The snapshot was taken without instruction counting. */
  public static final long NO_ICOUNT = -1;
}
