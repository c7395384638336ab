package org.qcowfs.mapping;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.qcowfs.cache.ClusterCache;
import org.qcowfs.cache.TableCache;
import org.qcowfs.format.Header;
import org.qcowfs.testkit.MemoryStorage;
import org.qcowfs.testkit.TestImage;

/** Layers over images in memory, which share their caches. */
final class Layers {
  final TableCache tables = new TableCache(1 << 20);
  final ClusterCache clusters = new ClusterCache(1 << 20);

  Qcow2Layer of(TestImage image) throws IOException {
    return of(image, image.storage());
  }

  Qcow2Layer of(TestImage image, MemoryStorage storage) throws IOException {
    Header header = Header.decode(ByteBuffer.wrap(image.bytes().read(0, 112)));
    long[] l1Table = new long[header.l1Entries()];
    ByteBuffer.wrap(image.bytes().read(header.l1TableOffset(), l1Table.length * 8))
        .asLongBuffer()
        .get(l1Table);
    MemoryStorage guestData =
        image.dataFile().map(bytes -> new MemoryStorage("data", bytes)).orElse(storage);
    return new Qcow2Layer(
        new Qcow2Layer.Files(storage, guestData, 0),
        header,
        new L1Table(l1Table, header.l1TableOffset()),
        new Qcow2Layer.Caches(tables, clusters),
        BackingSource.ZEROS);
  }

  static byte[] read(Qcow2Layer layer, long guestOffset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(length);
    layer.read(buffer, guestOffset);
    byte[] bytes = new byte[length];
    buffer.get(0, bytes);
    return bytes;
  }
}
