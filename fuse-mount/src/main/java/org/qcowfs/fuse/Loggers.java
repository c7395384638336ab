package org.qcowfs.fuse;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives out loggers to one thread at a time. The first that asks loads the logging library; another
 * one that asked meanwhile would get a logger that keeps its lines for later, or loses them.
 */
public final class Loggers {
  private Loggers() {}

  public static synchronized Logger of(Class<?> type) {
    return LoggerFactory.getLogger(type);
  }
}
