/**
 * Who uses which cluster of the image file: refcounts, the search for free clusters, clusters
 * reserved ahead, and the growth of the refcount structures.
 *
 * <p>Everything here is guarded by the metadata lock of the image; methods that need it held end in
 * {@code Locked}.
 */
@NullMarked
package org.qcowfs.alloc;

import org.jspecify.annotations.NullMarked;
