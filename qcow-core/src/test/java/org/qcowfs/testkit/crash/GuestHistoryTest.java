package org.qcowfs.testkit.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.qcowfs.testkit.crash.Event.ChangeBegins;
import org.qcowfs.testkit.crash.Event.ChangeEnds;
import org.qcowfs.testkit.crash.Event.ChangeFails;
import org.qcowfs.testkit.crash.Event.FlushBegins;
import org.qcowfs.testkit.crash.Event.FlushEnds;
import org.qcowfs.testkit.crash.Event.ResizeBegins;

/** Which values the history of a disk of four sectors allows; before, sector 2 holds number 9. */
class GuestHistoryTest {
  private static final long BEFORE = 9;

  private static GuestHistory after(Crash crash, Event... events) {
    long[] initial = {0, 0, GuestHistory.stamp(2, BEFORE), 0};
    GuestHistory history = new GuestHistory(crash, initial);
    List.of(events).forEach(history::add);
    return history;
  }

  private static Event write(int request, int sector, long number) {
    return new ChangeBegins(request, sector, 1, number);
  }

  private static Event acknowledged(int request) {
    return new ChangeEnds(request, Promise.NOTHING);
  }

  private static Event flushed(int request) {
    return new FlushEnds(request, Promise.SURVIVES_POWER_LOSS);
  }

  /** Those of the numbers 0 to 9 that the sector may hold. */
  private static List<Long> numbers(GuestHistory history, int sector) {
    return LongStream.range(0, 10)
        .filter(n -> history.allows(sector, n == 0 ? 0 : GuestHistory.stamp(sector, n)))
        .boxed()
        .toList();
  }

  @Test
  void whatIsUnderWayOrAcknowledgedMayBeThereOrNot() {
    assertThat(numbers(after(Crash.DEATH, write(1, 2, 1)), 2)).containsExactly(1L, BEFORE);
    assertThat(numbers(after(Crash.DEATH, write(1, 2, 1), acknowledged(1)), 2))
        .containsExactly(1L, BEFORE);
  }

  @Test
  void whatAFlushCoversMustBeThere() {
    Event[] events = {write(1, 2, 1), acknowledged(1), new FlushBegins(2), flushed(2)};

    assertThat(numbers(after(Crash.DEATH, events), 2)).containsExactly(1L);
    assertThat(numbers(after(Crash.POWER_LOSS, events), 2)).containsExactly(1L);
  }

  @Test
  void aFlushThatPromisesLessThanTheCrashTakesCoversNothing() {
    Event weak = new FlushEnds(2, Promise.SURVIVES_DEATH);
    Event[] events = {write(1, 2, 1), acknowledged(1), new FlushBegins(2), weak};

    assertThat(numbers(after(Crash.DEATH, events), 2)).containsExactly(1L);
    assertThat(numbers(after(Crash.POWER_LOSS, events), 2)).containsExactly(1L, BEFORE);
  }

  @Test
  void whatIsAcknowledgedDuringAFlushIsNotCoveredByIt() {
    Event[] events = {write(1, 2, 1), new FlushBegins(2), acknowledged(1), flushed(2)};

    assertThat(numbers(after(Crash.DEATH, events), 2)).containsExactly(1L, BEFORE);
  }

  @Test
  void ofTwoChangesThatOverlapInTimeEitherMayHaveComeLast() {
    GuestHistory history =
        after(
            Crash.DEATH,
            write(1, 2, 1),
            write(2, 2, 2),
            acknowledged(1),
            acknowledged(2),
            new FlushBegins(3),
            flushed(3));

    assertThat(numbers(history, 2)).containsExactly(1L, 2L);
  }

  @Test
  void ofTwoChangesInSuccessionThatAreFlushedTheLaterIsThere() {
    GuestHistory history =
        after(
            Crash.DEATH,
            write(1, 2, 1),
            acknowledged(1),
            write(2, 2, 2),
            acknowledged(2),
            new FlushBegins(3),
            flushed(3));

    assertThat(numbers(history, 2)).containsExactly(2L);
  }

  @Test
  void aChangeThatFailedMayHaveBeenMadeWhateverIsFlushed() {
    GuestHistory history =
        after(Crash.DEATH, write(1, 2, 1), new ChangeFails(1), new FlushBegins(2), flushed(2));

    assertThat(numbers(history, 2)).containsExactly(1L, BEFORE);
  }

  @Test
  void aChangeThatFailedIsGoneOnceALaterOneIsFlushed() {
    GuestHistory history =
        after(
            Crash.DEATH,
            write(1, 2, 1),
            new ChangeFails(1),
            write(2, 2, 2),
            acknowledged(2),
            new FlushBegins(3),
            flushed(3));

    assertThat(numbers(history, 2)).containsExactly(2L);
  }

  @Test
  void aChangeWhoseAcknowledgementIsAPromiseNeedsNoFlush() {
    GuestHistory history =
        after(Crash.DEATH, write(1, 2, 1), new ChangeEnds(1, Promise.SURVIVES_DEATH));

    assertThat(numbers(history, 2)).containsExactly(1L);
  }

  @Test
  void aResizeLeavesEitherSizeAndWhatItCutsOffMayBeZeros() {
    GuestHistory underWay = after(Crash.DEATH, new ResizeBegins(1, 2));
    assertThat(List.of(underWay.allowsSize(4), underWay.allowsSize(2))).containsOnly(true);
    assertThat(numbers(underWay, 2)).containsExactly(0L, BEFORE);

    GuestHistory done =
        after(Crash.DEATH, new ResizeBegins(1, 2), acknowledged(1), new FlushBegins(2), flushed(2));
    assertThat(done.allowsSize(4)).isFalse();
    assertThat(numbers(done, 2)).containsExactly(0L);
  }

  @Test
  void whatBelongsToAnotherSectorIsForeignAndAnOlderValueIsLost() {
    GuestHistory history = after(Crash.DEATH);

    assertThat(history.complaint(2, GuestHistory.stamp(1, 3)).kind())
        .isEqualTo(Complaint.Kind.FOREIGN);
    assertThat(history.complaint(2, GuestHistory.stamp(2, 3)).kind())
        .isEqualTo(Complaint.Kind.LOST);
    assertThat(history.complaint(2, 0).kind()).isEqualTo(Complaint.Kind.LOST);
  }
}
