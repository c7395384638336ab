package org.qcowfs.testkit.crash;

import org.qcowfs.testkit.storage.StorageOperation;

/** One thing that happened in a run, in the order of the record. */
public sealed interface Event {
  /**
   * A host file was asked for something.
   *
   * @param file 0 for the image, 1 for its external data file
   */
  record Host(int file, StorageOperation operation) implements Event {}

  /**
   * The guest asks for a change of sectors.
   *
   * @param request names the request
   * @param number each sector is filled with its stamp of this number, see {@link
   *     GuestHistory#stamp}; 0: all become zeros
   */
  record ChangeBegins(int request, int firstSector, int sectors, long number) implements Event {}

  /** The guest asks for another size of its disk; what is cut off is a change of its own. */
  record ResizeBegins(int request, int sectors) implements Event {}

  /** A change or resize was acknowledged. */
  record ChangeEnds(int request, Promise promise) implements Event {}

  /** A change or resize failed: any part of it may have been made, and no more will be. */
  record ChangeFails(int request) implements Event {}

  /** The guest asks for a flush. */
  record FlushBegins(int request) implements Event {}

  /** A flush was acknowledged. */
  record FlushEnds(int request, Promise promise) implements Event {}
}
