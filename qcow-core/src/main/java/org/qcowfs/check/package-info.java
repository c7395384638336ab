/**
 * What is wrong with an image, and how to put it right. For now: refcounts counted anew from every
 * table that refers to a cluster, and the COPIED flags that follow from them.
 */
@NullMarked
package org.qcowfs.check;

import org.jspecify.annotations.NullMarked;
