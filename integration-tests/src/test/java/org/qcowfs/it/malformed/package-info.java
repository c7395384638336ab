/**
 * Images that break the format, one field at a time: each must be refused with the field and its
 * value, or be shown for reading with the reason why a part of it is missing.
 */
@NullMarked
package org.qcowfs.it.malformed;

import org.jspecify.annotations.NullMarked;
