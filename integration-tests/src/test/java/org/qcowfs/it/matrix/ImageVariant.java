package org.qcowfs.it.matrix;

import java.util.ArrayList;
import java.util.List;

/**
 * A shape of image: one value of each property that the read path depends on.
 *
 * @param clusterBytes cluster size
 * @param version of the format, 2 or 3
 * @param refcountBits width of a refcount
 * @param compression how some of its clusters are compressed
 * @param extendedL2 whether clusters are divided into subclusters
 * @param dataFile whether guest data lies in a file of its own
 * @param chain what it is an overlay of
 * @param history whether it holds internal snapshots
 * @param bitmap whether it holds a persistent dirty bitmap
 * @param ragged whether its size is no multiple of a cluster
 */
record ImageVariant(
    int clusterBytes,
    int version,
    int refcountBits,
    Compression compression,
    boolean extendedL2,
    DataFile dataFile,
    Chain chain,
    boolean history,
    boolean bitmap,
    boolean ragged) {

  enum Compression {
    NONE,
    DEFLATE,
    ZSTD
  }

  enum DataFile {
    NONE,
    EXTERNAL,
    EXTERNAL_RAW
  }

  enum Chain {
    NONE,
    QCOW2,
    RAW,
    SHORTER,
    LONGER,
    THREE
  }

  private static final int SMALLEST_CLUSTER_WITH_SUBCLUSTERS = 16 << 10;

  /** Every variant that QEMU can make. */
  static List<ImageVariant> allLegal() {
    List<ImageVariant> all = new ArrayList<>();
    for (int clusterBytes : new int[] {512, 4 << 10, 16 << 10, 64 << 10, 2 << 20}) {
      for (int version : new int[] {2, 3}) {
        for (int refcountBits : new int[] {1, 8, 16, 64}) {
          for (Compression compression : Compression.values()) {
            addShapes(all, clusterBytes, version, refcountBits, compression);
          }
        }
      }
    }
    return all.stream().filter(ImageVariant::isLegal).toList();
  }

  private static void addShapes(
      List<ImageVariant> all,
      int clusterBytes,
      int version,
      int refcountBits,
      Compression compression) {
    for (DataFile dataFile : DataFile.values()) {
      for (Chain chain : Chain.values()) {
        for (int flags = 0; flags < 16; flags++) {
          all.add(
              new ImageVariant(
                  clusterBytes,
                  version,
                  refcountBits,
                  compression,
                  (flags & 1) != 0,
                  dataFile,
                  chain,
                  (flags & 2) != 0,
                  (flags & 4) != 0,
                  (flags & 8) != 0));
        }
      }
    }
  }

  private boolean isLegal() {
    boolean plain =
        refcountBits == 16
            && compression != Compression.ZSTD
            && !extendedL2
            && dataFile == DataFile.NONE
            && !bitmap;
    boolean external = dataFile != DataFile.NONE;
    return (version == 3 || plain)
        && !(extendedL2 && clusterBytes < SMALLEST_CLUSTER_WITH_SUBCLUSTERS)
        && !(external && (compression != Compression.NONE || history))
        && !(dataFile == DataFile.EXTERNAL_RAW && chain != Chain.NONE)
        && !(history && refcountBits == 1);
  }

  /** Virtual size in bytes: several clusters, and where that stays small several L2 tables. */
  long virtualBytes() {
    long round =
        switch (clusterBytes) {
          case 512 -> 1 << 20;
          case 4 << 10 -> 5 << 20;
          case 16 << 10 -> 9 << 20;
          case 64 << 10 -> 12 << 20;
          default -> 22 << 20;
        };
    return ragged ? round + 0x1600 : round;
  }

  /** The options for {@code qemu-img create -o}; {@code name} is the image's file name. */
  String createOptions(String name) {
    List<String> options = new ArrayList<>();
    options.add("compat=" + (version == 2 ? "0.10" : "1.1"));
    options.add("cluster_size=" + clusterBytes);
    options.add("refcount_bits=" + refcountBits);
    if (compression == Compression.ZSTD) {
      options.add("compression_type=zstd");
    }
    if (extendedL2) {
      options.add("extended_l2=on");
    }
    if (dataFile != DataFile.NONE) {
      options.add("data_file=" + name + ".data");
    }
    if (dataFile == DataFile.EXTERNAL_RAW) {
      options.add("data_file_raw=on");
    }
    return String.join(",", options);
  }

  /** The values in the order of the properties. */
  List<Object> values() {
    return List.of(
        clusterBytes,
        version,
        refcountBits,
        compression,
        extendedL2,
        dataFile,
        chain,
        history,
        bitmap,
        ragged);
  }

  /** A name for test reports. */
  @Override
  public String toString() {
    List<String> words = new ArrayList<>();
    words.add("v" + version + " cluster " + clusterBytes + " refcount " + refcountBits);
    words.add("compression " + compression + " data file " + dataFile + " chain " + chain);
    addIf(words, extendedL2, "extended L2");
    addIf(words, history, "snapshots");
    addIf(words, bitmap, "bitmap");
    addIf(words, ragged, "ragged");
    return String.join(", ", words);
  }

  private static void addIf(List<String> words, boolean wanted, String word) {
    if (wanted) {
      words.add(word);
    }
  }
}
