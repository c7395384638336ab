/** What is written through a real mount, where it goes, and when it is safe. */
@NullMarked
package org.qcowfs.it.write;

import org.jspecify.annotations.NullMarked;
