package org.qcowfs.check;

/** Why our check may say something else than {@code qemu-img check} of 7.2. */
enum Disagreement {
  /** QEMU does not even open the image; we say what is wrong with it. */
  QEMU_DOES_NOT_OPEN {
    @Override
    boolean explains(Mutation broken, CheckAnswer ours, CheckAnswer qemu) {
      return ours.exitCode() == 2
          && qemu.exitCode() == 1
          && qemu.text().startsWith("qemu-img: Could not open");
    }
  },
  /** QEMU ends its check at a broken structure; we go on. */
  QEMU_GIVES_UP {
    @Override
    boolean explains(Mutation broken, CheckAnswer ours, CheckAnswer qemu) {
      return ours.exitCode() == 2
          && qemu.exitCode() == 1
          && (qemu.text().contains("Check failed")
              || qemu.text().contains("Can't get refcount")
              || qemu.text().contains("\"check-errors\""));
    }
  },
  /** QEMU takes host offsets of 2^56 and more for possible; we cannot understand such a header. */
  OFFSET_TOO_LARGE {
    @Override
    boolean explains(Mutation broken, CheckAnswer ours, CheckAnswer qemu) {
      return ours.exitCode() == 1
          && qemu.exitCode() == 2
          && broken.place().endsWith("_offset")
          && ours.text().contains("beyond what a host offset can be");
    }
  },
  /** The format wants multiples of 8, where the extensions begin; QEMU does not mind. */
  HEADER_LENGTH {
    @Override
    boolean explains(Mutation broken, CheckAnswer ours, CheckAnswer qemu) {
      return ours.exitCode() == 1
          && broken.place().equals("header_length")
          && broken.value() % 8 != 0;
    }
  },
  /** QEMU opens the backing file, which has another name now; we open no other file. */
  BACKING_FILE_IS_OPENED {
    @Override
    boolean explains(Mutation broken, CheckAnswer ours, CheckAnswer qemu) {
      return ours.exitCode() == 0 && qemu.text().contains("Could not open backing file");
    }
  },
  /** QEMU knows no bitmap with extra data, not even the flag that says one may ignore it. */
  FLAG_OF_EXTRA_DATA {
    @Override
    boolean explains(Mutation broken, CheckAnswer ours, CheckAnswer qemu) {
      return ours.exitCode() == 0
          && broken.place().equals("bitmap flags")
          && (broken.value() & ~7) == 0
          && qemu.text().contains("doesn't satisfy the constraints");
    }
  },
  /**
   * QEMU takes the header for an L2 table where an L1 entry is not 0 but names no table, and reads
   * an L2 table, for the flags, even where it is misaligned. One error is enough for us.
   */
  NO_L2_TABLE {
    @Override
    boolean explains(Mutation broken, CheckAnswer ours, CheckAnswer qemu) {
      return bothCorrupt(ours, qemu)
          && qemu.corruptions() > ours.corruptions()
          && (broken.place().contains("L1") || broken.place().startsWith("l1_"));
    }
  },
  /** QEMU takes zeros for snapshots, also those that it reads past the end of the file. */
  ZEROS_PAST_THE_END {
    @Override
    boolean explains(Mutation broken, CheckAnswer ours, CheckAnswer qemu) {
      return ours.exitCode() == 2
          && qemu.exitCode() != 1
          && (broken.place().startsWith("snapshot") || broken.place().equals("nb_snapshots"));
    }
  },
  /** Two structures on one cluster whose refcount does not tell: QEMU does not notice. */
  OVERLAP {
    @Override
    boolean explains(Mutation broken, CheckAnswer ours, CheckAnswer qemu) {
      return bothCorrupt(ours, qemu)
          && ours.corruptions() > qemu.corruptions()
          && !broken.place().equals("file size");
    }
  };

  private static boolean bothCorrupt(CheckAnswer ours, CheckAnswer qemu) {
    return ours.exitCode() == 2 && qemu.exitCode() == 2;
  }

  abstract boolean explains(Mutation broken, CheckAnswer ours, CheckAnswer qemu);
}
