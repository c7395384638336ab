package org.qcowfs.check;

import java.io.IOException;
import org.qcowfs.error.Qcow2Exception;
import org.qcowfs.storage.BlockStorage;

/**
 * Checks a qcow2 image, and repairs it. The image may be damaged in any way: what is malformed is
 * found, not refused, as long as the header says where the tables are.
 *
 * <p>Thread rules: used by one thread, while nobody else uses the image.
 */
public final class ImageCheck {
  private final BlockStorage storage;
  private final Progress progress;

  /** Is told how far a check has come. */
  public interface Progress {
    /** Tells nobody. */
    Progress SILENT = (done, total) -> {};

    /**
     * A part is done.
     *
     * @param done tables that have been read
     * @param total tables that there are, known once the first has been read
     */
    void done(long done, long total);
  }

  public ImageCheck(BlockStorage storage, Progress progress) {
    this.storage = storage;
    this.progress = progress;
  }

  /**
   * Checks the image. Changes nothing.
   *
   * @throws Qcow2Exception when the header cannot be understood, or there is no memory to count the
   *     clusters
   */
  public CheckReport check() throws IOException {
    return walk().report();
  }

  /**
   * Gives back the clusters that nothing refers to, and changes nothing else. Where a table is
   * damaged, leaks stay: they may be what it has lost.
   *
   * @return what a check finds now, and what was done
   */
  public CheckReport repairLeaks() throws IOException {
    return new ImageRepair(storage, new Tables()).repairLeaks();
  }

  /**
   * Repairs everything that can be repaired without losing what can be read.
   *
   * <p>What survives a crash: an image no worse than before; the repair is made again.
   *
   * @return what a check finds now, and what was done
   */
  public CheckReport repairAll() throws IOException {
    return new ImageRepair(storage, new Tables()).repairAll();
  }

  private ImageWalk walk() throws IOException {
    return ImageWalk.of(ImageHead.read(storage), storage, new Tables());
  }

  /** Passes on how many tables have been read, once for each hundredth of them. */
  private final class Tables implements L2Stream.Progress {
    private long total;
    private long told;

    @Override
    public void expect(long tables) {
      total = tables;
    }

    @Override
    public void tables(long done) {
      if (done == total || (done - told) * 100 >= total) {
        told = done;
        progress.done(done, total);
      }
    }
  }
}
