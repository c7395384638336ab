package org.qcowfs.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

final class ByteCountTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "512, 512",
    "7b, 7",
    "64K, 65536",
    "64k, 65536",
    "3T, 3298534883328",
    "7E, 8070450532247928832",
    "0x10000, 65536",
    "9223372036854775807, 9223372036854775807"
  })
  void suffixesCountInPowersOf1024(String text, long bytes) {
    assertThat(new ByteCount().convert(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "K",
        "-1",
        "1Z",
        "1.5M",
        "8E",
        "9223372036854775808",
        "0x",
        "1 K",
        "0x8000000000000000"
      })
  void anythingElseIsRefused(String text) {
    assertThatThrownBy(() -> new ByteCount().convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageContaining("'" + text + "' is not a number of bytes");
  }
}
