package org.qcowfs.image;

import static org.qcowfs.image.Malformed.at;

import java.util.List;
import java.util.stream.Stream;
import org.qcowfs.testkit.ImageBuilder;
import org.qcowfs.testkit.SparseBytes;

/** Every field of the header that can be wrong, and what is to be said of it. */
final class MalformedImages {
  private static final long L1_OFFSET = 0x10000;

  private MalformedImages() {}

  static ImageBuilder v3() {
    return new ImageBuilder(3, 16).virtualSize(64 << 20);
  }

  private static List<Malformed> sizes() {
    String headerLength = "header_length is %s, not a multiple of 8 from 104 to the cluster size";
    String clusterBits = "cluster_bits is %s, not in 9..21";
    String l1Size = "l1_size is %s entries, more than the limit of 4194304";
    String clusters = "refcount_table_clusters is %s, not in 1..128";
    return List.of(
        at("magic", 0, b -> b.putInt(0, 1), "magic is 0x00000001, not 0x514649fb"),
        at(
            "header length 2^32-1",
            100,
            b -> b.putInt(100, -1),
            headerLength.formatted("4294967295")),
        at("header length 103", 100, b -> b.putInt(100, 103), headerLength.formatted(103)),
        at("header length 96", 100, b -> b.putInt(100, 96), headerLength.formatted(96)),
        at("header length 65544", 100, b -> b.putInt(100, 65544), headerLength.formatted(65544)),
        at("cluster bits 8", 20, b -> b.putInt(20, 8), clusterBits.formatted(8)),
        at("cluster bits 22", 20, b -> b.putInt(20, 22), clusterBits.formatted(22)),
        at("cluster bits 64", 20, b -> b.putInt(20, 64), clusterBits.formatted(64)),
        at(
            "cluster bits 2^31",
            20,
            b -> b.putInt(20, 1 << 31),
            clusterBits.formatted("2147483648")),
        at("refcount order 7", 96, b -> b.putInt(96, 7), "refcount_order is 7, not in 0..6"),
        at(
            "refcount order 2^32-1",
            96,
            b -> b.putInt(96, -1),
            "refcount_order is 4294967295, not in 0..6"),
        at("crypt method 3", 32, b -> b.putInt(32, 3), "crypt_method is 3, not 0, 1 or 2"),
        at(
            "crypt method -1",
            32,
            b -> b.putInt(32, -1),
            "crypt_method is 4294967295, not 0, 1 or 2"),
        at(
            "size 2^64-512",
            24,
            b -> b.putLong(24, -512),
            "size is 18446744073709551104 bytes, more than 2^63"),
        at(
            "size for a longer L1",
            36,
            b -> b.putLong(24, (512L << 20) + 1),
            "l1_size is 1 entries, a disk of 536870913 bytes needs 2"),
        at(
            "L1 size 2^31-1",
            36,
            b -> b.putInt(36, Integer.MAX_VALUE),
            l1Size.formatted(Integer.MAX_VALUE)),
        at("L1 size 4194305", 36, b -> b.putInt(36, 4194305), l1Size.formatted(4194305)),
        at("L1 size 2^31", 36, b -> b.putInt(36, 1 << 31), l1Size.formatted("2147483648")),
        at(
            "L1 size 0",
            36,
            b -> b.putInt(36, 0),
            "l1_size is 0 entries, a disk of 67108864 bytes needs 1"),
        at(
            "65537 snapshots",
            60,
            b -> b.putInt(60, 65537),
            "nb_snapshots is 65537, more than the limit of 65536"),
        at(
            "2^32-1 snapshots",
            60,
            b -> b.putInt(60, -1),
            "nb_snapshots is 4294967295, more than the limit of 65536"),
        at("no refcount table", 56, b -> b.putInt(56, 0), clusters.formatted(0)),
        at("129 refcount table clusters", 56, b -> b.putInt(56, 129), clusters.formatted(129)),
        at(
            "0x20001 refcount table clusters",
            56,
            b -> b.putInt(56, 0x20001),
            clusters.formatted(0x20001)),
        at(
            "2^32-1 refcount table clusters",
            56,
            b -> b.putInt(56, -1),
            clusters.formatted("4294967295")));
  }

