package org.qcowfs.image;

import java.io.IOException;
import org.qcowfs.testkit.hostile.EditedImage;

/**
 * Fuzz target: the bytes are edits of a valid image ({@link EditedImage}), which is then used as by
 * {@link ImageFuzz}. So what a mutation breaks is a field, and not the rest of the image with it.
 */
public final class EditedImageFuzz {
  private EditedImageFuzz() {}

  /** One case. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    ImageFuzz.use(data, file -> EditedImage.write(data, file));
  }
}
