package org.qcowfs.report;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.qcowfs.image.InternalSnapshot;

/** The internal snapshots of an image as a table, its columns as wide as they need to be. */
final class SnapshotList {
  private static final List<String> HEADINGS =
      List.of("ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT");
  private static final int LEFT_ALIGNED_COLUMNS = 2;

  /** A longer cell pushes only its own row out of line; names can have 65,535 characters. */
  private static final int MAX_WIDTH = 32;

  private static final String GAP = "  ";
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);

  private final List<InternalSnapshot> snapshots;
  private final ZoneId zone;

  SnapshotList(List<InternalSnapshot> snapshots, ZoneId zone) {
    this.snapshots = snapshots;
    this.zone = zone;
  }

  void appendTo(StringBuilder text) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(HEADINGS);
    snapshots.forEach(snapshot -> rows.add(cells(snapshot)));
    int[] widths =
        IntStream.range(0, HEADINGS.size())
            .map(column -> rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0))
            .map(width -> Math.min(width, MAX_WIDTH))
            .toArray();
    for (int index = 0; index < rows.size(); index++) {
      text.append(line(rows.get(index), widths)).append(System.lineSeparator());
      if (index > 0) {
        snapshots
            .get(index - 1)
            .problem()
            .ifPresent(
                problem ->
                    text.append(GAP)
                        .append("unreadable: ")
                        .append(Printable.of(problem))
                        .append(System.lineSeparator()));
      }
    }
  }

  private List<String> cells(InternalSnapshot snapshot) {
    return List.of(
        Printable.of(snapshot.id()),
        Printable.of(snapshot.name()),
        BinarySize.rounded(snapshot.vmStateBytes()),
        DATE.format(Instant.ofEpochSecond(snapshot.dateSeconds()).atZone(zone)),
        clock(snapshot.vmClockNanos()),
        snapshot.icount() == InternalSnapshot.NO_ICOUNT ? "" : Long.toString(snapshot.icount()));
  }

  private static String clock(long nanos) {
    long millis = Long.divideUnsigned(nanos, 1_000_000);
    long seconds = millis / 1000;
    return String.format(
        Locale.ROOT,
        "%02d:%02d:%02d.%03d",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        millis % 1000);
  }

  private static String line(List<String> cells, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < cells.size(); column++) {
      String padding = " ".repeat(Math.max(0, widths[column] - cells.get(column).length()));
      boolean left = column < LEFT_ALIGNED_COLUMNS;
      line.append(column == 0 ? "" : GAP)
          .append(left ? "" : padding)
          .append(cells.get(column))
          .append(left ? padding : "");
    }
    return line.toString().stripTrailing();
  }
}
