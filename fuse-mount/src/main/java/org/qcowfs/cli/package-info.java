/**
 * The command line: arguments, messages, exit codes.
 *
 * <p>A command is a picocli class that implements {@code Callable<Integer>}, prints what it was
 * asked for on {@code System.out} and throws when it fails. {@link org.qcowfs.cli.CommandLineFrame}
 * turns an exception into one line on {@code System.err} and the exit code. Exit codes: 0 done, 1
 * failed, 2 wrong usage; of {@code check} those of {@code qemu-img check}. {@link
 * org.qcowfs.cli.Commands} lists the commands.
 */
@NullMarked
package org.qcowfs.cli;

import org.jspecify.annotations.NullMarked;
