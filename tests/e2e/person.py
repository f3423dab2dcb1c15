# SPDX-License-Identifier: ISC
"""A person at a terminal, for tests: a command on a pseudo terminal of its own, what it shows, what is typed."""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

PATIENCE = float(os.environ.get("SD_PATIENCE", "60"))


class Terminal:
    def __init__(self, *words, rows=40, columns=100):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.closerange(3, 64)
            os.execvp(words[0], words)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text)

    def read(self, seconds):
        """What comes within that time, at once when something does."""
        if select.select([self.master], [], [], seconds)[0]:
            self.seen += os.read(self.master, 65536)

    def until(self, *texts, typing=b""):
        """All of these have been shown, one behind the other; forgets what came before their end.  What is to be typed
        is typed again each second: for keys that come too early."""
        deadline = time.monotonic() + PATIENCE
        again = 0
        for text in texts:
            while text not in self.seen:
                if typing and time.monotonic() >= again:
                    self.type(typing)
                    again = time.monotonic() + 1
                assert time.monotonic() < deadline, f"not shown: {text!r}; but {self.seen[-2000:]!r}"
                self.read(0.1)
            self.seen = self.seen[self.seen.index(text) + len(text):]

    def end(self, status=0):
        """It ends with that status, and the terminal is as it was."""
        deadline = time.monotonic() + PATIENCE
        while True:
            pid, code = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            assert time.monotonic() < deadline, f"does not end: {self.seen[-2000:]!r}"
            self.read(0.05)
        assert os.waitstatus_to_exitcode(code) == status, (code, self.seen)
        assert termios.tcgetattr(self.slave) == self.before, "the terminal is not as it was"

    def kill(self, number=signal.SIGTERM):
        os.kill(self.pid, number)


def attach(name, *options, **size):
    superctl, socket = os.environ["SUPERCTL"], os.environ["SD"] + "/run/control.sock"
    terminal = Terminal(superctl, "-s", socket, "attach", name, *options, **size)
    terminal.until(b"attached to " + name.encode())
    return terminal


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, "still not"
        time.sleep(0.03)
    return value


def log(name):
    try:
        with open(f"{os.environ['SD']}/log/{name}.log", "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
