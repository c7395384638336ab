package org.qcowfs.check;

import java.util.ArrayList;
import java.util.List;

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
  private final List<Fix> fixes = new ArrayList<>();
  private long corruptionCount;
  private long leakCount;
  private boolean hidesReferences;

  @Override
  public void found(Defect defect) {
    add(defect.finding());
    hidesReferences |= defect.hidesReferences();
    if (defect.fix() == Fix.Part.NONE || fixes.size() < FIXES_MAX) {
      fixes.add(defect.fix());
    }
  }

  void add(Finding finding) {
    boolean leak = finding.kind() == Finding.Kind.LEAK;
    List<Finding> kept = leak ? leaks : corruptions;
    if (kept.size() < KEPT_MAX) {
      kept.add(finding);
    }
    if (leak) {
      leakCount += finding.count();
    } else {
      corruptionCount += finding.count();
    }
  }

  @Override
  public boolean wantsText() {
    return corruptions.size() < KEPT_MAX;
  }

  @Override
  public void more(long count) {
    corruptionCount += count;
    // Flags that nobody reads about are to be corrected all the same.
    if (fixes.size() < FIXES_MAX) {
      fixes.add(Fix.Part.COUNTS);
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

  List<Fix> fixes() {
    return fixes;
  }

  boolean needs(Fix fix) {
    return fixes.contains(fix);
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
