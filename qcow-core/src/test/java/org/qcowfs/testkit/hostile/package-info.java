/** Images made to harm: valid ones, in which fields were changed by a seed. */
@NullMarked
package org.qcowfs.testkit.hostile;

import org.jspecify.annotations.NullMarked;
