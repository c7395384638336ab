package org.qcowfs.it.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.qcowfs.it.kit.Checkout;
import org.qcowfs.it.kit.Command;
import org.qcowfs.it.kit.NeedsMounts;
import org.qcowfs.it.kit.TestDirectory;

/** {@code bench/counts}: host calls, bytes and allocations of fixed work, against the baseline. */
@NeedsMounts
final class CountsTest {
  private static final Path BENCH = Checkout.root().resolve("integration-tests/bench");

  private final Path directory = TestDirectory.create("counts");

  @AfterEach
  void removeFiles() {
    TestDirectory.delete(directory);
  }

  @Test
  void fixedWorkCostsNoMoreThanTheBaselineAllows() {
    System.out.print(counts().run().succeeded().stdout());
  }

  @Test
  void whatCostsMoreThanTheBaselineIsNamed() throws IOException {
    String baseline = Files.readString(BENCH.resolve("baseline.json"));
    String row = baseline.lines().filter(l -> l.contains("\"read-4k\"")).findFirst().orElseThrow();
    String cheaper = row.replaceFirst("\"reads\": \\d+", "\"reads\": 100");
    Path changed = directory.resolve("baseline.json");
    Files.writeString(changed, baseline.replace(row, cheaper));

    String refusal = counts("--rows", "read-4k", "--baseline", changed).run().exited(1).stderr();

    assertThat(refusal).contains("baseline.json").contains("read-4k reads").contains("--update");
  }

  private Command counts(Object... arguments) {
    return Command.of(BENCH.resolve("counts"), "--dir", directory).with(List.of(arguments));
  }
}
