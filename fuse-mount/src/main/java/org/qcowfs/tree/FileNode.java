package org.qcowfs.tree;

import java.io.IOException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.qcowfs.error.ReadOnlyImageException;

/** A regular file. The methods that change it fail where it is not {@link #isWritable}. */
public non-sealed interface FileNode extends Node {
  /** Size in bytes. */
  long size() throws IOException;

  /** How many of its bytes are allocated: what {@code st_blocks} counts, in bytes. */
  long allocatedBytes() throws IOException;

  /** A handle on the contents, to be closed by the caller. */
  OpenFile open() throws IOException;

  /** As {@link #open}, for who may also write. */
  default OpenFile openForWriting() throws IOException {
    return open();
  }

  /** Whether the file can be opened for writing. */
  default boolean isWritable() {
    return false;
  }

  /**
   * Whether the kernel may answer a reader with what another one has read before: the contents
   * change through this file alone, if at all, or the kernel is told ({@link OpenFile#cachedIn}).
   */
  default boolean mayBeCached() {
    return true;
  }

  /** When the contents were last changed; empty where they have not been since the mount. */
  default Optional<Instant> modified() {
    return Optional.empty();
  }

  /** Sets what {@link #modified} says. */
  default void setModified(Instant time) throws IOException {
    throw new ReadOnlyImageException("the file can only be read");
  }

  /**
   * Changes the size, as truncate(2) does.
   *
   * @return false where that would cut something off and is not allowed; nothing has changed then
   */
  default boolean resize(long bytes) throws IOException {
    throw new ReadOnlyImageException("the file can only be read");
  }

  /** The extended attributes, by their full names. */
  default Map<String, ExtendedAttribute> attributes() {
    return Map.of();
  }
}
