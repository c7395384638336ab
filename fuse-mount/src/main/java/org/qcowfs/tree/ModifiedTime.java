package org.qcowfs.tree;

import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * When a file was last changed, or what somebody has set instead. Any number of threads; noting a
 * change takes no memory, as every write does it.
 */
final class ModifiedTime {
  private volatile @Nullable Instant set;
  private volatile long changedMillis;

  /** The file is changed now. */
  void changed() {
    changedMillis = System.currentTimeMillis();
    if (set != null) {
      set = null;
    }
  }

  /** Shows that time until the next change. */
  void set(Instant time) {
    set = time;
  }

  /** Empty where the file was neither changed nor its time set. */
  Optional<Instant> get() {
    Instant given = set;
    if (given != null) {
      return Optional.of(given);
    }
    long millis = changedMillis;
    return millis == 0 ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
  }
}
