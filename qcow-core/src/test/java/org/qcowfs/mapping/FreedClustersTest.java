package org.qcowfs.mapping;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.qcowfs.mapping.FreedClusters.Range;

final class FreedClustersTest {
  private final FreedClusters freed = new FreedClusters();

  @Test
  void neighboursBecomeOneRangeAndCompressedDataStaysApart() {
    freed.addLocked(0x1000, 0x1000);
    freed.addLocked(0x2000, 0x1000);
    freed.addLocked(0x8000, 0x1000);
    freed.addLocked(0x9000, 0x200, FreedClusters.Kind.COMPRESSED);
    freed.addLocked(0x9200, 0x1000);

    assertThat(freed.takeLocked())
        .containsExactly(
            new Range(0x1000, 0x2000, FreedClusters.Kind.OWN),
            new Range(0x8000, 0x1000, FreedClusters.Kind.OWN),
            new Range(0x9000, 0x200, FreedClusters.Kind.COMPRESSED),
            new Range(0x9200, 0x1000, FreedClusters.Kind.OWN));
  }

  @Test
  void rangesAreGivenOutOnlyWhenTheirTicketIsSettled() {
    List<Range> first = List.of(new Range(0x1000, 0x1000, FreedClusters.Kind.OWN));
    List<Range> second = List.of(new Range(0x3000, 0x1000, FreedClusters.Kind.OWN));
    freed.writtenLocked(first, 1);
    freed.writtenLocked(second, 2);

    assertThat(freed.takeSettledLocked(ticket -> ticket < 1)).isEmpty();
    assertThat(freed.takeSettledLocked(ticket -> ticket <= 1)).isEqualTo(first);
    assertThat(freed.takeSettledLocked(ticket -> ticket <= 1)).isEmpty();
    assertThat(freed.isEmptyLocked()).isFalse();
    assertThat(freed.takeSettledLocked(ticket -> ticket <= 2)).isEqualTo(second);
    assertThat(freed.isEmptyLocked()).isTrue();
  }

  @Test
  void whatCouldNotBeWrittenIsTakenAgain() {
    freed.addLocked(0x1000, 0x1000);
    List<Range> taken = freed.takeLocked();
    freed.addLocked(0x5000, 0x1000);

    freed.putBackLocked(taken);

    assertThat(freed.takeLocked())
        .containsExactlyInAnyOrder(
            new Range(0x1000, 0x1000, FreedClusters.Kind.OWN),
            new Range(0x5000, 0x1000, FreedClusters.Kind.OWN));
    assertThat(freed.isEmptyLocked()).isTrue();
  }
}
