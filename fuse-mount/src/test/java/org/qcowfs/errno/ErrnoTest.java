package org.qcowfs.errno;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.junit.jupiter.api.Test;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.HostIoException;
import org.qcowfs.error.ReadOnlyImageException;
import org.qcowfs.error.UnsupportedFeatureException;

final class ErrnoTest {
  private static final int ENOSPC = 28;

  @Test
  void theHostsErrorNumberReachesTheProgram() {
    assertThat(Errno.of(new HostIoException(ENOSPC, "full"))).isEqualTo(ENOSPC);
    assertThat(Errno.of(new UncheckedIOException(new HostIoException(ENOSPC, "full"))))
        .isEqualTo(ENOSPC);
  }

  @Test
  void noFailureEverBecomesSuccess() {
    assertThat(Errno.of(new HostIoException(0, "no number"))).isEqualTo(Errno.EIO);
    assertThat(Errno.of(new HostIoException(-5, "negated"))).isEqualTo(Errno.EIO);
  }

  @Test
  void anImageThatIsOnlyReadIsAReadOnlyFilesystem() {
    assertThat(Errno.of(new ReadOnlyImageException("a snapshot"))).isEqualTo(Errno.EROFS);
  }

  @Test
  void whatAnImageCannotDoIsNotSupported() {
    assertThat(Errno.of(new UnsupportedFeatureException("resize"))).isEqualTo(Errno.EOPNOTSUPP);
  }

  @Test
  void aBrokenImageIsAnInputOutputError() {
    assertThat(Errno.of(new CorruptImageException("L2 table", 0x10000, "bad")))
        .isEqualTo(Errno.EIO);
    assertThat(Errno.of(new IOException("host"))).isEqualTo(Errno.EIO);
  }

  @Test
  void aRangeOutsideTheDiskIsInvalid() {
    assertThat(Errno.of(new IllegalArgumentException("offset"))).isEqualTo(Errno.EINVAL);
    assertThat(Errno.of(new IndexOutOfBoundsException("offset"))).isEqualTo(Errno.EINVAL);
  }

  @Test
  void lackOfMemorySaysSoAndWhatIsUnexpectedIsAnInputOutputError() {
    assertThat(Errno.of(new OutOfMemoryError("heap"))).isEqualTo(Errno.ENOMEM);
    assertThat(Errno.of(new NullPointerException("bug"))).isEqualTo(Errno.EIO);
    assertThat(Errno.of(new StackOverflowError())).isEqualTo(Errno.EIO);
  }
}
