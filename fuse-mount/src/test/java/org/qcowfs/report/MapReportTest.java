package org.qcowfs.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.qcowfs.fakes.Samples.compressed;
import static org.qcowfs.fakes.Samples.data;
import static org.qcowfs.fakes.Samples.hole;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.qcowfs.fakes.FakeDisk;
import org.qcowfs.fakes.FakeImage;
import org.qcowfs.image.Extent;

final class MapReportTest {
  private final FakeImage image =
      new FakeImage(
          new FakeDisk(4096)
              .with(
                  data(0, 512, 0),
                  data(512, 512, 512),
                  hole(1024, 1024),
                  compressed(2048, 2048, 2)));

  private static String json(AllocationMap map) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    MapJson.write(map, out);
    return out.toString(StandardCharsets.UTF_8);
  }

  private static String text(AllocationMap map) throws IOException {
    StringBuilder out = new StringBuilder();
    MapText.write(map, out);
    return out.toString();
  }

  @Test
  void jsonListsMergedExtentsAsQemuDoes() throws IOException {
    assertThat(json(AllocationMap.of(image)))
        .isEqualTo(
            """
            [{ "start": 0, "length": 1024, "depth": 0, "present": true, "zero": false, "data": true, "offset": 0},
            { "start": 1024, "length": 1024, "depth": 0, "present": false, "zero": true, "data": false},
            { "start": 2048, "length": 2048, "depth": 2, "present": true, "zero": false, "data": true}]
            """);
  }

  @Test
  void onlyTheWantedPartIsListed() throws IOException {
    assertThat(json(AllocationMap.of(image, 1000, 30)))
        .isEqualTo(
            """
            [{ "start": 1000, "length": 24, "depth": 0, "present": true, "zero": false, "data": true, "offset": 1000},
            { "start": 1024, "length": 6, "depth": 0, "present": false, "zero": true, "data": false}]
            """);
  }

  @Test
  void aPartBehindTheEndIsListedAsOneEmptyExtent() throws IOException {
    String nothing =
        """
        [{ "start": 5000, "length": 0, "depth": 0, "present": false, "zero": false, "data": false}]
        """;
    assertThat(json(AllocationMap.of(image, 5000, Long.MAX_VALUE))).isEqualTo(nothing);
    assertThat(json(AllocationMap.of(image, 5000, 0))).isEqualTo(nothing);
    assertThat(text(AllocationMap.of(image, 5000, 7)).lines()).hasSize(1);
  }

  @Test
  void theLastSectorOfARawDiskIsFilledUpWithAHole() throws IOException {
    FakeImage odd = new FakeImage(new FakeDisk(1000).with(data(0, 1000, 0)));
    assertThat(json(AllocationMap.of(odd)))
        .isEqualTo(
            """
            [{ "start": 0, "length": 1000, "depth": 0, "present": true, "zero": false, "data": true, "offset": 0},
            { "start": 1000, "length": 24, "depth": 0, "present": true, "zero": true, "data": false, "offset": 1000}]
            """);
    assertThat(json(AllocationMap.of(odd, 1010, 4)))
        .isEqualTo(
            """
            [{ "start": 1010, "length": 4, "depth": 0, "present": true, "zero": true, "data": false, "offset": 1010}]
            """);
  }

  @Test
  void textListsDataAndWhereItLies() throws IOException {
    assertThat(text(AllocationMap.of(image)).lines())
        .containsExactly(
            "Offset          Length          Mapped to       File",
            "0               0x400           0               disk.img",
            "0x800           0x800           compressed      (backing file 2)");
  }

  @Test
  void aFileNameCannotForgeALine() throws IOException {
    Extent forged =
        new Extent(0, 512, 0, true, false, true, false, 0, Path.of("a\n0x0 0x200 0 b\u001b[31m"));
    assertThat(text(AllocationMap.of(new FakeImage(new FakeDisk(512).with(forged)))).lines())
        .hasSize(2)
        .last()
        .asString()
        .endsWith("a\\u000A0x0 0x200 0 b\\u001B[31m");
  }
}
