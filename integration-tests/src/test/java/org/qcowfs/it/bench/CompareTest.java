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

/** {@code bench/compare} runs, at sizes that measure nothing. */
@NeedsMounts
final class CompareTest {
  private static final Path COMPARE = Checkout.root().resolve("integration-tests/bench/compare");

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

  private Command compare(Object... arguments) {
    return Command.of(COMPARE, "--dir", directory).with(List.of(arguments)).within(DEADLINE);
  }
}
