"""What a daemon asks of its host, counted: system calls and their bytes, and what Java allocates."""

import os
import pathlib
import re

from benchlib import programs
from benchlib.programs import Daemon, await_true, run

READS = {"read", "pread64", "readv", "preadv", "preadv2"}
WRITES = {"write", "pwrite64", "writev", "pwritev", "pwritev2"}
FLUSHES = {"fsync", "fdatasync", "sync_file_range"}
OTHERS = {"fallocate", "ftruncate", "lseek", "fcntl", "openat", "open"}
COUNTS = ("requests", "reads", "read_bytes", "writes", "write_bytes", "flushes", "others")

BEGINNING = re.compile(r"^(\d+) +(\w+)\((?:\d+<([^>]*)>|[^\"]*\"([^\"]*)\")")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>")
RESULT = re.compile(r"\) += (-?\d+)")
ALLOCATED = re.compile(r'^"fuse-.* allocated=(\d+)([BKMG])', re.MULTILINE)
UNITS = {"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class Trace:
    """Reads what strace writes. A thread goes on only once its call is written down, so all calls that
    led to an answer are there when the answer is."""

    def __init__(self, file, watched):
        self.file = pathlib.Path(file)
        self.watched = str(watched)
        self.taken = 0
        self.pending = {}

    def take(self):
        """The counts since the last time."""
        text = self.file.read_text(errors="replace")
        fresh = text[self.taken : text.rindex("\n") + 1] if "\n" in text else ""
        self.taken += len(fresh)
        counts = dict.fromkeys(COUNTS, 0)
        for line in fresh.splitlines():
            self.count(line, counts)
        return counts

    def count(self, line, counts):
        begun, resumed, result = BEGINNING.match(line), RESUMED.match(line), RESULT.search(line)
        if begun:
            call = (begun[2], begun[3] or begun[4] or "")
            if "<unfinished" in line:
                self.pending[begun[1]] = call
                return
        elif resumed and resumed[1] in self.pending:
            call = self.pending.pop(resumed[1])
        else:
            return
        if result and int(result[1]) >= 0:
            add(*call, int(result[1]), self.watched, counts)


def add(name, file, result, watched, counts):
    """Counts one call that succeeded."""
    if file == "/dev/fuse":
        if name in READS:
            counts["requests"] += 1
    elif not file.startswith(watched):
        return
    elif name in READS:
        counts["reads"] += 1
        counts["read_bytes"] += result
    elif name in WRITES:
        counts["writes"] += 1
        counts["write_bytes"] += result
    elif name in FLUSHES:
        counts["flushes"] += 1
    elif name in OTHERS:
        counts["others"] += 1


class CountedMount:
    """A mount whose daemon is watched from its first moment. Nothing is flushed in the background."""

    def __init__(self, directory, image, options):
        self.directory = pathlib.Path(directory)
        self.mountpoint = self.directory / "mnt"
        self.mountpoint.mkdir()
        self.disk = self.mountpoint / "disk.raw"
        file = self.directory / "trace"
        calls = ",".join(sorted(READS | WRITES | FLUSHES | OTHERS))
        words = ["-f", "--seccomp-bpf", "-y", "-s", "0", "-e", f"trace={calls}", "-e", "signal=none", "-o", file]
        mount = [programs.QCOWFS, "mount", "-f", "-o", ",".join(["rw", "flush_interval=0", *options])]
        self.daemon = Daemon(self.directory / "said", "strace", *words, *mount, image, self.mountpoint)
        self.trace = Trace(file, image.parent)

    def __enter__(self):
        mounted = lambda: programs.is_mounted(self.mountpoint)
        await_true(mounted, "it was mounted", [self.daemon])
        os.stat(self.disk)
        return self

    def __exit__(self, *unused):
        programs.unmount_anyhow(self.mountpoint)
        self.daemon.await_end()

    @property
    def pid(self):
        """Of the daemon: strace's child."""
        tracer = self.daemon.pid
        return int(pathlib.Path(f"/proc/{tracer}/task/{tracer}/children").read_text().split()[0])

    def allocated(self):
        """How many bytes the threads that serve requests have allocated so far."""
        jcmd = pathlib.Path(os.readlink(f"/proc/{self.pid}/exe")).with_name("jcmd")
        threads = run(jcmd, self.pid, "Thread.print", "-e")
        found = ALLOCATED.findall(threads)
        if not found:
            raise programs.BenchError("Java does not say what its threads allocate; the tests need a JDK")
        return sum(int(number) * UNITS[unit] for number, unit in found)

    def unmount(self):
        """Ends the mount; the counts of that."""
        run(programs.QCOWFS, "umount", self.mountpoint)
        if self.daemon.await_end() != 0:
            raise programs.BenchError(f"the mount failed: {self.daemon.log.read_text()}")
        return self.trace.take()
