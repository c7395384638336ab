/**
 * The daemon is killed, stopped or starved under load, or loses its image; then the disk is read.
 */
@NullMarked
package org.qcowfs.it.crash;

import org.jspecify.annotations.NullMarked;
