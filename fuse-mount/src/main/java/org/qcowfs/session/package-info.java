/**
 * A mount from its beginning to its end: options, checks, signals, the record that {@code umount}
 * reads, the unmount itself. May call {@code fuse}, {@code tree} and the engine.
 */
@NullMarked
package org.qcowfs.session;

import org.jspecify.annotations.NullMarked;
