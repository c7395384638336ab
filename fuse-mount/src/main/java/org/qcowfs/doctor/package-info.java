/**
 * Examines whether this machine can mount: what is there, what is missing, and the command that
 * mends it. Each thing that a mount needs is one {@link org.qcowfs.doctor.Check}; nothing is
 * changed, but for a file that is made and removed again to try locks.
 *
 * <p>May call the engine's {@code image} and {@code error}, and makes no native calls of its own.
 */
@NullMarked
package org.qcowfs.doctor;

import org.jspecify.annotations.NullMarked;
