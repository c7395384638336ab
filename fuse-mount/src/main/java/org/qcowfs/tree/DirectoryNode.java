package org.qcowfs.tree;

import java.io.IOException;
import java.util.Collection;
import java.util.Optional;

/** A directory. Its children may be found only when they are asked for. */
public non-sealed interface DirectoryNode extends Node {
  /** The names of the children, in the order in which they are listed; none holds a slash. */
  Collection<String> names() throws IOException;

  /** The child of that name; empty when there is none. */
  Optional<Node> child(String name) throws IOException;
}
