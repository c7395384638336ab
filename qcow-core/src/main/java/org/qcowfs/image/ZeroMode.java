package org.qcowfs.image;

/** What becomes of the space of a range that is to read as zeros. */
public enum ZeroMode {
  /** Space that the range has is kept for it. */
  KEEP,
  /** The space is given back. */
  UNMAP
}
