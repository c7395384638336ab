package org.qcowfs.report;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import org.qcowfs.image.ImageFormat;
import org.qcowfs.image.ImageInfo;
import org.qcowfs.image.InternalSnapshot;

/** What {@code qemu-img info --output=json} says of an image. */
public final class InfoJson {
  private static final long SECTOR_BYTES = 512;
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  private final JsonGenerator json;

  private InfoJson(JsonGenerator json) {
    this.json = json;
  }

  /** Writes one image as an object; leaves the stream open. */
  public static void write(ImageInfo info, OutputStream out) throws IOException {
    try (JsonGenerator json = JsonLayout.generator(out, new JsonLayout())) {
      new InfoJson(json).image(info);
      json.writeRaw('\n');
    }
  }

  /** Writes a backing chain, the image first, as an array; leaves the stream open. */
  public static void writeChain(List<ImageInfo> chain, OutputStream out) throws IOException {
    try (JsonGenerator json = JsonLayout.generator(out, new JsonLayout())) {
      json.writeStartArray();
      for (ImageInfo info : chain) {
        new InfoJson(json).image(info);
      }
      json.writeEndArray();
      json.writeRaw('\n');
    }
  }

  private void image(ImageInfo info) throws IOException {
    json.writeStartObject();
    if (info.backing().isPresent() && info.backing().get().formatName().isPresent()) {
      json.writeStringField("backing-filename-format", info.backing().get().formatName().get());
    }
    if (!info.snapshots().isEmpty()) {
      json.writeArrayFieldStart("snapshots");
      for (InternalSnapshot snapshot : info.snapshots()) {
        snapshot(snapshot);
      }
      json.writeEndArray();
    }
    json.writeNumberField("virtual-size", virtualBytes(info));
    json.writeStringField("filename", info.file().toString());
    if (info.clusterBytes() != 0) {
      json.writeNumberField("cluster-size", info.clusterBytes());
    }
    json.writeStringField("format", info.format().formatName());
    json.writeNumberField("actual-size", info.actualBytes());
    if (info.qcow2().isPresent()) {
      formatSpecific(info.qcow2().get());
    }
    if (info.backing().isPresent()) {
      json.writeStringField("full-backing-filename", info.backing().get().resolved().toString());
      json.writeStringField("backing-filename", info.backing().get().name());
    }
    json.writeBooleanField("dirty-flag", info.qcow2().map(ImageInfo.Qcow2::dirty).orElse(false));
    if (info.writeStop().isPresent()) {
      json.writeStringField("write-stop-reason", info.writeStop().get());
    }
    json.writeEndObject();
  }

  /**
   * QEMU knows disks in whole sectors only: it makes up the rest of the last one of a raw disk, and
   * cuts off that of a qcow2 disk.
   */
  static long virtualBytes(ImageInfo info) {
    return info.format() == ImageFormat.RAW
        ? (info.virtualBytes() + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES
        : info.virtualBytes() / SECTOR_BYTES * SECTOR_BYTES;
  }

  private void snapshot(InternalSnapshot snapshot) throws IOException {
    json.writeStartObject();
    if (snapshot.icount() != InternalSnapshot.NO_ICOUNT) {
      json.writeNumberField("icount", snapshot.icount());
    }
    json.writeNumberField(
        "vm-clock-nsec", Long.remainderUnsigned(snapshot.vmClockNanos(), NANOS_PER_SECOND));
    json.writeStringField("name", snapshot.name());
    json.writeNumberField("date-sec", snapshot.dateSeconds());
    json.writeNumberField("date-nsec", snapshot.dateNanos());
    json.writeNumberField(
        "vm-clock-sec", Long.divideUnsigned(snapshot.vmClockNanos(), NANOS_PER_SECOND));
    json.writeStringField("id", snapshot.id());
    json.writeNumberField("vm-state-size", snapshot.vmStateBytes());
    json.writeEndObject();
  }

  private void formatSpecific(ImageInfo.Qcow2 qcow2) throws IOException {
    json.writeObjectFieldStart("format-specific");
    json.writeStringField("type", ImageFormat.QCOW2.formatName());
    json.writeObjectFieldStart("data");
    boolean hasFeatureBits = qcow2.version() >= 3;
    json.writeStringField("compat", hasFeatureBits ? "1.1" : "0.10");
    json.writeStringField("compression-type", qcow2.compressionType());
    if (hasFeatureBits) {
      json.writeBooleanField("lazy-refcounts", qcow2.lazyRefcounts());
    }
    bitmaps(qcow2.bitmaps());
    json.writeNumberField("refcount-bits", qcow2.refcountBits());
    if (qcow2.dataFile().isPresent()) {
      json.writeStringField("data-file", qcow2.dataFile().get());
      json.writeBooleanField("data-file-raw", qcow2.dataFileRaw());
    }
    if (hasFeatureBits) {
      json.writeBooleanField("corrupt", qcow2.corrupt());
      json.writeBooleanField("extended-l2", qcow2.extendedL2());
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private void bitmaps(List<ImageInfo.Bitmap> bitmaps) throws IOException {
    if (bitmaps.isEmpty()) {
      return;
    }
    json.writeArrayFieldStart("bitmaps");
    for (ImageInfo.Bitmap bitmap : bitmaps) {
      json.writeStartObject();
      json.writeArrayFieldStart("flags");
      for (String flag : flagNames(bitmap)) {
        json.writeString(flag);
      }
      json.writeEndArray();
      json.writeStringField("name", bitmap.name());
      json.writeNumberField("granularity", bitmap.granularityBytes());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  /** The flags of a bitmap by the names that QEMU gives them. */
  static List<String> flagNames(ImageInfo.Bitmap bitmap) {
    List<String> names = new ArrayList<>();
    if (bitmap.inUse()) {
      names.add("in-use");
    }
    if (bitmap.auto()) {
      names.add("auto");
    }
    return names;
  }
}
