/**
 * What the tests of every module build on: files in memory, and an image writer of its own that
 * shares no code with the engine, so that both would have to be wrong in the same way.
 */
@NullMarked
package org.qcowfs.testkit;

import org.jspecify.annotations.NullMarked;
