package org.qcowfs.image;

import java.io.IOException;

/** Receives the extents of a range, one by one and in ascending order. */
@FunctionalInterface
public interface ExtentVisitor {
  void visit(Extent extent) throws IOException;
}
