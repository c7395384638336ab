package org.qcowfs.session;

import java.nio.file.Path;

/**
 * What to mount where.
 *
 * @param image the image file as the user named it
 * @param mountpoint the directory or file as the user named it
 * @param daemon whether the session goes on in the background, with a log file
 */
public record MountRequest(Path image, Path mountpoint, MountOptions options, boolean daemon) {}
