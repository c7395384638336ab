/**
 * The public interface of the engine: open an image and its backing chain, read its disk, its
 * internal snapshots and partitions, ask what is allocated.
 *
 * <p>{@link org.qcowfs.image.BlockDevice} is the one view the mount knows. Everything else in this
 * module is an implementation detail of this package.
 */
@NullMarked
package org.qcowfs.image;

import org.jspecify.annotations.NullMarked;
