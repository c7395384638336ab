/**
 * The bytes of a host file: read and write, space, durability, locks. Knows nothing of qcow2.
 *
 * <p>Depends on {@code geometry} and {@code error}. {@link org.qcowfs.storage.Posix} is the only
 * class that makes native calls.
 *
 * <p>Lock order: {@link org.qcowfs.storage.RequestGate}, then {@link
 * org.qcowfs.storage.BlockStripes}. {@link org.qcowfs.storage.DiskFlush} has a lock of its own, and
 * takes no other while it holds it.
 */
@NullMarked
package org.qcowfs.storage;

import org.jspecify.annotations.NullMarked;
