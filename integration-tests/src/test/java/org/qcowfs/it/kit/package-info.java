/**
 * What the integration tests are made of: programs run under a deadline, real mounts, and QEMU's
 * tools as the oracle. Knows qcowfs only by its command line.
 */
@NullMarked
package org.qcowfs.it.kit;

import org.jspecify.annotations.NullMarked;
