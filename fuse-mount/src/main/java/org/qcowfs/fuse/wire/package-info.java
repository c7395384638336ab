/**
 * The protocol between the kernel and a FUSE filesystem, as far as requests are answered without
 * libfuse: what the structures hold, and the descriptor that they are read from and written to.
 *
 * <p>The protocol is that of the kernel's {@code include/uapi/linux/fuse.h}, whose names the
 * documentation of each structure gives. Numbers are in the machine's byte order. Every request
 * begins with a {@link org.qcowfs.fuse.wire.RequestHeader}; what else it holds follows at once, and
 * offsets of other structures count from there. The classes take the request as it was received,
 * and make no objects.
 */
@NullMarked
package org.qcowfs.fuse.wire;

import org.jspecify.annotations.NullMarked;
