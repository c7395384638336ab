/** Images that were not closed cleanly, and what a mount that writes makes of them. */
@NullMarked
package org.qcowfs.it.repair;

import org.jspecify.annotations.NullMarked;
