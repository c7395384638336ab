package org.qcowfs.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.qcowfs.session.MountSession;
import picocli.CommandLine;

/**
 * The commands, by name. Each is made only when it is needed, since making it costs start-up time.
 */
final class Commands {
  private static final Map<String, Supplier<Command>> BY_NAME = new LinkedHashMap<>();

  static {
    BY_NAME.put("mount", MountCommand::new);
    BY_NAME.put("umount", UmountCommand::new);
    BY_NAME.put("cache", CacheCommand::new);
    BY_NAME.put("info", InfoCommand::new);
    BY_NAME.put("map", MapCommand::new);
    BY_NAME.put("check", CheckCommand::new);
    BY_NAME.put("doctor", DoctorCommand::new);
  }

  private Commands() {}

  /**
   * The command line with the one command that the arguments begin with, or else with all of them.
   */
  static CommandLine forArguments(String... args) {
    String first = firstWord(args);
    if (first.equals("mount")) {
      MountSession.prepare(); // picocli takes a good part of a start, and so does what this loads
    }
    CommandLine root = new CommandLine(new RootCommand().usage().spec());
    if (BY_NAME.containsKey(first)) {
      add(root, first);
    } else {
      BY_NAME.keySet().forEach(name -> add(root, name));
    }
    return root;
  }

  private static String firstWord(String... args) {
    for (String argument : args) {
      if (!argument.startsWith("-")) {
        return argument;
      }
    }
    return "";
  }

  /** The names in the order of the help. */
  static Iterable<String> names() {
    return BY_NAME.keySet();
  }

  private static void add(CommandLine root, String name) {
    root.addSubcommand(name, BY_NAME.get(name).get().usage().spec());
  }
}
