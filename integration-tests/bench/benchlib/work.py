"""The work that is measured: fio jobs, and what fio cannot do."""

import ctypes
import dataclasses
import json
import os
import time

from benchlib.programs import BenchError, cpu_seconds, forget_pages, peak_mib, run

MIB = 1 << 20
GIB = 1 << 30
KEEP_SIZE_PUNCH_HOLE = 3


@dataclasses.dataclass
class Result:
    """What one run gave: operations and bytes done, wall and CPU time, peak memory in MiB."""

    operations: int
    size: int
    seconds: float
    cpu: float
    peak: float


@dataclasses.dataclass
class Scale:
    """How much is done. `passes` is how often work of a fixed size is repeated, where it can be."""

    data_bytes: int
    seconds: float
    warm_seconds: float
    passes: int
    synced_writes: int
    once_warm_bytes: int
    once_bytes: int  # at most, of random writes that allocate or copy


FULL = Scale(512 * MIB, 3, 1, 4, 2000, 4 * MIB, 64 * MIB)
QUICK = Scale(32 * MIB, 0.3, 0.1, 1, 30, MIB, MIB)


class Work:
    """Something done to a served disk."""

    def warm_up(self, served, scale):
        """What comes before and is not measured."""

    def do(self, served, scale):
        """Returns operations, bytes and seconds."""
        raise NotImplementedError

    def measure(self, served, scale):
        self.warm_up(served, scale)
        before = cpu_seconds(served.pids)
        operations, size, seconds = self.do(served, scale)
        if not operations or seconds <= 0:
            raise BenchError(f"nothing was done on {served.disk}")
        return Result(operations, size, seconds, cpu_seconds(served.pids) - before, peak_mib(served.pids))


def fio(served, *options):
    """Runs a job; operations, bytes and seconds."""
    said = run(
        "fio", "--name=row", f"--filename={served.disk}", "--output-format=json", "--ioengine=psync",
        "--group_reporting", "--randrepeat=1", "--allow_file_create=0", *[f"--{option}" for option in options],
        timeout=served.job_limit)  # fmt: skip
    job = json.loads(said[said.index("{") :])["jobs"][0]
    sides = [side for side in (job["read"], job["write"]) if side["total_ios"]]
    operations = sum(side["total_ios"] for side in sides)
    size = sum(side["io_bytes"] for side in sides)
    seconds = max((side["runtime"] for side in sides), default=0) / 1000
    if job["error"] or not size:
        raise BenchError(f"fio on {served.disk}: error {job['error']}, {size} bytes")
    return operations, size, max(seconds, 0.001)


class Timed(Work):
    """A job that goes on for a time."""

    def __init__(self, *options, cold_host=False):
        self.options = options
        self.cold_host = cold_host

    def warm_up(self, served, scale):
        self.run(served, scale, scale.warm_seconds)
        if self.cold_host:
            forget_pages(served.image if served.pids else served.disk)

    def do(self, served, scale):
        return self.run(served, scale, scale.seconds)

    def run(self, served, scale, seconds):
        return fio(served, *self.options, f"size={self.size(scale)}", "time_based", f"runtime={int(seconds * 1000)}ms")

    def size(self, scale):
        return scale.data_bytes


class WholeDisk(Timed):
    """The same over all of the disk, however large."""

    def size(self, scale):
        return "100%"


class Passes(Work):
    """A job over all the data, several times; each time the kernel's pages of it are dropped first."""

    def __init__(self, *options):
        self.options = options

    def warm_up(self, served, scale):
        self.once(served, scale)

    def do(self, served, scale):
        done = [self.once(served, scale) for _ in range(scale.passes)]
        return tuple(map(sum, zip(*done)))

    def once(self, served, scale):
        return fio(served, *self.options, f"size={scale.data_bytes}")


class Once(Work):
    """A job that changes what it finds, so it can be done once only. The last eighth is for the warm-up.

    With `warm_pass`, the warm-up is as long as that of a job that makes passes, behind all of the data: a
    few requests of 1 MiB would warm nothing up."""

    def __init__(self, *options, portion=1, synced=False, warm_pass=False):
        self.options = options
        self.portion = portion
        self.synced = synced
        self.warm_pass = warm_pass

    def warm_up(self, served, scale):
        if self.warm_pass:
            fio(served, *self.options, f"offset={scale.data_bytes}", f"size={scale.data_bytes}")
            return
        eighth = scale.data_bytes // 8
        amount = scale.synced_writes * 1024 if self.synced else scale.once_warm_bytes
        fio(served, *self.options, f"offset={7 * eighth}", f"size={eighth}", f"io_size={amount}")

    def do(self, served, scale):
        size = scale.data_bytes * 7 // 8
        amount = scale.synced_writes * 4096 if self.synced else int(size * self.portion)
        if self.portion < 1:
            amount = min(amount, scale.once_bytes)
        return fio(served, *self.options, f"size={size}", f"io_size={amount}")


class Discard(Work):
    """Punches a hole into every MiB of a full disk."""

    def do(self, served, scale):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
        fd = os.open(served.disk, os.O_RDWR)
        try:
            begin = time.monotonic()
            for offset in range(0, scale.data_bytes, MIB):
                if libc.fallocate(fd, KEEP_SIZE_PUNCH_HOLE, offset, MIB) != 0:
                    raise BenchError(f"fallocate of {served.disk}: {os.strerror(ctypes.get_errno())}")
            os.fsync(fd)
            seconds = time.monotonic() - begin
            if any(os.pread(fd, MIB, scale.data_bytes - MIB)):
                raise BenchError(f"{served.disk}: a hole reads as something else than zeros")
        finally:
            os.close(fd)
        return scale.data_bytes // MIB, scale.data_bytes, seconds


class Mounting(Work):
    """The time until the disk answers, which whoever starts the subject has noted."""

    def do(self, served, scale):
        with open(served.disk, "rb", buffering=0) as disk:
            return len(disk.read(4096)), 4096, served.start_seconds

    def measure(self, served, scale):
        result = super().measure(served, scale)
        return dataclasses.replace(result, cpu=cpu_seconds(served.pids))


class Unmounting(Work):
    """The time to the end, after writes that nobody has flushed."""

    def measure(self, served, scale):
        size = min(GIB, 2 * scale.data_bytes)
        block = os.urandom(MIB)
        fd = os.open(served.disk, os.O_WRONLY)
        try:
            for offset in range(0, size, MIB):
                os.pwrite(fd, block, offset)
            peak = peak_mib(served.pids)
            begin = time.monotonic()
        finally:
            os.close(fd)
        served.end()
        served.ended = True
        return Result(1, size, time.monotonic() - begin, 0.0, peak)
