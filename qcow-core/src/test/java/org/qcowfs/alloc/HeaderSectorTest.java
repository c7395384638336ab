package org.qcowfs.alloc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.qcowfs.error.HostIoException;
import org.qcowfs.format.Header;
import org.qcowfs.storage.BlockStorage;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SparseBytes;
import org.qcowfs.testkit.storage.FailingStorage;
import org.qcowfs.testkit.storage.FaultPlan;
import org.qcowfs.testkit.storage.FaultPlan.Fault;
import org.qcowfs.testkit.storage.FaultyStorage;
import org.qcowfs.testkit.storage.MemoryStorage;
import org.qcowfs.testkit.storage.StorageOperation.Kind;

final class HeaderSectorTest {
  private static final int EIO = 5;

  private final MemoryStorage file = image(3);

  private static MemoryStorage image(int version) {
    SparseBytes bytes = new ImageBuilder(version, 12).build().bytes();
    return MemoryStorage.of(bytes.read(0, Math.toIntExact(bytes.size())));
  }

  private static Header header(BlockStorage storage) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Header.DECODED_BYTES);
    storage.readFully(bytes, 0);
    return Header.decode(bytes.flip());
  }

  @Test
  void everyFieldReachesTheFileByItself() throws IOException {
    Header before = header(file);
    HeaderSector sector = new HeaderSector(file, 3);

    sector.setL1TableLocked(0x7000, before.l1Entries() + 1);
    sector.setRefcountTableLocked(0x9000, 2);
    sector.setVirtualSizeLocked(4096);
    sector.setDirtyLocked(true);
    sector.setLazyRefcountsLocked(true);

    Header after = header(file);
    assertThat(after.l1TableOffset()).isEqualTo(0x7000);
    assertThat(after.l1Entries()).isEqualTo(before.l1Entries() + 1);
    assertThat(after.refcountTableOffset()).isEqualTo(0x9000);
    assertThat(after.refcountTableClusters()).isEqualTo(2);
    assertThat(after.virtualSize()).isEqualTo(4096);
    assertThat(after.dirty()).isTrue();
    assertThat(after.lazyRefcounts()).isTrue();
    assertThat(after.corrupt()).isFalse();
  }

  @Test
  void aBitThatDoesNotChangeIsNotWritten() throws IOException {
    FailingStorage failing = new FailingStorage(file);
    HeaderSector sector = new HeaderSector(failing, 3);

    sector.setDirtyLocked(false);
    sector.setLazyRefcountsLocked(false);

    assertThat(failing.changes()).isZero();
  }

  @Test
  void anImageOfVersionTwoHasNoBitsToSet() throws IOException {
    MemoryStorage old = image(2);
    byte[] before = old.bytes();
    HeaderSector sector = new HeaderSector(old, 2);

    sector.setDirtyLocked(true);
    sector.setLazyRefcountsLocked(true);

    assertThat(sector.autoclearLocked()).isZero();
    assertThat(old.bytes()).isEqualTo(before);
  }

  @Test
  void aChangeThatFailedIsMadeWhenItIsAskedForAgain() throws IOException {
    FailingStorage failing = new FailingStorage(file);
    HeaderSector sector = new HeaderSector(failing, 3);
    failing.failOnce(Kind.WRITE, 1, EIO);

    assertThatThrownBy(() -> sector.setDirtyLocked(true)).isInstanceOf(HostIoException.class);
    sector.setDirtyLocked(true);

    assertThat(header(file).dirty()).isTrue();
  }

  @Test
  void aChangeThatFailedAndWasMadeAllTheSameIsUndone() throws IOException {
    Header before = header(file);
    FaultPlan plan = new FaultPlan(Fault.LATE, 1, false);
    HeaderSector sector = new HeaderSector(new FaultyStorage(file, plan), 3);
    assertThatThrownBy(() -> sector.setL1TableLocked(0x7000, 1))
        .isInstanceOf(HostIoException.class);
    assertThat(header(file).l1TableOffset()).isEqualTo(0x7000);

    sector.makeCertainLocked();

    assertThat(header(file).l1TableOffset()).isEqualTo(before.l1TableOffset());
  }

  @Test
  void aSizeThatIsTakenBackReachesTheFileWithWhateverComesNext() throws IOException {
    HeaderSector sector = new HeaderSector(file, 3);
    sector.setVirtualSizeLocked(8192);

    sector.takeBackVirtualSizeLocked(4096);
    sector.makeCertainLocked();

    assertThat(header(file).virtualSize()).isEqualTo(4096);
  }

  @Test
  void nothingIsWrittenWhereTheHeaderIsCertain() throws IOException {
    FailingStorage failing = new FailingStorage(file);

    new HeaderSector(failing, 3).makeCertainLocked();

    assertThat(failing.changes()).isZero();
  }

  @Test
  void aChangeThatFailedDoesNotComeWithTheNext() throws IOException {
    Header before = header(file);
    FailingStorage failing = new FailingStorage(file);
    HeaderSector sector = new HeaderSector(failing, 3);
    failing.failOnce(Kind.WRITE, 1, EIO);

    assertThatThrownBy(() -> sector.setL1TableLocked(0x7000, before.l1Entries()))
        .isInstanceOf(HostIoException.class);
    sector.setVirtualSizeLocked(4096);

    assertThat(header(file).l1TableOffset()).isEqualTo(before.l1TableOffset());
    assertThat(header(file).virtualSize()).isEqualTo(4096);
  }
}
