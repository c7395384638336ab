package org.qcowfs.testkit.crash;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.qcowfs.testkit.storage.MemoryStorage;

/**
 * The host files of an image: the image first, then its external data file if it has one.
 *
 * <p>Their bytes are not to be changed: what changes a file changes a copy.
 */
public record HostFiles(List<MemoryStorage> files) {
  /** The qcow2 file. */
  public MemoryStorage image() {
    return files.get(0);
  }

  /** Where guest data lies: the data file, or else the image. */
  public MemoryStorage guestData() {
    return files.get(files.size() - 1);
  }

  /** Copies that may be changed. */
  public HostFiles copy() {
    return new HostFiles(files.stream().map(MemoryStorage::copy).toList());
  }

  /** The same files, one of them with other bytes. */
  HostFiles with(int file, MemoryStorage content) {
    List<MemoryStorage> changed = new ArrayList<>();
    IntStream.range(0, files.size()).forEach(i -> changed.add(i == file ? content : files.get(i)));
    return new HostFiles(changed);
  }
}
