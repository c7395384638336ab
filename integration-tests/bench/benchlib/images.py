"""The images of the rows. Each is made once; a row that writes gets a copy of its own."""

import pathlib
import random

from benchlib.programs import run

MIB = 1 << 20
SEED = 20260101


class Images:
    """Makes images below a directory, all data in them of about `data_bytes`."""

    def __init__(self, directory, data_bytes):
        self.directory = pathlib.Path(directory)
        self.data_bytes = data_bytes

    def template(self, kind):
        """The image of that kind. Not to be written to."""
        image = self.directory / f"{kind}.qcow2"
        if not image.exists():
            try:
                self.make(kind, image)
            except BaseException:
                image.unlink(missing_ok=True)  # half an image must not be taken for a whole one
                raise
        return image

    def copy(self, kind, name):
        """A copy that may be written to, in the directory of its backing file, which stays shared."""
        source = self.template(kind)
        image = self.directory / f"{name}.qcow2"
        run("cp", "--sparse=always", "--reflink=auto", source, image)
        run("sync", image)  # else the first flush of a subject would write out the copy
        return image

    def make(self, kind, image):
        name, _, argument = kind.partition("-")
        getattr(self, f"make_{name}")(image, argument)

    def make_full(self, image, _):
        """Every cluster allocated, in the order of the disk."""
        raw = self.raw_data()
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-S", "0", raw, image)

    def make_compressed(self, image, kind):
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", "-o", f"compression_type={kind}",
            self.raw_data(), image)  # fmt: skip

    def make_empty(self, image, _):
        """Nothing allocated, with room for what the rows write."""
        run("qemu-img", "create", "-q", "-f", "qcow2", image, 4 * self.data_bytes)

    def make_metadata(self, image, gib):
        """Every cluster allocated, but as holes of the host: tables are real, data is not."""
        run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "preallocation=metadata", image, f"{gib}G", timeout=1200)

    def make_size(self, image, gib):
        """The same with clusters of 1 MiB, so that 10 TiB of them can be made."""
        run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "preallocation=metadata,cluster_size=1M",
            image, f"{gib}G", timeout=1200)  # fmt: skip

    def make_chain(self, image, depth):
        """So many images in all; each holds every depth-th MiB of the disk."""
        depth = int(depth)
        below = self.template("full")
        for level in range(1, depth):
            top = image if level == depth - 1 else self.directory / f"chain-{depth}.{level}.qcow2"
            top.unlink(missing_ok=True)
            run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", below, top)
            writes = []
            for mib in range(level, self.data_bytes // MIB, depth):
                writes += ["-c", f"write -q -P {level} {mib}M 1M"]
            run("qemu-io", *writes, top)
            below = top
        if depth == 1:
            run("cp", "--reflink=auto", below, image)

    def make_overlay(self, image, _):
        """Empty, over a full one: each write copies."""
        run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", self.template("full"), image)

    def make_snapshots(self, image, count):
        """So many internal snapshots of a full disk."""
        run("cp", "--reflink=auto", self.template("full"), image)
        for number in range(int(count)):
            run("qemu-img", "snapshot", "-c", f"s{number}", image)

    def raw_data(self):
        """Data of which half can be compressed away, and nothing is zero."""
        raw = self.directory / "data.raw"
        if not raw.exists():
            source = random.Random(SEED)
            with open(raw, "wb") as out:
                for _ in range(self.data_bytes // MIB):
                    out.write(b"".join(source.randbytes(2048) + b"qcowfs, " * 256 for _ in range(256)))
        return raw
