package org.qcowfs.check;

import java.util.List;

/**
 * What a check has found, and what a repair before it has done. Errors are counted as {@code
 * qemu-img check} counts them.
 *
 * @param checkErrors parts that could not be checked
 * @param correctionsOfCorruptions corruptions that the repair has put right
 * @param returnedLeaks leaks that the repair has given back
 * @param imageEndOffset host offset behind the last cluster in use
 * @param totalClusters clusters of the active disk
 * @param allocatedClusters those of them that have a place in the file
 * @param fragmentedClusters those whose place does not follow that of the one before
 * @param compressedClusters those that are compressed
 * @param findings the first ones of each kind
 * @param repairs what the repair has done, a line each
 */
public record CheckReport(
    long checkErrors,
    long corruptions,
    long leaks,
    long correctionsOfCorruptions,
    long returnedLeaks,
    long imageEndOffset,
    long totalClusters,
    long allocatedClusters,
    long fragmentedClusters,
    long compressedClusters,
    List<Finding> findings,
    List<String> repairs) {
  /** Nothing is wrong with the image. */
  public boolean isClean() {
    return checkErrors == 0 && corruptions == 0 && leaks == 0;
  }

  /** The same after a repair. */
  CheckReport after(long corrected, long returned, List<String> done) {
    return new CheckReport(
        checkErrors,
        corruptions,
        leaks,
        corrected,
        returned,
        imageEndOffset,
        totalClusters,
        allocatedClusters,
        fragmentedClusters,
        compressedClusters,
        findings,
        List.copyOf(done));
  }
}
