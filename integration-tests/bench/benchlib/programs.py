"""Running other programs, and what the kernel tells of a process."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import time

PROJECT = pathlib.Path(__file__).resolve().parents[3]
QCOWFS = PROJECT / "packaging" / "qcowfs"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Far above what anything here takes: running into it means that something hangs.
DEADLINE_SECONDS = 60


class BenchError(Exception):
    """Something did not run as it has to; the message is for the user."""


def run(*words, timeout=4 * DEADLINE_SECONDS):
    """Runs a program to its end and returns its output."""
    command = [str(word) for word in words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as e:
        raise BenchError(f"hangs: {' '.join(command)}") from e
    except FileNotFoundError as e:
        raise BenchError(f"{command[0]} is not installed") from e
    if done.returncode != 0:
        raise BenchError(f"failed: {' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def installed(program):
    """Whether a program can be found."""
    return shutil.which(program) is not None


def await_true(condition, what, processes=()):
    """Waits until a condition holds; gives up when one of the processes ends before."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        for process in processes:
            if process.poll() is not None:
                said = process.log.read_text(errors="replace").strip()
                raise BenchError(f"{process.args[0]} ended before {what}: {said}")
        if time.monotonic() > end:
            raise BenchError(f"waited in vain until {what}")
        time.sleep(0.001)


class Daemon(subprocess.Popen):
    """A program in the background, with what it says in a file."""

    def __init__(self, log, *words):
        self.log = pathlib.Path(log)
        with open(self.log, "wb") as out:
            super().__init__([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def await_end(self):
        """Waits for its end, and kills it where that does not come."""
        try:
            return self.wait(4 * DEADLINE_SECONDS)
        except subprocess.TimeoutExpired as e:
            self.kill()
            self.wait()
            raise BenchError(f"did not end: {self.args[0]}") from e

    def stop(self):
        """Asks it to end, and waits for that."""
        if self.poll() is None:
            self.terminate()
            self.await_end()


def cpu_seconds(pids):
    """CPU time that processes have used so far, in the user's and the kernel's part."""
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_SECOND


def peak_mib(pids):
    """The most memory that processes have had resident, in MiB."""
    kib = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                kib += int(line.split()[1])
    return kib / 1024


def is_mounted(path):
    """Whether something is mounted at exactly that path. Asks the table, not what is mounted."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
        return any(line.split(" ")[4] == str(path) for line in table)


def unmount_anyhow(path):
    """For the way out: no mount stays behind."""
    if is_mounted(path):
        with contextlib.suppress(BenchError):
            run("fusermount3", "-u", "-z", path)


def forget_pages(file):
    """Lets the host drop what it has cached of a file."""
    fd = os.open(file, os.O_RDWR)
    try:
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)
