/**
 * Metadata tables in memory as bytes: lookup, load, eviction. Decodes nothing.
 *
 * <p>A hit takes no lock; a miss reads from the host outside every lock that a hit could need.
 */
@NullMarked
package org.qcowfs.cache;

import org.jspecify.annotations.NullMarked;
