package org.qcowfs.check;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
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

  /**
   * Equal for two walks where a repair would do the same, and only there: hash codes of words of
   * garbage are the same more often than one would think.
   */
  String repairDigest() {
    MessageDigest digest = sha256();
    ByteBuffer fix = ByteBuffer.allocate(8 * Long.BYTES);
    for (Fix.Part part : parts) {
      digest.update(part.name().getBytes(StandardCharsets.US_ASCII));
    }
    for (Fix.Words each : words) {
      fix.clear().putLong(each.hostOffset()).putLong(each.first()).putLong(each.second());
      digest.update(fix.putInt((each.two() ? 2 : 0) + (each.inL2() ? 1 : 0)).flip());
    }
    for (Fix.Relocate each : moves) {
      fix.clear().putLong(each.pointerOffset()).putLong(each.pointer()).putLong(each.hostOffset());
      digest.update(fix.putLong(each.bytes()).putInt(each.zeros() ? 1 : 0).flip());
      digest.update(each.kind().name().getBytes(StandardCharsets.US_ASCII));
    }
    digest.update(fix.clear().putLong(corruptionCount).putLong(leakCount).flip());
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has it", e);
    }
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
