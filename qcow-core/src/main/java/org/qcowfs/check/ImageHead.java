package org.qcowfs.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.qcowfs.error.CorruptImageException;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.format.Header;
import org.qcowfs.format.HeaderExtensions;
import org.qcowfs.storage.BlockStorage;

/**
 * Header and extensions of an image that may be damaged.
 *
 * @param problem what is wrong with the extensions, or null
 */
record ImageHead(Header header, HeaderExtensions extensions, @Nullable Finding problem) {
  /**
   * Reads both.
   *
   * @throws Qcow2Exception when the header cannot be understood
   */
  static ImageHead read(BlockStorage storage) throws IOException {
    ByteBuffer first = ByteBuffer.allocate((int) Math.min(Header.DECODED_BYTES, storage.size()));
    storage.read(first, 0);
    Header header = Header.decodeForCheck(first.flip());
    ByteBuffer cluster = ByteBuffer.allocate((int) Math.min(header.clusterBytes(), storage.size()));
    storage.read(cluster, 0);
    cluster.flip();
    try {
      HeaderExtensions extensions = HeaderExtensions.decode(header, cluster);
      extensions.checkFeatures(header);
      return new ImageHead(header, extensions, null);
    } catch (CorruptImageException e) {
      Finding problem =
          Finding.corruption(
              "Header extension",
              e.hostOffset(),
              String.valueOf(e.getMessage()),
              "what the extensions say is not known");
      return new ImageHead(header, HeaderExtensions.none(header), problem);
    }
  }
}
