package org.qcowfs.it.matrix;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.qcowfs.it.kit.QemuImg;
import org.qcowfs.it.kit.TestDirectory;

/** An image of one shape in a directory of its own, with its backing files, filled by QEMU. */
final class VariantImage implements AutoCloseable {
  private static final String NAME = "image.qcow2";
  private static final List<String> SNAPSHOTS = List.of("installed", "updated");

  private final ImageVariant variant;
  private final SplittableRandom random;
  private final Path directory = TestDirectory.create("variant");
  private final Path image = directory.resolve(NAME);

  private VariantImage(ImageVariant variant, SplittableRandom random) {
    this.variant = variant;
    this.random = random;
  }

  /** Makes the image; equal generators make equal images. */
  static VariantImage create(ImageVariant variant, SplittableRandom random) {
    VariantImage made = new VariantImage(variant, random);
    made.createChain();
    made.fillImage();
    return made;
  }

  Path image() {
    return image;
  }

  /** The names of its internal snapshots. */
  List<String> snapshots() {
    return variant.history() ? SNAPSHOTS : List.of();
  }

  /** Every file that reading the image may touch, and must not change. */
  List<Path> files() {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> !file.toString().endsWith(".expected")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The files of the chain below the image. */
  List<Path> backingFiles() {
    return files().stream()
        .filter(file -> !String.valueOf(file.getFileName()).startsWith("image."))
        .toList();
  }

  private void createChain() {
    long size = variant.virtualBytes();
    switch (variant.chain()) {
      case NONE -> create(image, "", size);
      case QCOW2 -> overlay(qcow2Base("base.qcow2", size), "qcow2", size);
      case RAW -> overlay(rawBase("base.raw", size), "raw", size);
      case SHORTER -> overlay(qcow2Base("base.qcow2", size / 3 + 0xa00 & -0x200), "qcow2", size);
      case LONGER -> overlay(rawBase("base.raw", size + size / 2 & -0x200), "raw", size);
      case THREE -> overlay(middle(size / 2 & -0x200), "qcow2", size);
    }
  }

  private Path middle(long size) {
    Path bottom = rawBase("bottom.raw", size + 0x12345 & -0x200);
    Path middle = directory.resolve("middle.qcow2");
    String backing = ",backing_file=" + bottom.getFileName() + ",backing_fmt=raw";
    QemuImg.create(middle, "cluster_size=16384,extended_l2=on" + backing, size);
    new FillPlan(directory, size, 16384, random).ordinary(8).run(middle);
    return middle;
  }

  private Path qcow2Base(String name, long size) {
    Path base = directory.resolve(name);
    QemuImg.create(base, "cluster_size=8192", size);
    new FillPlan(directory, size, 8192, random).compressed().ordinary(8).run(base);
    return base;
  }

  private Path rawBase(String name, long size) {
    Path base = QemuImg.createRaw(directory.resolve(name), size);
    new FillPlan(directory, size, 4096, random).ordinary(8).runRaw(base);
    return base;
  }

  private void overlay(Path backing, String format, long size) {
    create(image, ",backing_file=" + backing.getFileName() + ",backing_fmt=" + format, size);
  }

  private void create(Path file, String moreOptions, long size) {
    QemuImg.create(file, variant.createOptions(NAME) + moreOptions, size);
  }

  private void fillImage() {
    FillPlan first = plan();
    if (variant.compression() != ImageVariant.Compression.NONE) {
      first.compressed();
    }
    first.ordinary(14).run(image);
    if (variant.bitmap()) {
      QemuImg.on(image, "bitmap", "--add", "-g", "32768", image, "backup");
    }
    for (String name : snapshots()) {
      QemuImg.snapshot(image, name);
      plan().ordinary(8).run(image);
    }
    if (!variant.history()) {
      plan().ordinary(8).run(image);
    }
  }

  private FillPlan plan() {
    return new FillPlan(directory, variant.virtualBytes(), variant.clusterBytes(), random);
  }

  /** Removes the files. */
  @Override
  public void close() {
    TestDirectory.delete(directory);
  }
}
