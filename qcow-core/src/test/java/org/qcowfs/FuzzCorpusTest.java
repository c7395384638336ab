package org.qcowfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Runs every fuzz target over its corpus: inputs that a fuzzer found to reach different code, and,
 * named by what was wrong, those that once failed. {@code -Dqcowfs.fuzz.corpus=target/fuzz} for
 * what a run has just found. The time limit is for those that would never end. How to fuzz is told
 * in CONTRIBUTING.md.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class FuzzCorpusTest {
  private static final Path OURS = Path.of("src/test/resources/fuzz");
  private static final Path CORPUS =
      Path.of(System.getProperty("qcowfs.fuzz.corpus", OURS.toString()));

  private static final Path CLASSES = Path.of("target", "test-classes", "org", "qcowfs");
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** An image is read, changed and checked; each of them may allocate 64 MiB and take 2 s. */
  private static final int PARTS = 3;

  private static final long MAX_ALLOCATED_BYTES = PARTS * (64L << 20);
  private static final long MAX_CPU_NANOS = PARTS * 2_000_000_000L;

  /** The targets, by their names below our base package; their corpus has the same name. */
  static List<String> targets() throws IOException {
    try (Stream<Path> classes = Files.walk(CLASSES)) {
      return classes
          .map(file -> CLASSES.relativize(file).toString())
          .filter(name -> name.endsWith("Fuzz.class"))
          .map(name -> name.replace(".class", "").replace('/', '.'))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("targets")
  void noInputOfTheCorpusDoesHarm(String target) throws Throwable {
    Method method =
        Class.forName("org.qcowfs." + target).getMethod("fuzzerTestOneInput", byte[].class);
    assumeThat(CORPUS.equals(OURS) || Files.isDirectory(CORPUS.resolve(target))).isTrue();
    List<Path> inputs = inputs(CORPUS.resolve(target));
    assertThat(inputs).as("corpus of %s", target).isNotEmpty();
    for (Path input : inputs) {
      long allocated = THREADS.getCurrentThreadAllocatedBytes();
      long cpu = THREADS.getCurrentThreadCpuTime();
      try {
        method.invoke(null, (Object) Files.readAllBytes(input));
      } catch (InvocationTargetException e) {
        throw new AssertionError(input.toString(), e.getCause());
      }
      assertThat(THREADS.getCurrentThreadAllocatedBytes() - allocated)
          .as("bytes allocated by %s", input)
          .isLessThan(MAX_ALLOCATED_BYTES);
      assertThat(THREADS.getCurrentThreadCpuTime() - cpu)
          .as("CPU time in ns of %s", input)
          .isLessThan(MAX_CPU_NANOS);
    }
  }

  private static List<Path> inputs(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }
}
