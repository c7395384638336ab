/**
 * On-disk structures of qcow2 to and from bytes, with their limits. Pure functions: no I/O, no
 * locks.
 *
 * <p>Depends on {@code geometry} and {@code error}. Sections named in the Javadoc are those of
 * QEMU's {@code docs/interop/qcow2.rst}.
 */
@NullMarked
package org.qcowfs.format;

import org.jspecify.annotations.NullMarked;
