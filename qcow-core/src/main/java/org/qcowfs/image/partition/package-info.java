/**
 * The partitions of a disk: reads MBR and GPT partition tables, and shows each partition as a
 * {@link org.qcowfs.image.BlockDevice} of its own. May use {@code image} and nothing else; holds no
 * locks.
 *
 * <p>Tables are written by whoever wrote the disk and are not trusted: every count and size has a
 * limit that is checked before memory is allocated, and no chain is followed without end.
 */
@NullMarked
package org.qcowfs.image.partition;

import org.jspecify.annotations.NullMarked;
