package org.qcowfs.tree;

import java.io.IOException;

/** Remembered, so that no second look costs as much as the first. */
final class ContentTooLargeException extends IOException {
  private static final long serialVersionUID = 1L;

  ContentTooLargeException(long maxBytes) {
    super(
        "larger than %d bytes; ask the command line for it, which has no limit"
            .formatted(maxBytes));
  }
}
