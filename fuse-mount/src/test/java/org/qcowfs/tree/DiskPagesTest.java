package org.qcowfs.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.qcowfs.fakes.KeptPages;

final class DiskPagesTest {
  private final KeptPages cache = new KeptPages((offset, length) -> duringDrop());
  private final DiskPages pages = new DiskPages();
  private int writesDuringDrop;

  private void duringDrop() throws IOException {
    for (int i = 0; i < writesDuringDrop; i++) {
      write();
    }
  }

  private void write() throws IOException {
    pages.writtenThrough(ByteBuffer.allocate(512), 1024);
  }

  @Test
  void aWritePastThePagesIsNoBusinessOfTheKernelsAsLongAsNobodyFillsThem() throws Exception {
    pages.opened(cache, true, true);

    pages.forgetBroughtBack(0, 512);
    pages.writeOut(0, 512);

    assertThat(cache.dropped).isEmpty();
  }

  @Test
  void aWritePastThePagesHasThemForgottenWhereSomebodyMayHaveFilledThem() throws Exception {
    pages.opened(cache, true, true);
    pages.opened(cache, false, false);

    pages.forgetBroughtBack(4096, 512);
    assertThat(cache.dropped).containsExactly("4096+512");

    pages.closed(false, false);
    pages.forgetBroughtBack(4096, 512);
    assertThat(cache.dropped).hasSize(1);
  }

  @Test
  void onlyWhoWritesThroughThePagesCanHaveChangedThem() throws Exception {
    pages.opened(cache, true, true);
    pages.opened(cache, false, false);
    pages.writeOut(0, 512);
    assertThat(cache.dropped).isEmpty();

    pages.opened(cache, true, false);
    pages.writeOut(0, 512);
    assertThat(cache.dropped).containsExactly("0+512");
  }

  @Test
  void aPartitionsWritesAreForgottenAlsoWhereTheDiskIsOpenPastThePagesAlone() throws Exception {
    pages.opened(cache, true, true);

    pages.forget(0, 512);

    assertThat(cache.dropped).containsExactly("0+512");
  }

  @Test
  void theFirstWriteThatEndsAfterADropLooksAtThePages() throws Exception {
    pages.opened(cache, true, false);
    write();
    assertThat(cache.compared).isEmpty();

    pages.forget(0, 512);
    write();
    write();

    assertThat(cache.compared).containsExactly("1024+512");
  }

  @Test
  void soDoesTheFirstOneAfterADropThatOthersHaveEndedDuring() throws Exception {
    pages.opened(cache, true, false);
    writesDuringDrop = 2;

    pages.writeOut(0, 512);
    assertThat(cache.compared).hasSize(2);
    write();
    write();

    assertThat(cache.compared).hasSize(3);
  }

  @Test
  void whereNothingIsKeptNothingIsLookedAt() throws Exception {
    pages.forget(0, 512);
    pages.opened(cache, true, false);

    write();

    assertThat(cache.compared).isEmpty();
  }
}
