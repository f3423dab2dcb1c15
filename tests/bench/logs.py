# SPDX-License-Identifier: ISC
"""logs: how fast output gets into rotated files, and what it costs.

The writer is the measured program (stamp.c, mode write): it starts on a flag, and its time ends when
the reader has emptied the pipe.  Ours and Supervisor run it as a program with its output logged; the
others are filters at the end of a pipe.  `cat >file`, without rotation, is the reference.
"""
import os
import shutil
import time

import drivers
from lab import StepFailed, cpu_ns

MB = 1_000_000
ROTATE_BYTES = 10 * MB
KEEP = 5
DONE_S = 30

# measure, bytes a write, on tmpfs
LOADS = (("block", 64 * 1024, False), ("block_shm", 64 * 1024, True), ("line", 100, False))


class Filter:
    """A logger that reads standard input."""

    def __init__(self, lab, name, binary, words):
        self.lab, self.name, self.binary, self.words = lab, name, binary, words
        self.is_peer, self.label = name != "bare", binary
        self.dir = self.board = self.writer = self.proc = None

    def missing(self):
        return None if shutil.which(self.binary) else "not installed"

    def start(self, mode):
        self.dir, self.board = self.lab.fresh_dir(), self.lab.board(1)
        (self.dir / "log").mkdir()
        (self.dir / "log/config").write_text(f"s{ROTATE_BYTES}\nn{KEEP}\n")  # svlogd's
        read_end, write_end = os.pipe()
        self.proc = self.lab.spawn(self.words, self.dir, stdin=read_end)
        words = [self.lab.stamp, self.board.path, "0"] + mode.split()
        self.writer = self.lab.spawn(words, self.dir, stdout=write_end)
        os.close(read_end)
        os.close(write_end)
        self.lab.wait(lambda: self.board.distinct() == 1, 10, "start of the writer", self.proc, self.dir)

    def pids(self):
        return [self.proc.pid]

    def check(self):
        pass

    def end(self):
        for proc in (self.writer, self.proc):
            if proc is not None:
                self.lab.end_tree(proc)
        if self.board is not None:
            self.board.close()
            shutil.rmtree(self.dir, ignore_errors=True)
        self.writer = self.proc = self.board = None


class Daemon:
    """A supervisor that logs by itself; one program, started once."""

    def __init__(self, driver, keys=""):
        driver.keys = keys
        self.driver, self.lab, self.name, self.is_peer = driver, driver.lab, driver.name, driver.is_peer
        self.label = driver.name
        self.missing, self.pids, self.end = driver.missing, driver.pids, driver.end

    @property
    def board(self):
        return self.driver.board

    def start(self, mode):
        self.driver.start(1, mode, output="log")

    def check(self):
        """Its files must be there, or the figure would be that of a sink."""
        size = sum(path.stat().st_size for path in (self.driver.dir / "log").rglob("*") if path.is_file())
        if size < min(self.board.slot(0)[3], ROTATE_BYTES) // 2:
            raise StepFailed(f"log: only {size} bytes in the files")


def loggers(lab):
    """The reference first; then ours, then the peers."""
    return [
        Filter(lab, "bare", "cat", ["/bin/sh", "-c", "exec cat >log/cat"]),
        Daemon(drivers.Ours(lab)),
        Filter(lab, "s6", "s6-log", ["s6-log", f"n{KEEP}", f"s{ROTATE_BYTES}", "./log"]),
        Filter(lab, "runit", "svlogd", ["svlogd", "./log"]),
        Daemon(drivers.Supervisor(lab)),
        Filter(lab, "daemontools", "multilog", ["multilog", f"n{KEEP}", f"s{ROTATE_BYTES}", "./log"]),
    ]


def stampers(lab):
    """With a time stamp on each line: ISO 8601 for s6-log, RFC 3339 for ours."""
    return [
        Filter(lab, "s6", "s6-log", ["s6-log", f"n{KEEP}", f"s{ROTATE_BYTES}", "T", "./log"]),
        Daemon(drivers.Ours(lab), keys='\tlog_format = "stamp"\n'),
    ]


def measure(logger, results, name, block, opts, base=None):
    """One repetition: MB/s from the first write to the empty pipe, CPU s per GB of the logger.  base: another
    folder for the files than the working disk's."""
    logger.lab.base = base or logger.lab.dir
    try:
        logger.start(f"write {block} {opts.log_bytes} {opts.log_ms}")
        time.sleep(0.1)
        pids = logger.pids()
        before = cpu_ns(pids)
        logger.board.set_go()
        logger.lab.wait(lambda: logger.board.slot(0)[2] != 0, DONE_S, f"log {name}")
        cpu = cpu_ns(pids) - before
        _, begin, end, count, _, _ = logger.board.slot(0)
        results.add(f"log_{name}", logger.name, count / MB / ((end - begin) / 1e9))
        results.add(f"log_{name}_cpu", logger.name, cpu / count)
        logger.check()
    finally:
        logger.end()
        logger.lab.base = logger.lab.dir
