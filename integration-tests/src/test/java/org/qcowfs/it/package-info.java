/**
 * The mounted disk against QEMU's tools: every test drives the real launcher on the real kernel, as
 * a user would.
 */
@NullMarked
package org.qcowfs.it;

import org.jspecify.annotations.NullMarked;
