package org.qcowfs.tree;

import java.io.IOException;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;

/** A directory whose children are known. */
final class FixedDirectory implements DirectoryNode {
  private final Map<String, Node> children;

  /**
   * @param children in the order in which they are listed; not changed afterwards
   */
  FixedDirectory(Map<String, Node> children) {
    this.children = Collections.unmodifiableMap(children);
  }

  @Override
  public Collection<String> names() {
    return children.keySet();
  }

  @Override
  public Optional<Node> child(String name) {
    return Optional.ofNullable(children.get(name));
  }

  /** Flushes what the directory shows. */
  @Override
  public void flush() throws IOException {
    for (Node child : children.values()) {
      child.flush();
    }
  }
}
