/**
 * The bytes of a host file: read, size, data extents, locks. Knows nothing of qcow2.
 *
 * <p>Depends on {@code geometry} and {@code error}. {@link org.qcowfs.storage.Posix} is the only
 * class that makes native calls.
 */
@NullMarked
package org.qcowfs.storage;

import org.jspecify.annotations.NullMarked;
