package org.qcowfs.fakes;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.qcowfs.tree.PageCache;

/** Takes down what is asked of the kernel about its pages. */
public final class KeptPages implements PageCache {
  /** What happens when pages are dropped. */
  @FunctionalInterface
  public interface Drop {
    void of(long offset, long length) throws IOException;
  }

  /** Ranges, as {@code offset+length}. */
  public final List<String> dropped = new ArrayList<>();

  /** Of writes, as {@code offset+length}. */
  public final List<String> compared = new ArrayList<>();

  private final Drop onDrop;

  public KeptPages() {
    this((offset, length) -> {});
  }

  public KeptPages(Drop onDrop) {
    this.onDrop = onDrop;
  }

  @Override
  public void drop(long offset, long length) throws IOException {
    dropped.add(offset + "+" + length);
    onDrop.of(offset, length);
  }

  @Override
  public void dropOutdated(ByteBuffer written, long offset) {
    compared.add(offset + "+" + written.remaining());
  }
}
