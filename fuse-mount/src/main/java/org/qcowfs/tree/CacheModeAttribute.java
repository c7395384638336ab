package org.qcowfs.tree;

import java.io.IOException;
import java.util.Optional;
import org.qcowfs.image.CacheMode;
import org.qcowfs.image.Image;

/** The cache mode of a mounted image: can be looked at and switched while the disk is in use. */
record CacheModeAttribute(Image image) implements ExtendedAttribute {
  @Override
  public String value() {
    return image.cacheMode().map(CacheMode::modeName).orElse("");
  }

  @Override
  public boolean set(String value) throws IOException {
    Optional<CacheMode> mode = CacheMode.byName(value);
    if (mode.isPresent()) {
      image.setCacheMode(mode.get());
    }
    return mode.isPresent();
  }
}
