/** The host fails: its disk is full or broken. The writer is told, and the image stays whole. */
@NullMarked
package org.qcowfs.it.fault;

import org.jspecify.annotations.NullMarked;
