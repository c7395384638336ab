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
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the arrows of ARCHITECTURE.md within the mount: nothing points back. */
final class ArchitectureTest {
  private static final JavaClasses MOUNT =
      new ClassFileImporter().importPath(Path.of("target", "classes"));

  /** What of the engine every package may use: its API, and why something was refused. */
  private static final Set<String> ENGINE_API =
      Set.of("image", "image.partition", "check", "error");

  /** Every package of the mount, and those beside it that it may use. */
  private static final Map<String, Set<String>> ARROWS =
      new TreeMap<>(
          Map.of(
              "errno", Set.of(),
              "report", Set.of(),
              "doctor", Set.of(),
              "tree", Set.of("report"),
              "fuse.wire", Set.of(),
              "fuse", Set.of("fuse.wire", "tree", "errno"),
              "session", Set.of("fuse", "tree", "errno"),
              "cli", Set.of("session", "fuse", "tree", "errno", "report", "doctor")));

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
        .check(MOUNT);
  }

  @Test
  void everyPackageHasItsPlaceAmongTheArrows() {
    String[] known = packages().map(ArchitectureTest::qualified).toArray(String[]::new);
    classes().should().resideInAnyPackage(known).check(MOUNT);
  }

  @Test
  void jnrFuseIsUsedByTheFusePackageAlone() {
    noClasses()
        .that()
        .resideOutsideOfPackage(qualified("fuse"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("ru.serce..")
        .check(MOUNT);
  }

  @Test
  void nativeCallsAreMadeByFuseAndSessionAlone() {
    noClasses()
        .that()
        .resideOutsideOfPackages(qualified("fuse"), qualified("fuse.wire"), qualified("session"))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("jnr..", "com.kenai..")
        .check(MOUNT);
  }

  @Test
  void onlyTheCommandLineEndsTheProcess() {
    noClasses()
        .that()
        .resideOutsideOfPackage(qualified("cli"))
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "halt", int.class)
        .check(MOUNT);
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
    return Stream.of(Stream.of(name), ARROWS.get(name).stream(), ENGINE_API.stream())
        .flatMap(names -> names)
        .map(ArchitectureTest::qualified)
        .toArray(String[]::new);
  }

  private static String qualified(String name) {
    return "org.qcowfs." + name;
  }
}
