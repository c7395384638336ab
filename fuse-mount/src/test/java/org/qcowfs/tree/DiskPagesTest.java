package org.qcowfs.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class DiskPagesTest {
  private final List<String> dropped = new ArrayList<>();
  private final PageCache cache = (offset, length) -> dropped.add(offset + "+" + length);
  private final DiskPages pages = new DiskPages();

  @Test
  void aWritePastThePagesIsNoBusinessOfTheKernelsAsLongAsNobodyFillsThem() throws Exception {
    pages.opened(cache, true, true);

    pages.forgetBroughtBack(0, 512);
    pages.writeOut(0, 512);

    assertThat(dropped).isEmpty();
  }

  @Test
  void aWritePastThePagesHasThemForgottenWhereSomebodyMayHaveFilledThem() throws Exception {
    pages.opened(cache, true, true);
    pages.opened(cache, false, false);

    pages.forgetBroughtBack(4096, 512);
    assertThat(dropped).containsExactly("4096+512");

    pages.closed(false, false);
    pages.forgetBroughtBack(4096, 512);
    assertThat(dropped).hasSize(1);
  }

  @Test
  void onlyWhoWritesThroughThePagesCanHaveChangedThem() throws Exception {
    pages.opened(cache, true, true);
    pages.opened(cache, false, false);
    pages.writeOut(0, 512);
    assertThat(dropped).isEmpty();

    pages.opened(cache, true, false);
    pages.writeOut(0, 512);
    assertThat(dropped).containsExactly("0+512");
  }

  @Test
  void aPartitionsWritesAreForgottenAlsoWhereTheDiskIsOpenPastThePagesAlone() throws Exception {
    pages.opened(cache, true, true);

    pages.forget(0, 512);

    assertThat(dropped).containsExactly("0+512");
  }
}
