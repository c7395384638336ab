package org.qcowfs.cli;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/**
 * What a command takes, and what its help says. Each argument is added by a method that returns
 * where its value will be once the command line has been read.
 *
 * <p>picocli is told by its builders. Its annotations would say the same, but to read them takes
 * Java a third of the time of a short command. Nothing in this package makes a lambda of an
 * interface of picocli's, or one that holds an object of its: Java then leaves that class, and all
 * that extend it, out of the archive that it starts from.
 */
final class CommandUsage {
  private final CommandSpec spec;

  /**
   * @param command what is called once the command line has been read
   */
  CommandUsage(Callable<Integer> command, String name, String description) {
    spec = CommandSpec.wrapWithoutInspection(command).name(name);
    spec.usageMessage().description(description);
  }

  /** For picocli. */
  CommandSpec spec() {
    return spec;
  }

  /** Lines at the end of the help. */
  void footer(String... lines) {
    spec.usageMessage().footer(lines);
  }

  /** The command was not used as it should be. */
  ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** As {@link #wrong(String)}, in the words of an exception. */
  ParameterException wrong(Exception e) {
    return new ParameterException(spec.commandLine(), e.getMessage(), e);
  }

  /** An option without a value. */
  BooleanSupplier flag(String description, String... names) {
    return given(OptionSpec.builder(names).type(boolean.class), description);
  }

  private BooleanSupplier given(OptionSpec.Builder builder, String description) {
    OptionSpec option = builder.description(description).build();
    spec.addOption(option);
    return new Flag(option);
  }

  /** An option without a value that has an opposite; null where neither is given. */
  Supplier<@Nullable Boolean> choice(String description, String name) {
    return add(
        OptionSpec.builder(name).type(Boolean.class).negatable(true).description(description));
  }

  /** An option with a text as its value; null where it is not given. */
  Supplier<@Nullable String> text(String label, String description, String... names) {
    return add(
        OptionSpec.builder(names)
            .type(String.class)
            .arity("1")
            .paramLabel(label)
            .description(description));
  }

  /** An option with a text as its value, which may be given several times. */
  Supplier<List<String>> texts(String label, String description, String... names) {
    Supplier<@Nullable List<String>> given =
        add(
            OptionSpec.builder(names)
                .type(List.class)
                .auxiliaryTypes(String.class)
                .arity("1")
                .paramLabel(label)
                .description(description));
    return () -> Objects.requireNonNullElse(given.get(), List.of());
  }

  /** An option with a value that is converted; null where it is not given. */
  <T> Supplier<@Nullable T> value(
      Class<T> type,
      ITypeConverter<T> converter,
      String label,
      String description,
      String... names) {
    return add(
        OptionSpec.builder(names)
            .type(type)
            .converters(converter)
            .arity("1")
            .paramLabel(label)
            .description(description));
  }

  /** An argument that must be given. */
  <T> Supplier<T> required(int index, Class<T> type, String label, String description) {
    return add(positional(index, type, label, description).arity("1").required(true));
  }

  /** An argument that may be left out; null then. */
  <T> Supplier<@Nullable T> optional(int index, Class<T> type, String label, String description) {
    return add(positional(index, type, label, description).arity("0..1"));
  }

  private static PositionalParamSpec.Builder positional(
      int index, Class<?> type, String label, String description) {
    return PositionalParamSpec.builder()
        .index(String.valueOf(index))
        .type(type)
        .paramLabel(label)
        .description(description);
  }

  private <T> Supplier<T> add(OptionSpec.Builder builder) {
    OptionSpec option = builder.build();
    spec.addOption(option);
    return new Value<>(option);
  }

  private <T> Supplier<T> add(PositionalParamSpec.Builder builder) {
    PositionalParamSpec argument = builder.build();
    spec.addPositional(argument);
    return new Value<>(argument);
  }

  private record Flag(OptionSpec option) implements BooleanSupplier {
    @Override
    public boolean getAsBoolean() {
      return Boolean.TRUE.equals(option.<Boolean>getValue());
    }
  }

  private record Value<T>(ArgSpec argument) implements Supplier<T> {
    @Override
    public T get() {
      return argument.getValue();
    }
  }

  /** What every command has: options that are asked of the command behind them as well. */
  BooleanSupplier inheritedFlag(OptionSpec.Builder option, String description) {
    return given(option.type(boolean.class).scopeType(ScopeType.INHERIT), description);
  }
}
