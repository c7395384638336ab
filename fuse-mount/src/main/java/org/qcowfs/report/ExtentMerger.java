package org.qcowfs.report;

import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.qcowfs.image.Extent;
import org.qcowfs.image.ExtentVisitor;

/**
 * Passes extents on, neighbours that are alike as one. Alike means: the same flags, the same depth
 * of the chain, and either both without a host offset or one after the other in the same host file.
 */
final class ExtentMerger implements ExtentVisitor {
  private final ExtentVisitor next;
  private @Nullable Extent pending;

  ExtentMerger(ExtentVisitor next) {
    this.next = next;
  }

  @Override
  public void visit(Extent extent) throws IOException {
    Extent before = pending;
    if (before != null && alike(before, extent)) {
      pending = joined(before, extent);
    } else {
      finish();
      pending = extent;
    }
  }

  /** Passes the last extent on; to be called once after the last visit. */
  void finish() throws IOException {
    if (pending != null) {
      next.visit(pending);
      pending = null;
    }
  }

  private static boolean alike(Extent before, Extent extent) {
    return before.depth() == extent.depth()
        && before.present() == extent.present()
        && before.zero() == extent.zero()
        && before.data() == extent.data()
        && hasHostOffset(before) == hasHostOffset(extent)
        && Objects.equals(before.hostFile(), extent.hostFile())
        && (!hasHostOffset(before) || before.hostOffset() + before.length() == extent.hostOffset());
  }

  private static Extent joined(Extent before, Extent extent) {
    return new Extent(
        before.start(),
        before.length() + extent.length(),
        before.depth(),
        before.present(),
        before.zero(),
        before.data(),
        before.compressed(),
        before.hostOffset(),
        before.hostFile());
  }

  private static boolean hasHostOffset(Extent extent) {
    return extent.hostOffset() != Extent.NO_HOST_OFFSET;
  }
}
