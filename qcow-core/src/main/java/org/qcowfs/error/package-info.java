/** Why an image, or an operation on it, was refused. Depends on nothing. */
@NullMarked
package org.qcowfs.error;

import org.jspecify.annotations.NullMarked;
