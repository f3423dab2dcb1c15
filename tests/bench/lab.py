# SPDX-License-Identifier: ISC
"""lab: the private directory, the processes and the tools of one benchmark run.

Everything that a run starts is a descendant of this process: it is a subreaper, so nothing can
escape by losing its parent, and clean() ends by pid whatever is left (a stray's tree is killed before
it is collected, so no pid is ever a stranger's).  What is measured is measured by
the C tools beside this file or read from /proc; Python only waits.
"""
import ctypes
import mmap
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36
TAIL_BYTES = 400


class StepFailed(Exception):
    """A step of one supervisor went wrong or passed its deadline; the run goes on without it."""


class Board:
    """The shared page of the stamps; the layout is board.h's."""
    HEADER = struct.Struct("=qQII40x")
    SLOT = struct.Struct("=qqqqII24x")

    def __init__(self, path, slots):
        self.path, self.slots = path, slots
        size = self.HEADER.size + slots * self.SLOT.size
        with open(path, "wb") as file:
            file.truncate(size)
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), size)

    def header(self):
        """(launch_ns, execs, distinct, go)"""
        return self.HEADER.unpack_from(self.map, 0)

    def slot(self, index):
        """(stamp_ns, begin_ns, end_ns, bytes, pid, execs)"""
        return self.SLOT.unpack_from(self.map, self.HEADER.size + index * self.SLOT.size)

    def execs(self):
        return self.header()[1]

    def distinct(self):
        return self.header()[2]

    def set_go(self):
        struct.pack_into("=I", self.map, 20, 1)

    def pids(self):
        return [self.slot(i)[4] for i in range(self.slots)]

    def start_ms(self):
        """From the exec of the daemon to the last exec of a program."""
        return (max(self.slot(i)[0] for i in range(self.slots)) - self.header()[0]) / 1e6

    def close(self):
        self.map.close()
        os.unlink(self.path)


class Lab:
    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.tools = self.build / "tests/bench"
        self.stamp = str(self.tools / "stamp")
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bench."))
        # Stamps go to tmpfs: a first store to a mapped page of a disk file would be a journal entry.
        shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.shm = pathlib.Path(tempfile.mkdtemp(prefix="bench.", dir=shm))
        self.base = self.dir  # where the daemons and their logs are
        self.serial = 0
        self.known = set()  # pids of spawn()
        if " " in str(self.dir) + str(self.shm):
            raise SystemExit("bench: TMPDIR must not contain a blank")

    def fresh_dir(self):
        self.serial += 1
        path = self.base / str(self.serial)
        path.mkdir()
        return path

    def board(self, slots):
        self.serial += 1
        return Board(str(self.shm / str(self.serial)), slots)

    # ---- starting and waiting -----------------------------------------------------------------
    def spawn(self, argv, cwd, stdin=subprocess.DEVNULL, stdout=None):
        """Starts a process in a session of its own (Ctrl-C is for us alone); output to cwd/output."""
        with open(pathlib.Path(cwd) / "output", "ab") as output:
            proc = subprocess.Popen([str(word) for word in argv], cwd=cwd, stdin=stdin,
                                    stdout=stdout or output, stderr=output,
                                    start_new_session=True)
        self.known.add(proc.pid)
        return proc

    def tool(self, name, *words, timeout, stdin=""):
        """Runs one of the C tools; returns its lines as lists of ints."""
        argv = [str(self.tools / name)] + [str(word) for word in words]
        try:
            done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout,
                                  start_new_session=True, check=False)
        except subprocess.TimeoutExpired as error:
            raise StepFailed(f"{name}: no end after {timeout:.0f} s") from error
        if done.returncode != 0:
            raise StepFailed(f"{name}: {done.stderr.strip() or 'incomplete before its deadline'}")
        return [[int(word) for word in line.split()] for line in done.stdout.splitlines()]

    @staticmethod
    def run(argv, timeout):
        """Runs a command to its end; what it prints is told when it fails."""
        try:
            done = subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                                  timeout=timeout, start_new_session=True, check=False)
        except subprocess.TimeoutExpired as error:
            raise StepFailed(f"{argv[0]}: no end after {timeout:.0f} s") from error
        if done.returncode != 0:
            raise StepFailed(f"{argv[0]}: exit {done.returncode}: {done.stdout[-TAIL_BYTES:]}")

    def wait(self, condition, seconds, what, proc=None, cwd=None):
        deadline = time.monotonic() + seconds
        while not condition():
            if proc is not None and proc.poll() is not None:
                raise StepFailed(f"{what}: ended with {proc.returncode}: {tail(cwd)}")
            if time.monotonic() > deadline:
                raise StepFailed(f"{what}: not after {seconds:.0f} s: {tail(cwd)}")
            time.sleep(0.01)

    # ---- what runs ----------------------------------------------------------------------------
    def descendants(self, root):
        """root and the pids below it."""
        return self.below([root], children_of_all())

    @staticmethod
    def below(roots, children):
        found, queue = [], list(roots)
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue += children.get(pid, [])
        return found

    def supervisor_pids(self, root):
        """The tree of root without the measured programs and without forks on their way to exec."""
        first = set(self.descendants(root))
        time.sleep(0.03)
        return [pid for pid in self.descendants(root) if pid in first and not self.is_stamp(pid)]

    def is_stamp(self, pid):
        try:
            return os.readlink(f"/proc/{pid}/exe") == self.stamp
        except OSError:
            return True  # a zombie, or gone: no supervisor either way

    # ---- ending -------------------------------------------------------------------------------
    def end_tree(self, proc):
        """Kills a daemon and all it started, also what lost its parent on the way."""
        kill_each(self.descendants(proc.pid))
        proc.wait()
        self.known.discard(proc.pid)
        self.end_strays()

    def end_strays(self, seconds=10):
        """Kills and collects our children that spawn() does not know: adopted orphans."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            children = children_of_all()
            strays = [pid for pid in children.get(os.getpid(), []) if pid not in self.known]
            if not strays:
                return
            kill_each(self.below(strays, children))
            for pid in strays:
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass
            time.sleep(0.01)

    def clean(self):
        self.known.clear()
        self.end_strays()
        shutil.rmtree(self.dir, ignore_errors=True)
        shutil.rmtree(self.shm, ignore_errors=True)


def children_of_all():
    """{ppid: [pid…]} of the whole machine, from /proc/PID/stat."""
    children = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(name))
    return children


def kill_each(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


def tail(cwd):
    """The end of what a daemon said, for the report."""
    try:
        text = (pathlib.Path(cwd) / "output").read_bytes()[-TAIL_BYTES:]
    except (OSError, TypeError):
        return ""
    return " | ".join(text.decode(errors="replace").split("\n")).strip(" |")


# ---- /proc readings ---------------------------------------------------------------------------
def cpu_ns(pids):
    """CPU time of living processes.  schedstat has ns where stat has 10 ms ticks of the same sum."""
    total = 0
    for pid in pids:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat", "rb") as file:
                    total += int(file.read().split()[0])
        except FileNotFoundError:
            total += cpu_from_stat_ns(pid)
    return total


def cpu_from_stat_ns(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def pss_kb(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith(b"Pss:"))
        except (OSError, StopIteration):
            pass
    return total


def context_switches(pids):
    total = 0
    for pid in pids:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/status", "rb") as file:
                    total += sum(int(line.split()[1]) for line in file if b"ctxt_switches:" in line)
        except OSError:
            pass
    return total
