package org.qcowfs.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.qcowfs.fakes.Samples;
import org.qcowfs.image.ImageFormat;
import org.qcowfs.image.ImageInfo;
import org.qcowfs.image.InternalSnapshot;

final class InfoReportTest {
  private static final ImageInfo.Bitmap ACTIVE = new ImageInfo.Bitmap("b0", 65536, true, true);
  private static final ImageInfo.Bitmap IDLE = new ImageInfo.Bitmap("b1", 131072, false, false);

  private static final InternalSnapshot WITH_STATE =
      new InternalSnapshot(
          0,
          "1",
          "se\"c\u00f6\u007f",
          1000,
          2000,
          3_725_000_000_004L,
          1 << 20,
          512,
          7,
          Optional.empty());

  private static ImageInfo.Qcow2 qcow2(
      int version, Optional<String> dataFile, List<ImageInfo.Bitmap> bitmaps) {
    return new ImageInfo.Qcow2(
        version, "zstd", true, 64, true, false, true, dataFile, true, bitmaps, Optional.empty());
  }

  private static ImageInfo info(
      Optional<ImageInfo.Backing> backing,
      List<InternalSnapshot> snapshots,
      ImageInfo.Qcow2 qcow2) {
    return new ImageInfo(
        Path.of("d/x.qcow2"),
        ImageFormat.QCOW2,
        104857600,
        434176,
        131072,
        backing,
        snapshots,
        Optional.of(qcow2),
        Optional.empty());
  }

  private static ImageInfo everything() {
    return info(
        Optional.of(new ImageInfo.Backing("b.raw", Path.of("d/b.raw"), Optional.of("raw"))),
        List.of(WITH_STATE, Samples.snapshot(1, "2", "s2", 512)),
        qcow2(3, Optional.of("data.raw"), List.of(ACTIVE, IDLE)));
  }

  private static String json(ImageInfo info) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    InfoJson.write(info, out);
    return out.toString(StandardCharsets.UTF_8);
  }

  private static String text(ImageInfo... chain) throws IOException {
    StringBuilder out = new StringBuilder();
    InfoText.write(List.of(chain), ZoneOffset.UTC, out);
    return out.toString();
  }

  @Test
  void jsonHasEveryFieldInTheOrderOfQemu() throws IOException {
    assertThat(json(everything()))
        .isEqualTo(
            """
            {
                "backing-filename-format": "raw",
                "snapshots": [
                    {
                        "icount": 7,
                        "vm-clock-nsec": 4,
                        "name": "se\\"c\\u00F6\\u007F",
                        "date-sec": 1000,
                        "date-nsec": 2000,
                        "vm-clock-sec": 3725,
                        "id": "1",
                        "vm-state-size": 1048576
                    },
                    {
                        "vm-clock-nsec": 0,
                        "name": "s2",
                        "date-sec": 0,
                        "date-nsec": 0,
                        "vm-clock-sec": 0,
                        "id": "2",
                        "vm-state-size": 0
                    }
                ],
                "virtual-size": 104857600,
                "filename": "d/x.qcow2",
                "cluster-size": 131072,
                "format": "qcow2",
                "actual-size": 434176,
                "format-specific": {
                    "type": "qcow2",
                    "data": {
                        "compat": "1.1",
                        "compression-type": "zstd",
                        "lazy-refcounts": true,
                        "bitmaps": [
                            {
                                "flags": [
                                    "in-use",
                                    "auto"
                                ],
                                "name": "b0",
                                "granularity": 65536
                            },
                            {
                                "flags": [
                                ],
                                "name": "b1",
                                "granularity": 131072
                            }
                        ],
                        "refcount-bits": 64,
                        "data-file": "data.raw",
                        "data-file-raw": true,
                        "corrupt": false,
                        "extended-l2": true
                    }
                },
                "full-backing-filename": "d/b.raw",
                "backing-filename": "b.raw",
                "dirty-flag": true
            }
            """);
  }

  @Test
  void jsonOfVersion2HasNoFeatureBits() throws IOException {
    assertThat(json(info(Optional.empty(), List.of(), qcow2(2, Optional.empty(), List.of()))))
        .contains("\"compat\": \"0.10\"")
        .doesNotContain(
            "lazy-refcounts",
            "corrupt",
            "extended-l2",
            "data-file",
            "bitmaps",
            "snapshots",
            "backing");
  }

  @Test
  void jsonOfARawImageCountsWholeSectors() throws IOException {
    assertThat(json(Samples.rawInfo(1025)))
        .isEqualTo(
            """
            {
                "virtual-size": 1536,
                "filename": "disk.img",
                "format": "raw",
                "actual-size": 4096,
                "dirty-flag": false
            }
            """);
  }

  @Test
  void jsonOfAChainIsAnArray() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    InfoJson.writeChain(List.of(Samples.rawInfo(512), Samples.rawInfo(1024)), out);
    assertThat(out.toString(StandardCharsets.UTF_8))
        .startsWith("[\n    {\n        \"virtual-size\": 512,")
        .endsWith("\"dirty-flag\": false\n    }\n]\n");
  }

  @Test
  void textTellsSizesChainSnapshotsAndFeatures() throws IOException {
    assertThat(text(everything()))
        .isEqualToNormalizingNewlines(
            """
            image: d/x.qcow2
            file format: qcow2
            virtual size: 100 MiB (104857600 bytes)
            disk size: 424 KiB (434176 bytes)
            cluster size: 128 KiB (131072 bytes)
            backing file: b.raw (actual path: d/b.raw)
            backing file format: raw
            cleanly shut down: no (its refcounts may be wrong)
            Snapshot list:
            ID  TAG          VM SIZE                 DATE      VM CLOCK  ICOUNT
            1   se"cö\\u007F    1 MiB  1970-01-01 00:16:40  01:02:05.000       7
            2   s2               0 B  1970-01-01 00:00:00  00:00:00.000
            Format specific information:
                compat: 1.1 (version 3)
                compression type: zstd
                lazy refcounts: true
                bitmaps:
                    b0: granularity 64 KiB, flags in-use auto
                    b1: granularity 128 KiB, flags none
                refcount bits: 64
                data file: data.raw
                data file raw: true
                corrupt: false
                extended l2: true
            """);
  }

  @Test
  void textSaysWhyASnapshotCannotBeRead() throws IOException {
    InternalSnapshot broken =
        new InternalSnapshot(0, "1", "s", 0, 0, 0, 0, 0, -1, Optional.of("its L1 table is\nlost"));
    assertThat(text(info(Optional.empty(), List.of(broken), qcow2(3, Optional.empty(), List.of()))))
        .contains("  unreadable: its L1 table is\\u000Alost" + System.lineSeparator());
  }

  @Test
  void anEmptyLineStandsBetweenTheImagesOfAChain() throws IOException {
    assertThat(text(Samples.rawInfo(512), Samples.rawInfo(1024)).lines().filter(String::isEmpty))
        .hasSize(1);
  }

  @Test
  void aLongSnapshotNameDoesNotWidenTheOtherRows() throws IOException {
    ImageInfo named =
        info(
            Optional.empty(),
            List.of(
                Samples.snapshot(0, "1", "n".repeat(65_535), 512),
                Samples.snapshot(1, "2", "short", 512)),
            qcow2(3, Optional.empty(), List.of()));
    assertThat(text(named).lines().filter(line -> line.startsWith("2 ")).findFirst().orElseThrow())
        .hasSizeLessThan(120);
  }
}
