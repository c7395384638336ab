package org.qcowfs.format;

import static org.assertj.core.api.Assertions.assertThat;

import org.qcowfs.error.Qcow2Exception;

/** Holds what a decoder says of malformed bytes to the form of a message. */
final class FuzzedMessage {
  /** An image can name 64 unknown features, each with 46 bytes. */
  private static final int LENGTH_MAX = 6000;

  private FuzzedMessage() {}

  static void check(Qcow2Exception refused) {
    assertThat(refused.getMessage()).isNotBlank().hasSizeLessThan(LENGTH_MAX);
  }
}
