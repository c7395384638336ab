package org.qcowfs.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import org.qcowfs.check.CheckReport;
import org.qcowfs.check.Finding;
import org.qcowfs.check.ImageCheck;
import org.qcowfs.error.Qcow2Exception;

/**
 * How corrupt an image is.
 *
 * @param all as {@code qemu-img check} counts, but for COPIED flags that are clear and need not be:
 *     they cost a copy, and nobody is harmed. Two entries of one disk that name the same cluster
 *     leave one, when the other is written to; only a walk through all tables would find it
 * @param ofStructures those of them that are more than a refcount or a COPIED flag which does not
 *     fit the pointers to a cluster of data
 * @param hidden whether there are pointers to data which a disk open for writing cannot know to be
 *     wrong as long as nobody asks for them: that takes a walk through all tables. Clusters that
 *     they name may be given to others meanwhile
 */
record Corruptions(long all, long ofStructures, boolean hidden) {
  private static final Pattern WRONG_PLACE = Pattern.compile("past the end|not aligned");

  /** Of the image in the file; empty where it cannot be checked, or not everything is listed. */
  static Optional<Corruptions> of(Path file) throws IOException {
    CheckReport report;
    try {
      report =
          Images.check(
              file, OpenOptions.defaults(), Images.Repair.NONE, ImageCheck.Progress.SILENT);
    } catch (Qcow2Exception refused) {
      return Optional.empty();
    }
    long listed = 0;
    long structures = 0;
    long needless = 0;
    boolean hidden = false;
    for (Finding finding : report.findings()) {
      if (finding.kind() == Finding.Kind.CORRUPTION) {
        boolean refcounts = isOfRefcounts(finding);
        listed += finding.count();
        structures += refcounts ? 0 : finding.count();
        needless += finding.problem().startsWith("COPIED is clear") ? finding.count() : 0;
        hidden |= refcounts || WRONG_PLACE.matcher(finding.problem()).find();
      }
    }
    if (listed < report.corruptions()) {
      return Optional.empty();
    }
    return Optional.of(new Corruptions(report.corruptions() - needless, structures, hidden));
  }

  private static boolean isOfRefcounts(Finding finding) {
    return finding.structure().equals("Cluster")
        || finding.problem().contains("COPIED")
        || finding.problem().contains("refcount");
  }

  /** Whether an image is no worse than it was before somebody wrote to it. */
  boolean isNoWorseThan(Corruptions before) {
    return before.hidden ? ofStructures <= before.ofStructures : all <= before.all;
  }
}
