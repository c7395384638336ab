/** Exception to error number, in one place. Depends on the engine's exceptions only. */
@NullMarked
package org.qcowfs.errno;

import org.jspecify.annotations.NullMarked;
