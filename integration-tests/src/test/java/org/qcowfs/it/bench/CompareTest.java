package org.qcowfs.it.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.Checkout;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.CommandResult;
import org.qcowfs.it.kit.MountTable;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.TestDirectory;

/** {@code bench/compare} and {@code bench/check} run, at sizes that measure nothing. */
@NeedsMounts
final class CompareTest {
  private static final Path BENCH = Checkout.root().resolve("integration-tests/bench");

  /** Longer than its own for what it starts, so that it can say what hangs, and end it. */
  private static final Duration DEADLINE = Duration.ofMinutes(5);

  private final Path directory = TestDirectory.create("bench");

  @AfterEach
  void removeFiles() {
    TestDirectory.delete(directory);
  }

  @Test
  void everySubjectOfARowIsMeasuredAndNothingStaysBehind() throws IOException {
    Path json = directory.resolve("result.json");
    CommandResult result =
        compare("--quick", "--rows", "read-seq,cow-4k,mount", "--json", json).run().succeeded();

    assertThat(result.stdout()).contains("sequential read", "copy-on-write", "time to mounted");
    JsonNode rows = new ObjectMapper().readTree(json.toFile()).get("rows");
    assertThat(rows).hasSize(3);
    for (JsonNode row : rows) {
      Set<String> subjects = new TreeSet<>();
      row.get("subjects").fieldNames().forEachRemaining(subjects::add);
      assertThat(subjects).contains("qcowfs", "qsd");
      row.get("subjects")
          .forEach(subject -> assertThat(subject.get("median").asDouble()).isPositive());
    }
    assertThat(MountTable.below(directory)).isEmpty();
    Files.delete(json);
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void anUnknownRowIsRefusedByName() {
    assertThat(compare("--rows", "read-fast").run().refused()).contains("read-fast", "--list");
  }

  @Test
  void checksOfEveryLayoutAreComparedAndNothingStaysBehind() throws IOException {
    Path json = directory.resolve("result.json");
    command("check", "--quick", "--json", json).run().succeeded();

    JsonNode layouts = new ObjectMapper().readTree(json.toFile());
    assertThat(layouts).hasSize(4);
    for (JsonNode layout : layouts) {
      assertThat(layout.get("qcowfs").get("median").asDouble()).isPositive();
      assertThat(layout.get("qemu-img").get("median").asDouble()).isPositive();
    }
    Files.delete(json);
    assertThat(directory).isEmptyDirectory();
  }

  private Command compare(Object... arguments) {
    return command("compare", arguments);
  }

  private Command command(String name, Object... arguments) {
    return Command.of(BENCH.resolve(name), "--dir", directory)
        .with(List.of(arguments))
        .within(DEADLINE);
  }
}
