package org.qcowfs.it.matrix;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Chooses few candidates that together hold each legal pair of property values several times: most
 * faults need no more than two properties to meet.
 */
final class PairCover<T> {
  private static final int CANDIDATES = 400;

  private final List<T> all;
  private final Function<T, List<Object>> values;
  private final SplittableRandom random;
  private final Set<T> chosen = new LinkedHashSet<>();
  private final Map<Pair, Integer> missing = new HashMap<>();

  /** Two values of different properties. */
  private record Pair(int firstIndex, Object first, int secondIndex, Object second) {
    boolean isIn(List<Object> values) {
      return values.get(firstIndex).equals(first) && values.get(secondIndex).equals(second);
    }
  }

  private PairCover(
      List<T> all, Function<T, List<Object>> values, int times, SplittableRandom random) {
    this.all = all;
    this.values = values;
    this.random = random;
    all.forEach(candidate -> pairs(candidate).forEach(pair -> missing.put(pair, times)));
  }

  /**
   * Members of {@code all} that hold each pair {@code times} times, where so many hold it at all.
   *
   * @param values the values of a candidate's properties, always in the same order
   */
  static <T> List<T> choose(
      List<T> all, Function<T, List<Object>> values, int times, SplittableRandom random) {
    PairCover<T> cover = new PairCover<>(all, values, times, random);
    while (!cover.missing.isEmpty()) {
      cover.take(cover.best());
    }
    return List.copyOf(cover.chosen);
  }

  /** The best of some random candidates, one of which is sure to hold a missing pair. */
  private T best() {
    Pair wanted = missing.keySet().stream().min(Comparator.comparing(Pair::toString)).orElseThrow();
    List<T> holders =
        all.stream().filter(candidate -> wanted.isIn(values.apply(candidate))).toList();
    return Stream.generate(() -> holders.get(random.nextInt(holders.size())))
        .limit(CANDIDATES)
        .max(Comparator.comparingLong(this::gain))
        .orElseThrow();
  }

  private long gain(T candidate) {
    return chosen.contains(candidate) ? 0 : pairs(candidate).filter(missing::containsKey).count();
  }

  private void take(T candidate) {
    chosen.add(candidate);
    pairs(candidate)
        .forEach(pair -> missing.computeIfPresent(pair, (key, n) -> n == 1 ? null : n - 1));
  }

  private Stream<Pair> pairs(T candidate) {
    List<Object> held = values.apply(candidate);
    List<Pair> pairs = new ArrayList<>();
    for (int i = 0; i < held.size(); i++) {
      for (int j = i + 1; j < held.size(); j++) {
        pairs.add(new Pair(i, held.get(i), j, held.get(j)));
      }
    }
    return pairs.stream();
  }
}
