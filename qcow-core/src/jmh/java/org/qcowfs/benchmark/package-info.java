/** Benchmarks of the engine's inner parts, without a mount; CONTRIBUTING.md says how to run them. */
@NullMarked
package org.qcowfs.benchmark;

import org.jspecify.annotations.NullMarked;
