/** A virtual machine runs from the mounted disk. */
@NullMarked
package org.qcowfs.it.boot;

import org.jspecify.annotations.NullMarked;
