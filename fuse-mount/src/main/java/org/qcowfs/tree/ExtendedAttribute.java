package org.qcowfs.tree;

import java.io.IOException;

/** An extended attribute of a file, as text. */
public interface ExtendedAttribute {
  /** Its value now. */
  String value();

  /**
   * Gives it another value.
   *
   * @return false where the attribute cannot have that value
   * @throws IOException when the value is good, but what it asks for has failed
   */
  boolean set(String value) throws IOException;
}
