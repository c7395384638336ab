package org.qcowfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.qcowfs.errno.Errno;
import org.qcowfs.tree.OpenFile;

final class OpenFilesTest {
  private static final int O_DSYNC = 0x1000;

  private final OpenFiles files = new OpenFiles();

  /** Takes at most 10 bytes of a write. */
  private static final class CountingFile implements OpenFile {
    int closes;
    int flushes;

    @Override
    public long size() {
      return 10;
    }

    @Override
    public int read(ByteBuffer destination, long offset) {
      return 0;
    }

    @Override
    public int write(ByteBuffer source, long offset) {
      return (int) Math.min(10 - offset, source.remaining());
    }

    @Override
    public void flush() {
      flushes++;
    }

    @Override
    public void close() {
      closes++;
    }
  }

  private static OpenHandle handle(OpenFile file) {
    return new OpenHandle(file, "/disk.raw", true, false);
  }

  @Test
  void eachOfManyIsFoundUnderItsNumberUntilItIsClosed() throws Exception {
    List<CountingFile> all = new ArrayList<>();
    List<Long> numbers = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      all.add(new CountingFile());
      numbers.add(files.add(handle(all.get(i))));
    }

    for (int i = 0; i < 200; i++) {
      assertThat(files.get(numbers.get(i)).file()).isSameAs(all.get(i));
      files.close(numbers.get(i));
      assertThat(files.get(numbers.get(i))).isNull();
    }
    assertThat(all).allMatch(file -> file.closes == 1);
  }

  @Test
  void theNumberOfAClosedFileIsNeverThatOfAnother() throws Exception {
    long first = files.add(handle(new CountingFile()));
    files.close(first);
    long second = files.add(handle(new CountingFile()));

    assertThat(files.get(first)).isNull();
    assertThat(files.get(second)).isNotNull();
    files.close(first);
    assertThat(files.get(second)).isNotNull();
  }

  @Test
  void aNumberThatNobodyWasGivenIsNoFile() {
    files.add(handle(new CountingFile()));

    assertThat(files.get(0)).isNull();
    assertThat(files.get(-1)).isNull();
    assertThat(files.get(63)).isNull();
    assertThat(files.get(1L << 32 | 64)).isNull();
  }

  @Test
  void aWriteBehindTheEndFindsNoSpace() throws Exception {
    OpenHandle handle = handle(new CountingFile());

    assertThat(handle.write(ByteBuffer.allocate(4), 8, 0)).isEqualTo(2);
    assertThat(handle.write(ByteBuffer.allocate(4), 10, 0)).isEqualTo(-Errno.ENOSPC);
    assertThat(handle.write(ByteBuffer.allocate(0), 10, 0)).isZero();
  }

  /** Of files in its cache the kernel does it by itself, and twice would be once too often. */
  @Test
  void aSynchronousWritePastTheKernelsCacheIsFlushed() throws Exception {
    CountingFile direct = new CountingFile();
    new OpenHandle(direct, "/partitions/1.raw", true, true).write(ByteBuffer.allocate(4), 0, 0);
    assertThat(direct.flushes).isZero();
    new OpenHandle(direct, "/partitions/1.raw", true, true)
        .write(ByteBuffer.allocate(4), 0, O_DSYNC);
    assertThat(direct.flushes).isOne();

    CountingFile cached = new CountingFile();
    handle(cached).write(ByteBuffer.allocate(4), 0, O_DSYNC);
    assertThat(cached.flushes).isZero();
  }
}
