"""The work whose cost is counted: always the same operations in the same order."""

import mmap
import os
import random

from benchlib.programs import run

MIB = 1 << 20
BLOCK = 4096
CLUSTER = 1 << 16
DISK_BYTES = 32 * MIB
SEED = 7


class Disk:
    """An open disk, and aligned memory for direct I/O."""

    def __init__(self, path, flags):
        self.fd = os.open(path, os.O_RDWR | flags)
        self.memory = mmap.mmap(-1, MIB)
        self.memory.write(random.Random(SEED).randbytes(MIB))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        os.close(self.fd)

    def read(self, size, offset):
        """Returns the bytes that were read, all of them."""
        with memoryview(self.memory)[:size] as view:
            if os.preadv(self.fd, [view], offset) != size:
                raise OSError(f"a short read at {offset}")
        return size

    def write(self, size, offset):
        """Writes all of them."""
        with memoryview(self.memory)[:size] as view:
            if os.pwritev(self.fd, [view], offset) != size:
                raise OSError(f"a short write at {offset}")


def read_sequential(disk, begin, end):
    os.posix_fadvise(disk.fd, 0, 0, os.POSIX_FADV_DONTNEED)
    for offset in range(begin, end, MIB):
        disk.read(MIB, offset)


def scattered(begin, end, step, count):
    """So many different offsets, in an order that is always the same."""
    return random.Random(SEED).sample(range(begin, end, step), count)


def read_scattered(disk, begin, end):
    for offset in scattered(begin, end, BLOCK, (end - begin) // CLUSTER * 2):
        disk.read(BLOCK, offset)


def write_scattered(disk, begin, end):
    for offset in scattered(begin, end, BLOCK, (end - begin) // CLUSTER * 2):
        disk.write(BLOCK, offset)
    os.fsync(disk.fd)


def write_each_cluster(disk, begin, end):
    for offset in range(begin, end, CLUSTER):
        disk.write(BLOCK, offset)


def write_each_cluster_flushed(disk, begin, end):
    for offset in range(begin, end, CLUSTER):
        disk.write(BLOCK, offset)
        os.fdatasync(disk.fd)


# By name: the image, what is done, with which flags. The first quarter of the disk is for the warm-up.
WORKS = {
    "read-seq": ("full", read_sequential, 0),
    "read-4k": ("full", read_scattered, os.O_DIRECT),
    "read-compressed": ("compressed-zlib", read_sequential, 0),
    "overwrite-4k": ("full", write_scattered, os.O_DIRECT),
    "alloc-fdatasync": ("empty", write_each_cluster_flushed, os.O_DIRECT),
    "copy-on-write": ("overlay", write_each_cluster, os.O_DIRECT),
}


def perform(name, mount):
    """Warms up, does the work; the counts of it, with what Java allocated for 1,000 requests."""
    _, work, flags = WORKS[name]
    warm = DISK_BYTES // 4
    with Disk(mount.disk, flags) as disk:
        work(disk, 0, warm)
        before = mount.allocated()
        mount.trace.take()
        work(disk, warm, DISK_BYTES)
        counts = mount.trace.take()
        allocated = mount.allocated() - before
    counts["allocated_per_1000"] = allocated * 1000 // max(1, counts["requests"])
    return counts


def check(image):
    """What was counted must also have been right."""
    run("qemu-img", "check", "-q", image)
