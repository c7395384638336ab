package org.qcowfs;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the arrows of ARCHITECTURE.md within the engine: nothing points back. */
final class ArchitectureTest {
  private static final JavaClasses ENGINE =
      new ClassFileImporter().importPath(Path.of("target", "classes"));

  /** Every package of the engine, and the packages of ours that it may use besides itself. */
  private static final Map<String, Set<String>> ARROWS = arrows();

  private static Map<String, Set<String>> arrows() {
    Map<String, Set<String>> arrows = new TreeMap<>();
    arrows.put("error", Set.of());
    arrows.put("geometry", Set.of("error"));
    arrows.put("storage", Set.of("geometry", "error"));
    arrows.put("format", Set.of("geometry", "error"));
    arrows.put("compress", Set.of("geometry", "error"));
    arrows.put("crypto", Set.of("geometry", "error"));
    arrows.put("cache", Set.of("storage", "geometry", "error"));
    arrows.put("alloc", Set.of("format", "cache", "storage", "geometry", "error"));
    arrows.put(
        "mapping",
        Set.of("compress", "crypto", "format", "alloc", "cache", "storage", "geometry", "error"));
    for (String view : List.of("check", "snapshot", "bitmap")) {
      arrows.put(
          view, Set.of("format", "mapping", "alloc", "cache", "storage", "geometry", "error"));
    }
    arrows.put(
        "image",
        Set.of(
            "check",
            "snapshot",
            "bitmap",
            "format",
            "mapping",
            "alloc",
            "cache",
            "storage",
            "geometry",
            "error"));
    arrows.put("image.partition", Set.of("image", "geometry", "error"));
    return arrows;
  }

  static Stream<String> packages() {
    return ARROWS.keySet().stream();
  }

  @ParameterizedTest
  @MethodSource("packages")
  void aPackageUsesOnlyWhatItsArrowsPointAt(String name) {
    noClasses()
        .that()
        .resideInAPackage(qualified(name))
        .should()
        .dependOnClassesThat(
            resideInAPackage("org.qcowfs..").and(not(resideInAnyPackage(allowed(name)))))
        .allowEmptyShould(true)
        .check(ENGINE);
  }

  @Test
  void everyPackageHasItsPlaceAmongTheArrows() {
    String[] known = packages().map(ArchitectureTest::qualified).toArray(String[]::new);
    classes().should().resideInAnyPackage(known).check(ENGINE);
  }

  @Test
  void nativeCallsAreMadeByPosixAndItsLibraryAndByTheCodecOfALibraryAlone() {
    noClasses()
        .that()
        .haveNameNotMatching(
            "org\\.qcowfs\\.(storage\\.(Posix|LibC)|compress\\.LibDeflate)(\\$.*)?")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("jnr..", "com.kenai..")
        .check(ENGINE);
  }

  @Test
  void formatAndClusterCodecsDoNoInputOrOutput() {
    noClasses()
        .that()
        .resideInAnyPackage(
            qualified("format"), qualified("geometry"), qualified("compress"), qualified("crypto"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("java.nio.channels..", "java.nio.file..", "java.net..")
        .allowEmptyShould(true)
        .check(ENGINE);
  }

  @Test
  void theEngineNeverEndsTheProcess() {
    noClasses()
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "halt", int.class)
        .check(ENGINE);
  }

  @Test
  void theArrowsThemselvesNeverPointBack() {
    ARROWS.forEach(
        (name, allowed) ->
            allowed.forEach(
                used ->
                    assertThat(ARROWS.get(used)).as("what %s may use", used).doesNotContain(name)));
  }

  private static String[] allowed(String name) {
    return Stream.concat(Stream.of(name), ARROWS.get(name).stream())
        .map(ArchitectureTest::qualified)
        .toArray(String[]::new);
  }

  private static String qualified(String name) {
    return "org.qcowfs." + name;
  }
}
