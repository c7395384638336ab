/** What the fuzz targets share. */
@NullMarked
package org.qcowfs.testkit.fuzz;

import org.jspecify.annotations.NullMarked;
