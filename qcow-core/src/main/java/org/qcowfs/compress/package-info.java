/** One cluster from its compressed form: deflate and zstd. Pure functions on buffers. */
@NullMarked
package org.qcowfs.compress;

import org.jspecify.annotations.NullMarked;
