package org.qcowfs.cli;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;
import ch.qos.logback.core.util.CachingDateFormatter;
import org.qcowfs.report.Printable;

/**
 * A line of the log: time, level, message, and below it, set in, the stack trace of what was
 * thrown. Whatever names and messages hold, a line of the log stays one, and commands no terminal.
 * Does what a pattern of logback's could, but reading a pattern takes long at start. Any thread may
 * use it.
 */
final class LogLayout extends LayoutBase<ILoggingEvent> {
  private static final int LEVEL_WIDTH = 5;

  private final CachingDateFormatter time = new CachingDateFormatter("yyyy-MM-dd HH:mm:ss.SSS");

  @Override
  public String doLayout(ILoggingEvent event) {
    String level = event.getLevel().toString();
    StringBuilder line = new StringBuilder();
    line.append(time.format(event.getTimeStamp())).append(' ').append(level);
    line.append(" ".repeat(Math.max(0, LEVEL_WIDTH - level.length()))).append(' ');
    line.append(Printable.of(event.getFormattedMessage())).append(System.lineSeparator());
    IThrowableProxy thrown = event.getThrowableProxy();
    if (thrown != null) {
      line.append(Printable.lines(ThrowableProxyUtil.asString(thrown)));
    }
    return line.toString();
  }
}
