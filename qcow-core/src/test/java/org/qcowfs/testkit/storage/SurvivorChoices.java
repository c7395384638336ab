package org.qcowfs.testkit.storage;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Which parts of pending changes to let survive a power loss: all combinations where they are few;
 * else those that have found most mistakes elsewhere, and random ones.
 */
public final class SurvivorChoices {
  private final long[] changeOfPart;
  private final List<BitSet> choices = new ArrayList<>();

  private SurvivorChoices(long[] changeOfPart) {
    this.changeOfPart = changeOfPart;
  }

  /**
   * Choices for a power loss at this moment.
   *
   * @param most how many choices at most, 3 at least; all there are, if they are no more than that
   * @param random where the random ones come from: the same seed makes the same choices
   */
  public static List<BitSet> of(PowerLossStorage storage, int most, SplittableRandom random) {
    return of(storage.pendingChanges(), most, random);
  }

  /**
   * As {@link #of(PowerLossStorage, int, SplittableRandom)}, for parts from anywhere.
   *
   * @param changeOfPart of each part, which change it belongs to; parts of a change are neighbours
   */
  public static List<BitSet> of(long[] changeOfPart, int most, SplittableRandom random) {
    SurvivorChoices made = new SurvivorChoices(changeOfPart);
    int parts = made.changeOfPart.length;
    if (parts < Integer.SIZE - 1 && 1 << parts <= most) {
      made.addAll(parts);
    } else {
      made.addNoneAndAll(parts);
      made.addChangesByThemselves(most / 2);
      made.addRandom(most, random);
    }
    return made.choices;
  }

  private void addAll(int parts) {
    for (long kept = 0; kept < 1L << parts; kept++) {
      choices.add(BitSet.valueOf(new long[] {kept}));
    }
  }

  private void addNoneAndAll(int parts) {
    choices.add(new BitSet());
    BitSet all = new BitSet();
    all.set(0, parts);
    choices.add(all);
  }

  /** Each change as the only one that survives, and as the only one that does not. */
  private void addChangesByThemselves(int most) {
    for (int from = 0; from < changeOfPart.length && choices.size() + 2 <= most; ) {
      int to = from;
      while (to < changeOfPart.length && changeOfPart[to] == changeOfPart[from]) {
        to++;
      }
      BitSet only = new BitSet();
      only.set(from, to);
      BitSet allBut = new BitSet();
      allBut.set(0, changeOfPart.length);
      allBut.clear(from, to);
      choices.add(only);
      choices.add(allBut);
      from = to;
    }
  }

  /** Whole changes and torn ones in turn. */
  private void addRandom(int most, SplittableRandom random) {
    while (choices.size() < most) {
      boolean torn = choices.size() % 2 == 0;
      BitSet kept = new BitSet();
      boolean keep = false;
      for (int i = 0; i < changeOfPart.length; i++) {
        if (torn || i == 0 || changeOfPart[i] != changeOfPart[i - 1]) {
          keep = random.nextBoolean();
        }
        kept.set(i, keep);
      }
      choices.add(kept);
    }
  }
}
