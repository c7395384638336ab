package org.qcowfs.report;

import java.io.IOException;
import java.util.Locale;
import org.qcowfs.image.Extent;

/** The data of a disk and where it lies, as a table to read; numbers are hexadecimal bytes. */
public final class MapText {
  private final Appendable out;

  private MapText(Appendable out) {
    this.out = out;
  }

  /** Writes the table as the map is read. What reads as zeros is left out. */
  public static void write(AllocationMap map, Appendable out) throws IOException {
    MapText table = new MapText(out);
    table.row("Offset", "Length", "Mapped to", "File");
    map.visit(table::extent);
  }

  private void extent(Extent extent) throws IOException {
    if (extent.isAllocatedData()) {
      row(hex(extent.start()), hex(extent.length()), place(extent), file(extent));
    }
  }

  private static String place(Extent extent) {
    if (extent.hostOffset() != Extent.NO_HOST_OFFSET) {
      return hex(extent.hostOffset());
    }
    return extent.compressed() ? "compressed" : "-";
  }

  /** Of data without a place in a file, only the depth in the backing chain is known. */
  private static String file(Extent extent) {
    if (extent.hostFile() != null) {
      return Printable.of(extent.hostFile());
    }
    return extent.depth() == 0 ? "(image)" : "(backing file " + extent.depth() + ")";
  }

  private static String hex(long bytes) {
    return bytes == 0 ? "0" : "0x" + Long.toHexString(bytes);
  }

  private void row(String start, String length, String place, String file) throws IOException {
    out.append(String.format(Locale.ROOT, "%-16s%-16s%-16s%s%n", start, length, place, file));
  }
}
