/**
 * Guest offset to host location through the L1 and L2 tables, and the bytes found there.
 *
 * <p>Depends on {@code format}, {@code compress}, {@code cache} and below.
 */
@NullMarked
package org.qcowfs.mapping;

import org.jspecify.annotations.NullMarked;
