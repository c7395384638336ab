package org.qcowfs.tree;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Passes on so many bytes, and refuses more. */
final class LimitedOutput extends FilterOutputStream {
  private final long maxBytes;
  private long written;

  LimitedOutput(OutputStream out, long maxBytes) {
    super(out);
    this.maxBytes = maxBytes;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    written += length;
    if (written > maxBytes) {
      throw new ContentTooLargeException(maxBytes);
    }
    out.write(bytes, offset, length);
  }
}
