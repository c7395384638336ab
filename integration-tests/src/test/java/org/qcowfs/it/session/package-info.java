/** Mounting and unmounting as users, signals and missing parts make it go right or wrong. */
@NullMarked
package org.qcowfs.it.session;

import org.jspecify.annotations.NullMarked;
