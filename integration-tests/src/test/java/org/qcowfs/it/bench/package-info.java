/** That the benchmark works, and that fixed work costs no more than it did. Measures no time. */
@NullMarked
package org.qcowfs.it.bench;

import org.jspecify.annotations.NullMarked;
