package org.qcowfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The files that programs have open, by the number that the kernel knows them under. Thread-safe;
 * {@link #get} takes no lock and no memory, as every read and write begins with it.
 *
 * <p>The low half of a number is a place in the table, the high half tells those apart that had the
 * same place one after the other.
 */
final class OpenFiles {
  private static final int FIRST_PLACES = 64;

  private volatile AtomicReferenceArray<@Nullable OpenHandle> places =
      new AtomicReferenceArray<>(FIRST_PLACES);

  @GuardedBy("this")
  private int lastSerial;

  /** Returns its number, by which the handle is known from now on. */
  synchronized long add(OpenHandle handle) {
    int place = 0;
    while (place < places.length() && places.get(place) != null) {
      place++;
    }
    if (place == places.length()) {
      grow();
    }
    lastSerial++;
    long number = (long) lastSerial << Integer.SIZE | place;
    handle.isKnownAs(number);
    places.set(place, handle);
    return number;
  }

  @GuardedBy("this")
  private void grow() {
    AtomicReferenceArray<@Nullable OpenHandle> more =
        new AtomicReferenceArray<>(2 * places.length());
    for (int i = 0; i < places.length(); i++) {
      more.set(i, places.get(i));
    }
    places = more;
  }

  /** The open file of that number; null where there is none. */
  @Nullable OpenHandle get(long number) {
    AtomicReferenceArray<@Nullable OpenHandle> known = places;
    int place = (int) number;
    if (place < 0 || place >= known.length()) {
      return null;
    }
    OpenHandle handle = known.get(place);
    return handle == null || handle.number() != number ? null : handle;
  }

  /** Closes the file. The kernel does not use its number any more. */
  void close(long number) throws IOException {
    OpenHandle handle;
    synchronized (this) {
      handle = get(number);
      if (handle != null) {
        places.set((int) number, null);
      }
    }
    if (handle != null) {
      handle.file().close();
    }
  }
}
