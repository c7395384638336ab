/**
 * What a mount shows: directories and files, in plain Java. Knows the engine's {@link
 * org.qcowfs.image.BlockDevice}, and neither FUSE nor the command line, so tests need no mount.
 */
@NullMarked
package org.qcowfs.tree;

import org.jspecify.annotations.NullMarked;
