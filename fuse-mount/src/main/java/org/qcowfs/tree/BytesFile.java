package org.qcowfs.tree;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** A short text shown as a file. */
final class BytesFile implements FileNode {
  private final ByteBuffer content;

  BytesFile(String text) {
    content = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)).asReadOnlyBuffer();
  }

  @Override
  public long size() {
    return content.capacity();
  }

  @Override
  public long allocatedBytes() {
    return size();
  }

  @Override
  public OpenFile open() {
    return new OpenBytes(content);
  }

  private record OpenBytes(ByteBuffer content) implements OpenFile {
    @Override
    public int read(ByteBuffer destination, long offset) {
      if (offset >= content.capacity()) {
        return 0;
      }
      int count = (int) Math.min(content.capacity() - offset, destination.remaining());
      destination.put(content.slice((int) offset, count));
      return count;
    }

    @Override
    public long size() {
      return content.capacity();
    }

    @Override
    public void close() {
      // Nothing is held.
    }
  }
}
