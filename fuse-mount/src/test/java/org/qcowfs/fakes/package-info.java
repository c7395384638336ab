/** Stand-ins for the engine, so that tests need no image file and no mount. */
@NullMarked
package org.qcowfs.fakes;

import org.jspecify.annotations.NullMarked;
