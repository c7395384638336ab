/** What a mount lets others do, and what names may bring about: no more than the user asked for. */
@NullMarked
package org.qcowfs.it.privilege;

import org.jspecify.annotations.NullMarked;
