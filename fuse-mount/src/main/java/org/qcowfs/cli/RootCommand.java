package org.qcowfs.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The program without a command: its help, its version, and the options that every command has. */
@Command(
    name = "qcowfs",
    description = "Shows the disk inside a virtual-machine image as a plain raw file.",
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = RootCommand.Version.class,
    footer = {"", "Exit codes: 0 done, 1 failed, 2 wrong usage."})
final class RootCommand implements Runnable {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help and end.")
  @SuppressWarnings("UnusedVariable") // picocli looks at it
  private boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show the version and end.")
  @SuppressWarnings("UnusedVariable") // picocli looks at it
  private boolean version;

  @Option(
      names = {"-v", "--verbose"},
      scope = ScopeType.INHERIT,
      description = "Say more in the log.")
  private boolean verbose;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Log every step, and show the stack trace of an error.")
  private boolean debug;

  @Spec private CommandSpec spec;

  /** How much the user wants to see logged. */
  Verbosity verbosity() {
    if (debug) {
      return Verbosity.DEBUG;
    }
    return verbose ? Verbosity.VERBOSE : Verbosity.NORMAL;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "name a command");
  }

  /** Reads the version that Maven leaves in the jar. */
  static final class Version implements IVersionProvider {
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
