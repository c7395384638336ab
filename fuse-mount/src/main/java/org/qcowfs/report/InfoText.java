package org.qcowfs.report;

import java.io.IOException;
import java.time.ZoneId;
import java.util.List;
import org.qcowfs.image.ImageInfo;

/** What is known of an image, to read. Begins like {@code qemu-img info}, and says more. */
public final class InfoText {
  private final StringBuilder text = new StringBuilder();
  private final ZoneId zone;

  private InfoText(ZoneId zone) {
    this.zone = zone;
  }

  /**
   * Writes a backing chain, the image first, with an empty line between two images.
   *
   * @param zone in which the dates of internal snapshots are told
   */
  public static void write(List<ImageInfo> chain, ZoneId zone, Appendable out) throws IOException {
    InfoText report = new InfoText(zone);
    for (ImageInfo info : chain) {
      report.image(info);
    }
    out.append(report.text);
  }

  private void image(ImageInfo info) {
    if (!text.isEmpty()) {
      text.append(System.lineSeparator());
    }
    line("image", info.file());
    line("file format", info.format().formatName());
    line("virtual size", BinarySize.roundedAndExact(info.virtualBytes()));
    line("disk size", BinarySize.roundedAndExact(info.actualBytes()));
    if (info.clusterBytes() != 0) {
      line("cluster size", BinarySize.roundedAndExact(info.clusterBytes()));
    }
    info.backing().ifPresent(this::backing);
    if (info.qcow2().isPresent() && info.qcow2().get().dirty()) {
      line("cleanly shut down", "no (its refcounts may be wrong)");
    }
    if (!info.snapshots().isEmpty()) {
      text.append("Snapshot list:").append(System.lineSeparator());
      new SnapshotList(info.snapshots(), zone).appendTo(text);
    }
    info.qcow2().ifPresent(this::formatSpecific);
  }

  private void backing(ImageInfo.Backing backing) {
    String resolved = backing.resolved().toString();
    line(
        "backing file",
        resolved.equals(backing.name())
            ? backing.name()
            : backing.name() + " (actual path: " + resolved + ")");
    line("backing file format", backing.formatName().orElse("not recorded"));
  }

  private void formatSpecific(ImageInfo.Qcow2 qcow2) {
    text.append("Format specific information:").append(System.lineSeparator());
    boolean hasFeatureBits = qcow2.version() >= 3;
    line("    compat", (hasFeatureBits ? "1.1" : "0.10") + " (version " + qcow2.version() + ")");
    line("    compression type", qcow2.compressionType());
    if (hasFeatureBits) {
      line("    lazy refcounts", qcow2.lazyRefcounts());
    }
    bitmaps(qcow2);
    line("    refcount bits", qcow2.refcountBits());
    if (qcow2.dataFile().isPresent()) {
      line("    data file", qcow2.dataFile().get());
      line("    data file raw", qcow2.dataFileRaw());
    }
    if (hasFeatureBits) {
      line("    corrupt", qcow2.corrupt());
      line("    extended l2", qcow2.extendedL2());
    }
  }

  private void bitmaps(ImageInfo.Qcow2 qcow2) {
    if (!qcow2.bitmaps().isEmpty()) {
      text.append("    bitmaps:").append(System.lineSeparator());
    }
    for (ImageInfo.Bitmap bitmap : qcow2.bitmaps()) {
      List<String> flags = InfoJson.flagNames(bitmap);
      line(
          "        " + Printable.of(bitmap.name()),
          "granularity %s, flags %s"
              .formatted(
                  BinarySize.rounded(bitmap.granularityBytes()),
                  flags.isEmpty() ? "none" : String.join(" ", flags)));
    }
    qcow2.bitmapsProblem().ifPresent(problem -> line("    bitmaps unreadable", problem));
  }

  private void line(String label, Object value) {
    text.append(label).append(": ").append(Printable.of(value)).append(System.lineSeparator());
  }
}
