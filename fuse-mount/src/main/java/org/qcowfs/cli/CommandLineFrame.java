package org.qcowfs.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.qcowfs.error.ImageLockedException;
import org.qcowfs.report.Printable;
import org.qcowfs.session.Spelling;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IExecutionStrategy;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Runs a command line: picks the command, and turns what it throws into one line on standard error
 * and an exit code.
 */
final class CommandLineFrame
    implements IExecutionStrategy, IParameterExceptionHandler, IExecutionExceptionHandler {
  private final PrintStream err;

  private CommandLineFrame(PrintStream err) {
    this.err = err;
  }

  /** Runs the command and returns the exit code. Throws nothing. */
  static int run(String... args) {
    return run(System.err, args);
  }

  static int run(PrintStream err, String... args) {
    CommandLineFrame frame = new CommandLineFrame(err);
    try {
      return Commands.forArguments(args)
          .setExpandAtFiles(false)
          .setExecutionStrategy(frame)
          .setParameterExceptionHandler(frame)
          .setExecutionExceptionHandler(frame)
          .execute(args);
    } catch (Throwable e) {
      return frame.failed(ErrorMessages.of(e), e, false);
    }
  }

  @Override
  public int execute(ParseResult result) {
    RootCommand root = rootOf(result.commandSpec().commandLine());
    Logging.configure(root.verbosity());
    return new CommandLine.RunLast().execute(result);
  }

  private static RootCommand rootOf(CommandLine line) {
    return (RootCommand) line.getCommandSpec().root().userObject();
  }

  @Override
  public int handleParseException(ParameterException e, String[] rejected) {
    return wrongUsage(e);
  }

  @Override
  public int handleExecutionException(Exception e, CommandLine line, ParseResult result) {
    if (e instanceof ParameterException wrongUsage) {
      return wrongUsage(wrongUsage);
    }
    boolean stackTrace = rootOf(line).verbosity() == Verbosity.DEBUG;
    return failed(ErrorMessages.of(e) + insteadOfWaiting(e, line), e, stackTrace);
  }

  private static String insteadOfWaiting(Throwable e, CommandLine line) {
    return e instanceof ImageLockedException locked && line.getCommand() instanceof ImageUser user
        ? user.insteadOfWaiting(locked.wayOut())
        : "";
  }

  private int failed(String message, Throwable e, boolean stackTrace) {
    print(message);
    if (stackTrace) {
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      err.print(Printable.lines(trace.toString()));
    }
    return ExitCodes.FAILED;
  }

  private int wrongUsage(ParameterException e) {
    String command = e.getCommandLine().getCommandSpec().qualifiedName();
    print(describe(e) + " (usage: " + command + " --help)");
    // Of a check, that number says that the image is corrupt.
    boolean isCheck = e.getCommandLine().getCommand() instanceof CheckCommand;
    return isCheck ? ExitCodes.FAILED : ExitCodes.WRONG_USAGE;
  }

  private static String describe(ParameterException e) {
    if (!(e instanceof UnmatchedArgumentException unmatched)) {
      return e.getMessage();
    }
    String word = unmatched.getUnmatched().get(0);
    boolean option = word.startsWith("-");
    CommandLine line = e.getCommandLine();
    boolean command = !option && !line.getSubcommands().isEmpty();
    String kind = option ? "option" : command ? "command" : "argument";
    String message = "unknown %s '%s'".formatted(kind, word);
    Optional<String> meant =
        Spelling.nearest(word, option ? optionNames(line) : line.getSubcommands().keySet());
    return meant.map(name -> message + "; did you mean '" + name + "'?").orElse(message);
  }

  private static List<String> optionNames(CommandLine line) {
    List<String> names = new ArrayList<>();
    line.getCommandSpec().options().forEach(option -> names.addAll(List.of(option.names())));
    return names;
  }

  private void print(String message) {
    err.println("qcowfs: " + Printable.of(message));
  }
}
