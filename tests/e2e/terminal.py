#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A person at a terminal: terminal.py [COLUMNSxLINES] COMMAND...; what they do is read from stdin, a step on each line:

    send TEXT       type it; \\r, \\t, \\x03 and so on as in Python
    expect REGEX    wait until what is printed after the last match has this; sequences of the terminal are taken out
    raw REGEX       wait until what was printed has this anywhere, with the sequences
    resize CxL      the window gets this size
    touch FILE      make it, so that others know how far this is
    end STATUS      wait until the command ends with this exit status

A step that does not come true within a minute ends it with status 1 and with what was printed.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PATIENCE = float(os.environ.get("SD_PATIENCE", "60"))
SEQUENCE = re.compile(rb"\x1b(\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78MDEHc]|\][^\x07]*\x07)")


class Person:
    def __init__(self, size, command):
        self.output = b""
        self.seen = 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.setdefault("TERM", "xterm")
            self.fd = 0
            self.resize(size)
            os.execvp(command[0], command)
        self.resize(size)

    def resize(self, size):
        columns, lines = map(int, size.split("x"))
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.output += data
        return bool(data)

    def expect(self, pattern, raw):
        end = time.monotonic() + PATIENCE
        alive = True
        while True:
            text = self.output if raw else SEQUENCE.sub(b"", self.output)
            match = re.compile(pattern.encode(), re.S).search(text, 0 if raw else self.seen)
            if match:
                self.seen = self.seen if raw else match.end()
                return True
            if time.monotonic() > end or not alive:
                return False
            alive = self.read(0.2)

    def wait_end(self, status):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.read(0.05)
            pid, wait_status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(wait_status) == int(status)
        return False

    def do(self, word, rest):
        if word == "send":
            os.write(self.fd, rest.encode().decode("unicode_escape").encode("latin-1"))
            return True
        if word == "resize":
            self.resize(rest)
            return True
        if word == "touch":
            open(rest, "w").close()
            return True
        if word == "end":
            return self.wait_end(rest)
        return self.expect(rest, word == "raw")


def main():
    arguments = sys.argv[1:]
    size = arguments.pop(0) if re.fullmatch(r"\d+x\d+", arguments[0]) else "80x24"
    person = Person(size, arguments)
    failed = None
    for line in sys.stdin:
        word, _, rest = line.strip("\t\n").partition(" ")
        if word and not person.do(word, rest):
            failed = line.strip()
            break
    if person.pid:
        os.kill(person.pid, signal.SIGKILL)
    if failed:
        print(f"not so: {failed}\nprinted:")
        print(person.output.decode(errors="replace").replace("\x1b", "\\e"))
        sys.exit(1)


if __name__ == "__main__":
    main()
