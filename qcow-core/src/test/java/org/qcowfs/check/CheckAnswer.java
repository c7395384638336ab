package org.qcowfs.check;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.qcowfs.testkit.QemuTools;
import org.qcowfs.testkit.storage.MemoryStorage;

/**
 * What a check says of an image, ours or QEMU's.
 *
 * @param numbers end of the image, its clusters, and how many are allocated, fragmented, compressed
 * @param text of QEMU, what it printed
 */
record CheckAnswer(int exitCode, long corruptions, long leaks, List<Long> numbers, String text) {
  static CheckAnswer ofOurs(Path file) throws IOException {
    MemoryStorage storage = MemoryStorage.of(Files.readAllBytes(file));
    try {
      CheckReport report = new ImageCheck(storage, ImageCheck.Progress.SILENT).check();
      return new CheckAnswer(
          report.corruptions() > 0 ? 2 : report.leaks() > 0 ? 3 : 0,
          report.corruptions(),
          report.leaks(),
          List.of(
              report.imageEndOffset(),
              report.totalClusters(),
              report.allocatedClusters(),
              report.fragmentedClusters(),
              report.compressedClusters()),
          "");
    } catch (IOException e) {
      return new CheckAnswer(1, 0, 0, List.of(), String.valueOf(e.getMessage()));
    }
  }

  static CheckAnswer ofQemu(Path file) throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    QemuTools.Answer answer =
        QemuTools.run(
            directory,
            List.of("qemu-img", "check", "--output=json", "-f", "qcow2", file.toString()));
    String json = answer.output();
    if (answer.exitCode() == 1) {
      return new CheckAnswer(1, 0, 0, List.of(), json);
    }
    return new CheckAnswer(
        answer.exitCode(),
        number(json, "corruptions"),
        number(json, "leaks"),
        List.of(
            number(json, "image-end-offset"),
            number(json, "total-clusters"),
            number(json, "allocated-clusters"),
            number(json, "fragmented-clusters"),
            number(json, "compressed-clusters")),
        json);
  }

  private static long number(String json, String key) {
    Matcher matcher = Pattern.compile("\"" + key + "\": (\\d+)").matcher(json);
    return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
  }

  boolean agreesWith(CheckAnswer other) {
    return exitCode == other.exitCode
        && corruptions == other.corruptions
        && leaks == other.leaks
        && numbers.equals(other.numbers);
  }

  @Override
  public String toString() {
    return "exit code %d, %d corruptions, %d leaks, %s"
        .formatted(exitCode, corruptions, leaks, numbers);
  }
}
