"""The rows of the table."""

import dataclasses
import typing

from benchlib.work import Discard, Mounting, Once, Passes, Timed, Unmounting, WholeDisk, Work

MODES = ("writeback", "none", "writethrough", "directsync", "unsafe", "volatile")
MIB = 1 << 20


@dataclasses.dataclass
class Row:
    """One line: which work on which image, and the ratio to qemu-storage-daemon that is wanted."""

    name: str
    title: str
    image: str
    work: Work
    unit: str
    target: typing.Optional[float] = None
    mode: str = "writeback"
    writes: bool = False
    host: bool = True
    limit: typing.Optional[float] = None  # in the row's unit, where the target is no ratio

    @property
    def more_is_better(self):
        return self.unit in ("MiB/s", "IOPS")

    def value(self, result):
        """A result in the row's unit."""
        if self.unit == "MiB/s":
            return result.size / MIB / result.seconds
        if self.unit == "IOPS":
            return result.operations / result.seconds
        if self.unit == "us":
            return result.seconds / result.operations * 1e6
        return result.seconds * 1e3

    def cpu_cost(self, result):
        """CPU seconds: for each GiB where bytes count, for each 100,000 operations where they do."""
        if self.unit == "MiB/s":
            return result.cpu / (result.size / 1024 / MIB)
        if self.unit in ("IOPS", "us"):
            return result.cpu / result.operations * 1e5
        return result.cpu

    def ratio(self, ours, theirs):
        """How many times better ours is."""
        return ours / theirs if self.more_is_better else theirs / ours


RANDOM_READ = ("rw=randread", "bs=4k", "direct=1")
RANDOM_WRITE = ("rw=randwrite", "bs=4k", "direct=1")
FOUR_JOBS = ("numjobs=4", "thread")
SYNCED = ("rw=write:60k", "bs=4k", "direct=0", "fdatasync=1")


def all_rows():
    """In the order of the table."""
    rows = [
        Row("read-seq", "sequential read, buffered", "full", Passes("rw=read", "bs=1M"), "MiB/s", 2.0),
        Row("read-seq-direct", "sequential read, direct", "full", Timed("rw=read", "bs=1M", "direct=1"), "MiB/s", 2.5),
        Row("read-4k", "random 4k read, depth 1", "full", Timed(*RANDOM_READ), "IOPS", 1.6),
        Row("read-4k-jobs4", "random 4k read, 4 jobs", "full", Timed(*RANDOM_READ, *FOUR_JOBS), "IOPS", 2.5),
        Row("read-4k-libaio16", "random 4k read, libaio 16", "full",
            Timed(*RANDOM_READ, "ioengine=libaio", "iodepth=16"), "IOPS"),
        Row("read-64k", "random 64k read", "full", Timed("rw=randread", "bs=64k", "direct=1"), "MiB/s"),
        Row("read-deflate", "compressed read, deflate", "compressed-zlib", Passes("rw=read", "bs=1M"), "MiB/s", 1.8,
            host=False),
        Row("read-zstd", "compressed read, zstd", "compressed-zstd", Passes("rw=read", "bs=1M"), "MiB/s", 1.8,
            host=False),
        Row("read-4k-64g", "random 4k read, 64 GiB of tables", "metadata-64", WholeDisk(*RANDOM_READ), "IOPS",
            host=False),
        Row("read-chain8", "sequential read, chain of 8", "chain-8", Passes("rw=read", "bs=1M"), "MiB/s", host=False),
        Row("read-4k-cold", "random 4k read, 4 jobs, cold", "full",
            Timed(*RANDOM_READ, *FOUR_JOBS, cold_host=True), "IOPS"),
        Row("write-seq-direct", "overwrite sequential, direct", "full", Timed("rw=write", "bs=1M", "direct=1"),
            "MiB/s", 1.5, writes=True),
        Row("write-seq-fsync", "overwrite sequential, fsync", "full", Passes("rw=write", "bs=1M", "end_fsync=1"),
            "MiB/s", 1.0, writes=True),
        Row("write-4k", "overwrite random 4k, depth 1", "full", Timed(*RANDOM_WRITE), "IOPS", 1.5, writes=True),
        Row("write-4k-jobs4", "overwrite random 4k, 4 jobs", "full", Timed(*RANDOM_WRITE, *FOUR_JOBS), "IOPS", 5.0,
            writes=True),
        Row("alloc-seq", "allocating write, sequential", "empty",
            Once("rw=write", "bs=1M", "direct=1", warm_pass=True), "MiB/s", 1.5, writes=True),
        Row("alloc-4k", "allocating write, random 4k", "empty", Once(*RANDOM_WRITE, portion=1 / 16), "IOPS", 1.5,
            writes=True),
    ]  # fmt: skip
    for mode in MODES:
        rows.append(
            Row(f"alloc-fdatasync-{mode}", f"4k + fdatasync, {mode}", "empty", Once(*SYNCED, synced=True), "IOPS",
                1.8 if mode == "writeback" else None, mode=mode, writes=True))  # fmt: skip
    rows += [
        Row("cow-4k", "copy-on-write, random 4k", "overlay", Once(*RANDOM_WRITE, portion=1 / 32), "IOPS", 1.5,
            writes=True, host=False),
        Row("discard", "discard of 1 MiB each", "full", Discard(), "us", writes=True),
        Row("mount", "time to mounted", "full", Mounting(), "ms", limit=200, writes=True, host=False),
        Row("umount", "time to unmounted after 1 GiB", "empty", Unmounting(), "ms", writes=True, host=False),
    ]  # fmt: skip
    return rows + flat_rows()


def flat_rows():
    """What must not grow with the image: time for each operation."""
    rows = []
    for count in (10, 100, 1000):
        rows.append(Row(f"flat-snapshots-{count}", f"read 4k, {count} snapshots", f"snapshots-{count}",
                        Timed(*RANDOM_READ), "us", host=False))  # fmt: skip
    for count in (10, 100, 1000):
        rows.append(Row(f"flat-snapshots-write-{count}", f"write 4k, {count} snapshots", f"snapshots-{count}",
                        Once(*RANDOM_WRITE, portion=1 / 64), "us", writes=True, host=False))  # fmt: skip
    for depth in (1, 16):
        rows.append(Row(f"flat-chain-{depth}", f"read 4k, chain of {depth}", f"chain-{depth}",
                        Timed(*RANDOM_READ), "us", host=False))  # fmt: skip
    for gib, size in ((1, "1 GiB"), (10240, "10 TiB")):
        rows.append(Row(f"flat-size-{gib}g", f"read 4k, disk of {size}", f"size-{gib}",
                        WholeDisk(*RANDOM_READ), "us", host=False))  # fmt: skip
    for gib, size in ((1, "1 GiB"), (1024, "1 TiB")):
        rows.append(Row(f"read-4k-{gib}g", f"read 4k, tables of {size}", f"metadata-{gib}",
                        WholeDisk(*RANDOM_READ), "IOPS", host=False))  # fmt: skip
    return rows
