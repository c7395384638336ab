package org.qcowfs.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BinarySizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "999, 999 B",
    "1000, 0.977 KiB",
    "1536, 1.5 KiB",
    "1118208, 1.07 MiB",
    "67108864, 64 MiB",
    "1048576000, 0.977 GiB",
    "10995116277760, 10 TiB",
    "9223372036854775807, 8 EiB"
  })
  void aSizeHasThreeDigitsAndTheUnitThatKeepsItBelowAThousand(long bytes, String expected) {
    assertThat(BinarySize.rounded(bytes)).isEqualTo(expected);
  }
}
