"""What is compared: each serves the disk in an image as a file, with equal cache settings."""

import json
import os
import pathlib

from benchlib import programs
from benchlib.programs import Daemon, await_true, run

# What each cache mode means to QEMU's block layer. It has no volatile: unsafe is the nearest.
DIRECT = {"none", "directsync"}
NO_FLUSH = {"unsafe", "volatile"}
WRITE_THROUGH = {"writethrough", "directsync"}

# Running into it means that something hangs.
JOB_LIMIT_SECONDS = 900


class Served:
    """A disk that is served: `disk` is the file, `pids` are the processes that do it."""

    def __init__(self, directory, image):
        self.directory = pathlib.Path(directory)
        self.image = pathlib.Path(image)
        self.disk = self.image
        self.daemons = []
        self.job_limit = JOB_LIMIT_SECONDS

    @property
    def pids(self):
        return [daemon.pid for daemon in self.daemons]

    def begin(self, mode):
        """Returns when the disk can be read. Cache mode as in `-o cache=`."""
        raise NotImplementedError

    def end(self):
        """Returns when everything is flushed and no process is left."""
        raise NotImplementedError

    def abandon(self):
        """After a failure: nothing stays behind."""
        programs.unmount_anyhow(self.mountpoint)
        for daemon in self.daemons:
            daemon.stop()

    @property
    def mountpoint(self):
        return self.directory / "mnt"

    def start(self, name, *words):
        self.daemons.append(Daemon(self.directory / f"{name}.log", *words))

    def await_mount(self):
        await_true(lambda: programs.is_mounted(self.mountpoint), "it was mounted", self.daemons)
        await_true(lambda: os.stat(self.disk).st_size > 0, "the disk had a size", self.daemons)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.abandon()


class Qcowfs(Served):
    """This project."""

    options = []

    def begin(self, mode="writeback"):
        self.mountpoint.mkdir(exist_ok=True)
        self.disk = self.mountpoint / "disk.raw"
        options = ",".join(["rw", f"cache={mode}", *self.options])
        # In the foreground the launcher becomes the daemon, so its process is known.
        self.start("qcowfs", programs.QCOWFS, "mount", "-f", "-o", options, self.image, self.mountpoint)
        self.await_mount()

    def end(self):
        run(programs.QCOWFS, "umount", self.mountpoint)
        for daemon in self.daemons:
            if daemon.await_end() != 0:
                raise programs.BenchError(f"{daemon.args[0]} failed: {daemon.log.read_text()}")


class QemuStorageDaemon(Served):
    """QEMU's own FUSE export."""

    program = "qemu-storage-daemon"

    def begin(self, mode="writeback"):
        self.mountpoint.touch()
        self.disk = self.mountpoint
        cache = f"cache.direct={on(mode in DIRECT)},cache.no-flush={on(mode in NO_FLUSH)}"
        self.start(
            "qemu-storage-daemon", self.program,
            "--blockdev", f"driver=file,node-name=file,filename={self.image},discard=unmap,{cache}",
            "--blockdev", f"driver=qcow2,node-name=disk,file=file,discard=unmap,{cache}",
            "--export", f"type=fuse,id=disk,node-name=disk,mountpoint={self.mountpoint},"
            f"writable=on,writethrough={on(mode in WRITE_THROUGH)}")  # fmt: skip
        self.await_mount()

    def end(self):
        for daemon in self.daemons:
            daemon.stop()


class NbdFuse(Served):
    """qemu-nbd behind libnbd's nbdfuse."""

    program = "nbdfuse"

    def begin(self, mode="writeback"):
        self.mountpoint.touch()
        self.disk = self.mountpoint
        socket = self.directory / "socket"
        cache = "directsync" if mode == "directsync" else mode.replace("volatile", "unsafe")
        self.start("qemu-nbd", "qemu-nbd", "--persistent", "--shared=8", "-f", "qcow2", f"--cache={cache}",
                   "--discard=unmap", f"--socket={socket}", self.image)  # fmt: skip
        await_true(socket.exists, "qemu-nbd listened", self.daemons)
        self.start("nbdfuse", self.program, self.mountpoint, "--unix", socket)
        self.await_mount()

    def end(self):
        run("fusermount3", "-u", self.mountpoint)
        server, client = self.daemons
        client.await_end()
        server.stop()


class HostFile(Served):
    """A raw file of the same size, nobody between: the ceiling."""

    def begin(self, mode="writeback"):
        self.disk = self.directory / "disk.raw"
        size = json.loads(run("qemu-img", "info", "--output=json", self.image))["virtual-size"]
        run("qemu-img", "convert", "-O", "raw", self.image, self.disk)
        os.truncate(self.disk, size)

    def end(self):
        fd = os.open(self.disk, os.O_RDWR)
        os.fsync(fd)
        os.close(fd)


SUBJECTS = {"qcowfs": Qcowfs, "qsd": QemuStorageDaemon, "nbdfuse": NbdFuse, "host": HostFile}


def on(value):
    """A truth as QEMU writes it."""
    return "on" if value else "off"


def available(names):
    """Those that this machine can start, and a note for each of the others."""
    here, notes = {}, []
    for name in names:
        subject = SUBJECTS[name]
        program = getattr(subject, "program", None)
        if program is None or programs.installed(program):
            here[name] = subject
        else:
            notes.append(f"{name} is left out: {program} is not installed")
    return here, notes
