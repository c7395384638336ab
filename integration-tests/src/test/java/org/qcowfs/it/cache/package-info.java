/** Which calls a mount makes on its host files, as {@code strace} sees them from outside. */
@NullMarked
package org.qcowfs.it.cache;

import org.jspecify.annotations.NullMarked;
