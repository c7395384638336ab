package org.qcowfs.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Valid images with one field set to one wrong value: our check says what {@code qemu-img check}
 * says, number by number, unless {@link Disagreement} knows why not. A part of the values is tried;
 * {@code -Dqcowfs.mutations=all} tries them all.
 */
final class CheckAgreementTest {
  private static final boolean ALL = "all".equals(System.getProperty("qcowfs.mutations"));
  private static final int STEP = ALL ? 1 : 11;

  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource
  void checkAgreesWithQemuOnEveryBrokenField(CheckShape shape) throws IOException {
    Files.write(directory.resolve("base.raw"), new byte[1 << 20]);
    Path file = directory.resolve("m.qcow2");
    Map<Disagreement, Integer> reasons = new EnumMap<>(Disagreement.class);
    List<String> unexplained = new ArrayList<>();
    List<Mutation> mutations = Mutation.of(shape);
    int tried = 0;
    for (int i = shape.clusterBits % STEP; i < mutations.size(); i += STEP) {
      Mutation broken = mutations.get(i);
      Files.deleteIfExists(file);
      broken.apply().writeTo(file);
      CheckAnswer ours = CheckAnswer.ofOurs(file);
      CheckAnswer qemu = CheckAnswer.ofQemu(file);
      tried++;
      if (!ours.agreesWith(qemu)) {
        Optional<Disagreement> reason =
            Arrays.stream(Disagreement.values())
                .filter(known -> known.explains(broken, ours, qemu))
                .findFirst();
        reason.ifPresent(known -> reasons.merge(known, 1, Integer::sum));
        if (reason.isEmpty()) {
          unexplained.add("%s: ours %s, QEMU %s".formatted(broken, ours, qemu));
        }
      }
    }
    System.out.printf("%s: %d mutations, disagreements %s%n", shape, tried, reasons);
    assertThat(unexplained).isEmpty();
    int explained = reasons.values().stream().mapToInt(Integer::intValue).sum();
    assertThat(explained).as("disagreements").isLessThan(tried / 3);
  }

  @ParameterizedTest
  @EnumSource
  void aValidImageIsClean(CheckShape shape) throws IOException {
    Files.write(directory.resolve("base.raw"), new byte[1 << 20]);
    Path file = shape.build().writeTo(directory.resolve("m.qcow2"));

    assertThat(CheckAnswer.ofOurs(file).exitCode()).isZero();
    assertThat(CheckAnswer.ofOurs(file).agreesWith(CheckAnswer.ofQemu(file))).isTrue();
  }
}
