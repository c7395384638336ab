/**
 * Enumerates what a crash may leave of an image: guest threads run one at a time in an order that a
 * seed decides, what reaches the host files is recorded, and each state that the record allows is
 * judged by an oracle that shares no code with the engine.
 */
@NullMarked
package org.qcowfs.testkit.crash;

import org.jspecify.annotations.NullMarked;
