/** Images of every shape that the format knows, and the proof that each is read right. */
@NullMarked
package org.qcowfs.it.matrix;

import org.jspecify.annotations.NullMarked;
