package org.qcowfs.check;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Collects what a walk finds: all of it as numbers, the first of each kind as text, and what a
 * repair would do as far as there is room.
 *
 * <p>Thread rules: used by one thread.
 */
final class Findings implements Defect.Listener {
  private static final int KEPT_MAX = 200;
  private static final int FIXES_MAX = 20_000;

  private final List<Finding> corruptions = new ArrayList<>();
  private final List<Finding> leaks = new ArrayList<>();
  private final Set<Fix.Part> parts = EnumSet.noneOf(Fix.Part.class);
  private final List<Fix.Words> words = new ArrayList<>();
  private final List<Fix.Relocate> moves = new ArrayList<>();
  private long corruptionCount;
  private long leakCount;
  private boolean hidesReferences;

  @Override
  public void found(Defect defect) {
    add(defect.finding());
    hidesReferences |= defect.hidesReferences();
    add(defect.fix());
  }

  void add(Finding finding) {
    if (keeps(finding.kind())) {
      keptOf(finding.kind()).add(finding);
    }
    if (finding.kind() == Finding.Kind.LEAK) {
      leakCount += finding.count();
    } else {
      corruptionCount += finding.count();
    }
  }

  @Override
  public boolean wantsText() {
    return keeps(Finding.Kind.CORRUPTION);
  }

  /** Whether a further finding of the kind would be kept, and not only counted. */
  boolean keeps(Finding.Kind kind) {
    return keptOf(kind).size() < KEPT_MAX;
  }

  private List<Finding> keptOf(Finding.Kind kind) {
    return kind == Finding.Kind.LEAK ? leaks : corruptions;
  }

  @Override
  public void more(long count) {
    corruptionCount += count;
    // Flags that nobody reads about are to be corrected all the same.
    add(Fix.Part.COUNTS);
  }

  /** Of those that come in floods, the first ones are enough for one round of a repair. */
  private void add(Fix fix) {
    if (fix instanceof Fix.Part part) {
      parts.add(part);
    } else if (fix instanceof Fix.Relocate move) {
      if (moves.size() < FIXES_MAX) {
        moves.add(move);
      }
    } else if (words.size() < FIXES_MAX) {
      words.add((Fix.Words) fix);
    }
  }

  /** The findings that are kept, corruptions first. */
  List<Finding> kept() {
    List<Finding> all = new ArrayList<>(corruptions);
    all.addAll(leaks);
    return List.copyOf(all);
  }

  List<Finding> keptCorruptions() {
    return corruptions;
  }

  List<Fix.Words> words() {
    return words;
  }

  List<Fix.Relocate> moves() {
    return moves;
  }

  boolean needs(Fix.Part part) {
    return parts.contains(part);
  }

  /** Nothing is to be repaired. */
  boolean isEmpty() {
    return parts.isEmpty() && words.isEmpty() && moves.isEmpty();
  }

  /** Equal for two walks where a repair would do the same. */
  int repairHash() {
    return Objects.hash(new ArrayList<>(parts), words, moves, corruptionCount, leakCount);
  }

  long corruptions() {
    return corruptionCount;
  }

  long leaks() {
    return leakCount;
  }

  /** Whether something may be referred to by what could not be read. */
  boolean hidesReferences() {
    return hidesReferences;
  }
}