  private static List<Malformed> tables() {
    String misaligned = "%s is 0x%x, not aligned to a cluster";
    String beyond = "%s is 0x%x, beyond what a host offset can be";
    long far = 1L << 56;
    long negative = -1L << 16;
    return List.of(
        at(
            "L1 misaligned",
            40,
            b -> b.putLong(40, 0x10200),
            misaligned.formatted("l1_table_offset", 0x10200)),
        at("L1 at 2^56", 40, b -> b.putLong(40, far), beyond.formatted("l1_table_offset", far)),
        at(
            "L1 at 2^56-1 cluster, too long",
            40,
            b -> b.putLong(40, far - 65536).putInt(36, 8193),
            beyond.formatted("l1_table_offset", far - 65536)),
        at(
            "L1 negative",
            40,
            b -> b.putLong(40, negative),
            beyond.formatted("l1_table_offset", negative)),
        at(
            "refcount table misaligned",
            48,
            b -> b.putLong(48, 0x20008),
            misaligned.formatted("refcount_table_offset", 0x20008)),
        at(
            "refcount table overflows",
            48,
            b -> b.putLong(48, Long.MAX_VALUE & negative),
            beyond.formatted("refcount_table_offset", Long.MAX_VALUE & negative)),
        at(
            "snapshots misaligned though there are none",
            64,
            b -> b.putLong(64, 512),
            misaligned.formatted("snapshots_offset", 512)),
        at(
            "snapshots negative",
            64,
            b -> b.putLong(64, negative),
            beyond.formatted("snapshots_offset", negative)),
        at(
            "backing name behind the first cluster",
            8,
            b -> b.putLong(8, 65537),
            "backing_file_offset is 0x10001, not within the first cluster"),
        at(
            "backing name negative",
            8,
            b -> b.putLong(8, -1),
            "backing_file_offset is 0xffffffffffffffff, not within the first cluster"),
        at(
            "backing name of 1024 bytes",
            16,
            b -> b.putLong(8, 1000).putInt(16, 1024),
            "backing_file_size is 1024, more than 1023 bytes or past the first cluster"),
        at(
            "backing name of 2^32-1 bytes",
            16,
            b -> b.putLong(8, 1000).putInt(16, -1),
            "backing_file_size is 4294967295, more than 1023 bytes or past the first cluster"),
        at(
            "backing name past the first cluster",
            16,
            b -> b.putLong(8, 65530).putInt(16, 7),
            "backing_file_size is 7, more than 1023 bytes or past the first cluster"));
  }

