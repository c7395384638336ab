package org.qcowfs.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import java.util.function.BooleanSupplier;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.OptionSpec;

/** The program without a command: its help, its version, and the options that every command has. */
final class RootCommand implements Command {
  private final CommandUsage usage =
      new CommandUsage(
          this, "qcowfs", "Shows the disk inside a virtual-machine image as a plain raw file.");

  private final BooleanSupplier verbose =
      usage.inheritedFlag(OptionSpec.builder("-v", "--verbose"), "Say more in the log.");

  private final BooleanSupplier debug =
      usage.inheritedFlag(
          OptionSpec.builder("--debug"), "Log every step, and show the stack trace of an error.");

  RootCommand() {
    usage.inheritedFlag(
        OptionSpec.builder("-h", "--help").usageHelp(true), "Show this help and end.");
    usage.inheritedFlag(
        OptionSpec.builder("-V", "--version").versionHelp(true), "Show the version and end.");
    usage.footer("", "Exit codes: 0 done, 1 failed, 2 wrong usage.");
    usage.spec().usageMessage().synopsisSubcommandLabel("COMMAND");
    usage.spec().versionProvider(new Version());
  }

  @Override
  public CommandUsage usage() {
    return usage;
  }

  /** How much the user wants to see logged. */
  Verbosity verbosity() {
    if (debug.getAsBoolean()) {
      return Verbosity.DEBUG;
    }
    return verbose.getAsBoolean() ? Verbosity.VERBOSE : Verbosity.NORMAL;
  }

  @Override
  public Integer call() {
    throw usage.wrong("name a command");
  }

  /** Reads the version that Maven leaves in the jar. */
  private static final class Version implements IVersionProvider {
    private static final String RESOURCE = "/META-INF/maven/org.qcowfs/fuse-mount/pom.properties";

    @Override
    public String[] getVersion() throws IOException {
      Properties properties = new Properties();
      try (InputStream in = RootCommand.class.getResourceAsStream(RESOURCE)) {
        if (in != null) {
          properties.load(in);
        }
      }
      return new String[] {"qcowfs " + properties.getProperty("version", "(not packaged)")};
    }
  }
}
