package org.qcowfs.testkit.crash;

/**
 * What a crash may leave.
 *
 * @param position how many events of the record came before the crash
 * @param survivors what of the rest survived: for a power loss, bits of the pending parts; for a
 *     death, how many bytes of the last write
 * @param files the host files as they are found
 */
public record CrashState(Crash crash, int position, String survivors, HostFiles files) {
  /** Names the state among those of its run. */
  public String name() {
    return "%s@%d:%s".formatted(crash, position, survivors);
  }
}
