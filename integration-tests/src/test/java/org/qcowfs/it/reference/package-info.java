/** What an image that nobody trusts can make a mount open: nothing that the user did not allow. */
@NullMarked
package org.qcowfs.it.reference;

import org.jspecify.annotations.NullMarked;
