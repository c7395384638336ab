/**
 * What is known of an image, put into words and into JSON: for the command line and for the files
 * in {@code .qcowfs}. May use the engine's {@code image} and nothing else; holds no state.
 *
 * <p>The JSON has the fields, the values and the layout of {@code qemu-img info} and {@code
 * qemu-img map} of QEMU 7.2 with {@code --output=json}. The text is our own.
 */
@NullMarked
package org.qcowfs.report;

import org.jspecify.annotations.NullMarked;
