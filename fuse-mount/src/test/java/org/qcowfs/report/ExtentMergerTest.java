package org.qcowfs.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.qcowfs.fakes.Samples.compressed;
import static org.qcowfs.fakes.Samples.data;
import static org.qcowfs.fakes.Samples.hole;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.qcowfs.image.Extent;

final class ExtentMergerTest {
  private static List<Extent> merge(Extent... extents) throws IOException {
    List<Extent> merged = new ArrayList<>();
    ExtentMerger merger = new ExtentMerger(merged::add);
    for (Extent extent : extents) {
      merger.visit(extent);
    }
    merger.finish();
    return merged;
  }

  private static void assertNotMerged(Extent... extents) throws IOException {
    assertThat(merge(extents)).containsExactly(extents);
  }

  @Test
  void noExtentsStayNone() throws IOException {
    assertThat(merge()).isEmpty();
  }

  @Test
  void neighboursThatFollowEachOtherInTheHostFileBecomeOne() throws IOException {
    assertThat(merge(data(0, 10, 100), data(10, 5, 110), data(15, 1, 115)))
        .containsExactly(data(0, 16, 100));
  }

  @Test
  void neighboursWithAGapInTheHostFileStayApart() throws IOException {
    assertNotMerged(data(0, 10, 100), data(10, 5, 111));
    assertNotMerged(data(0, 10, 100), data(10, 5, 0));
  }

  @Test
  void neighboursWithoutAHostOffsetBecomeOne() throws IOException {
    assertThat(merge(hole(0, 10), hole(10, 10))).containsExactly(hole(0, 20));
    assertThat(merge(compressed(0, 10, 1), compressed(10, 10, 1)))
        .containsExactly(compressed(0, 20, 1));
  }

  @Test
  void neighboursOfDifferentFilesStayApart() throws IOException {
    Extent other = new Extent(10, 5, 0, true, false, true, false, 110, Path.of("other.img"));
    assertNotMerged(data(0, 10, 100), other);
  }

  @Test
  void anyFlagThatDiffersKeepsNeighboursApart() throws IOException {
    assertNotMerged(compressed(0, 10, 0), compressed(10, 10, 1));
    assertNotMerged(hole(0, 10), compressed(10, 10, 0));
    assertNotMerged(zero(0, false, false), zero(10, true, false));
    assertNotMerged(zero(0, true, false), zero(10, true, true));
    assertNotMerged(
        data(0, 10, 100),
        new Extent(10, 5, 0, true, true, true, false, 110, data(0, 1, 0).hostFile()));
  }

  private static Extent zero(long start, boolean present, boolean data) {
    return new Extent(start, 10, 0, present, true, data, false, Extent.NO_HOST_OFFSET, null);
  }
}
