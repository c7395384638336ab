/**
 * The tree as a FUSE filesystem: callbacks that unpack a request, ask the tree and pack the answer,
 * and the threads that take requests from the kernel. The only package that knows jnr-fuse.
 *
 * <p>libfuse's own loops are not used: they start and end threads, and every thread that Java does
 * not know is attached to the JVM at each callback. {@link org.qcowfs.fuse.FuseSession} lets
 * permanent Java threads receive and process requests instead.
 */
@NullMarked
package org.qcowfs.fuse;

import org.jspecify.annotations.NullMarked;
