package org.qcowfs.cli;

import org.qcowfs.error.ImageLockedException.WayOut;

/** A command that opens an image, and knows how its user asks for another use of it. */
interface ImageUser {
  /** What to do instead of waiting for a lock: the end of a sentence, or nothing. */
  String insteadOfWaiting(WayOut wayOut);
}
