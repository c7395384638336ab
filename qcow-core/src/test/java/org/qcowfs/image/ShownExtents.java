package org.qcowfs.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Extents as text, after what holds of all extents has been checked. */
final class ShownExtents {
  private ShownExtents() {}

  /** The extents of a range; those that are alike and touch are made one. */
  static List<String> extents(BlockDevice device, long start, long length) throws IOException {
    List<Extent> merged = new ArrayList<>();
    long[] at = {start};
    device.extents(
        start,
        length,
        extent -> {
          assertThat(extent.start()).as("no gap and no overlap").isEqualTo(at[0]);
          assertThat(extent.length()).isPositive();
          assertThat(extent.hostFile() == null)
              .isEqualTo(extent.hostOffset() == Extent.NO_HOST_OFFSET);
          at[0] += extent.length();
          add(merged, extent);
        });
    assertThat(at[0]).as("the whole range").isEqualTo(start + length);
    return merged.stream().map(ShownExtents::shown).toList();
  }

  private static void add(List<Extent> merged, Extent extent) {
    Extent last = merged.isEmpty() ? null : merged.get(merged.size() - 1);
    if (last == null || !shownFlags(last).equals(shownFlags(extent)) || !follows(last, extent)) {
      merged.add(extent);
      return;
    }
    merged.set(
        merged.size() - 1,
        new Extent(
            last.start(),
            last.length() + extent.length(),
            last.depth(),
            last.present(),
            last.zero(),
            last.data(),
            last.compressed(),
            last.hostOffset(),
            last.hostFile()));
  }

  private static boolean follows(Extent last, Extent next) {
    return last.hostOffset() == Extent.NO_HOST_OFFSET
        ? next.hostOffset() == Extent.NO_HOST_OFFSET
        : next.hostOffset() == last.hostOffset() + last.length();
  }

  private static String shownFlags(Extent extent) {
    return "depth %d%s%s%s%s"
        .formatted(
            extent.depth(),
            extent.present() ? " present" : "",
            extent.zero() ? " zero" : "",
            extent.data() ? " data" : "",
            extent.compressed() ? " compressed" : "");
  }

  static String shown(Extent extent) {
    String host =
        extent.hostFile() == null
            ? ""
            : " at 0x%x of %s".formatted(extent.hostOffset(), extent.hostFile().getFileName());
    return "%d+%d %s%s".formatted(extent.start(), extent.length(), shownFlags(extent), host);
  }
}
