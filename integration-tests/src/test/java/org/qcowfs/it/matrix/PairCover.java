package org.qcowfs.it.matrix;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * Chooses few variants that together hold each legal pair of property values several times: most
 * faults of a read path need no more than two properties to meet.
 */
final class PairCover {
  private static final int CANDIDATES = 400;

  private final List<ImageVariant> all;
  private final SplittableRandom random;
  private final Set<ImageVariant> chosen = new LinkedHashSet<>();
  private final Map<Pair, Integer> missing = new HashMap<>();

  /** Two values of different properties. */
  private record Pair(int firstIndex, Object first, int secondIndex, Object second) {}

  private PairCover(List<ImageVariant> all, int times, SplittableRandom random) {
    this.all = all;
    this.random = random;
    all.forEach(variant -> pairs(variant).forEach(pair -> missing.put(pair, times)));
  }

  /**
   * Variants of {@code all} that hold each pair {@code times} times, where so many hold it at all.
   */
  static List<ImageVariant> choose(List<ImageVariant> all, int times, SplittableRandom random) {
    PairCover cover = new PairCover(all, times, random);
    while (!cover.missing.isEmpty()) {
      cover.take(cover.best());
    }
    return List.copyOf(cover.chosen);
  }

  /** The best of some random candidates, one of which is sure to hold a missing pair. */
  private ImageVariant best() {
    Pair wanted = missing.keySet().stream().min(Comparator.comparing(Pair::toString)).orElseThrow();
    List<ImageVariant> holders =
        all.stream().filter(v -> pairs(v).anyMatch(wanted::equals)).toList();
    return Stream.generate(() -> holders.get(random.nextInt(holders.size())))
        .limit(CANDIDATES)
        .max(Comparator.comparingLong(this::gain))
        .orElseThrow();
  }

  private long gain(ImageVariant variant) {
    return chosen.contains(variant) ? 0 : pairs(variant).filter(missing::containsKey).count();
  }

  private void take(ImageVariant variant) {
    chosen.add(variant);
    pairs(variant)
        .forEach(pair -> missing.computeIfPresent(pair, (key, n) -> n == 1 ? null : n - 1));
  }

  private static Stream<Pair> pairs(ImageVariant variant) {
    List<Object> values = variant.values();
    List<Pair> pairs = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      for (int j = i + 1; j < values.size(); j++) {
        pairs.add(new Pair(i, values.get(i), j, values.get(j)));
      }
    }
    return pairs.stream();
  }
}
