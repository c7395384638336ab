/** What the mounted disks hold: file systems, partitions, odd sizes, and very much of it. */
@NullMarked
package org.qcowfs.it.disk;

import org.jspecify.annotations.NullMarked;
