/**
 * Offsets, cluster indices and the arithmetic of cluster sizes. Depends on {@code error} only; no
 * I/O.
 */
@NullMarked
package org.qcowfs.geometry;

import org.jspecify.annotations.NullMarked;