  private static List<Malformed> features() {
    return List.of(
        at("version 1", 0, b -> b.putInt(4, 1), "")
            .withMessage("Header: version is 1, only 2 and 3 are supported"),
        at("version 4", 0, b -> b.putInt(4, 4), "")
            .withMessage("Header: version is 4, only 2 and 3 are supported"),
        at("version 2^32-1", 0, b -> b.putInt(4, -1), "")
            .withMessage("Header: version is 4294967295, only 2 and 3 are supported"),
        at("AES", 0, b -> b.putInt(32, 1), "")
            .withMessage(
                "Header: the image is encrypted (AES, crypt_method 1), which is not supported;"
                    + " decrypt it with qemu-img convert first"),
        at("LUKS", 0, b -> b.putInt(32, 2), "")
            .withMessage(
                "Header: the image is encrypted (LUKS, crypt_method 2), which is not supported;"
                    + " decrypt it with qemu-img convert first"),
        at(
            "compression bit without type",
            104,
            b -> b.putLong(72, 8),
            "compression_type is 0, but the incompatible feature bit 3 is set"),
        at(
            "compression type without bit",
            104,
            b -> b.putByte(104, 1),
            "compression_type is 1, but the incompatible feature bit 3 is clear"),
        at("compression type 2", 0, b -> b.putLong(72, 8).putByte(104, 2), "")
            .withMessage(
                "Header: compression_type is 2, only 0 (deflate) and 1 (zstd) are supported"),
        Malformed.of(
            "incompatible bit 5",
            v3().incompatible(1 << 5).featureName(0, 5, "teleport"),
            "Header: the image needs unsupported features: 'teleport' (incompatible bit 5)"),
        Malformed.of(
            "data file bit without name",
            v3().incompatible(1 << 2),
            "Header extension at host offset 0x48: the external data file bit is set, but no"
                + " extension names the data file"),
        Malformed.of(
            "raw bit without data file",
            v3().autoclear(2),
            "Header extension at host offset 0x58: the raw external data bit is set, but the"
                + " external data file bit is not"),
        Malformed.of(
            "raw data file with a backing file",
            v3().dataFile("d").autoclear(2).backing("b", "raw"),
            "Header extension at host offset 0x58: the raw external data bit is set, but the image"
                + " has a backing file"),
        Malformed.of(
            "extended L2 with small clusters",
            new ImageBuilder(3, 13).extendedL2(),
            "Header extension at host offset 0x14: cluster_bits is 13, extended L2 entries need at"
                + " least 14"),
        Malformed.of(
            "extension longer than the cluster",
            v3().extension(0x1234, new byte[65536 - 112 - 7]),
            "Header extension at host offset 0x70: length of extension 0x00001234 is 65417, past"
                + " the end of the header area at 0x10000"));
  }

  private static List<Malformed> cutShort() {
    SparseBytes l1Repeating = v3().virtualSize(4L << 40).build().bytes();
    for (int entry = 0; entry < 8192; entry++) {
      l1Repeating.putLong(L1_OFFSET + 8L * entry, (1L << 63) | 0x10000);
    }
    SparseBytes l1Lost = v3().build().bytes().resize(L1_OFFSET + 7);
    SparseBytes l1Far = v3().build().bytes().putLong(40, 1L << 40);
    SparseBytes nameLost = v3().backing("base.raw", "raw").build().bytes();
    long name = nameLost.getLong(8);
    SparseBytes nul = v3().backing("base\0.raw", "raw").build().bytes();
    return List.of(
        new Malformed(
            "71 bytes",
            v3().build().bytes().resize(71),
            "Header at host offset 0x0: the file has 71 bytes, a header needs 72"),
        new Malformed(
            "103 bytes",
            v3().build().bytes().resize(103),
            "Header at host offset 0x0: the file has 103 bytes, a header needs 104"),
        new Malformed(
            "104 bytes",
            v3().build().bytes().resize(104),
            "Header at host offset 0x64: header_length is 112, past the end of the file"),
        new Malformed(
            "backing name cut",
            nameLost.resize(name + 7),
            "Backing file name at host offset 0x%x: 8 bytes long, ends past the end of the file"
                .formatted(name)),
        new Malformed(
            "backing name with NUL",
            nul,
            "Backing file name at host offset 0x%x: not a file name: Nul character not allowed"
                .formatted(name)),
        new Malformed(
            "L1 cut",
            l1Lost,
            "L1 table at host offset 0x10000: 1 entries, ends past the end of the file (65543"
                + " bytes)"),
        new Malformed(
            "L1 past the end",
            l1Far,
            "L1 table at host offset 0x10000000000: 1 entries, ends past the end of the file (%d bytes)"
                .formatted(l1Far.size())),
        new Malformed(
            "L1 naming one L2 table again and again",
            l1Repeating,
            "L1 table at host offset 0x10000: names 8192 L2 tables, the file has room for %d"
                .formatted(l1Repeating.size() >> 16)));
  }

  /** All of them. */
  static Stream<Malformed> all() {
    return Stream.of(sizes(), tables(), features(), cutShort()).flatMap(List::stream);
  }
}
