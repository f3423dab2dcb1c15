# SPDX-License-Identifier: ISC
"""drivers: one class for each supervisor that can be measured.

A driver says how to write the supervisor's configuration for n programs (prepare), how it is launched
(command), asked (status) and ended (stop); the rest is common.  Settings that slow a peer down without
need (shell scripts, log files) are avoided; delays that a peer has built in stay and are noted.
"""
import os
import shutil
import subprocess

from lab import StepFailed, tail

STOP_S = 30


def first_line(words):
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout.strip().splitlines() or [""])[0]


class Driver:
    name = ""
    binary = ""           # looked up in PATH; without it the driver is "not installed"
    version_words = ("false",)
    note = ""
    is_peer = True
    start_s = 20          # deadline of a start
    can_log = False       # writes the programs' output into files by itself

    def __init__(self, lab):
        self.lab = lab
        self.dir = self.board = self.proc = None

    @property
    def label(self):
        return self.name

    def missing(self):
        return None if shutil.which(self.binary) else "not installed"

    def version(self):
        """What the peer itself says, or else dpkg where there is one."""
        return first_line(self.version_words) or first_line(["dpkg-query", "-W", self.name])

    # ---- for each supervisor ------------------------------------------------------------------
    def prepare(self, programs, output):
        """programs: a list of argv; output: 'null', or 'log' when can_log."""
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def status(self):
        """The client command that lists all programs; None: it has none."""
        return None

    def stop(self):
        return ["/bin/sh", "-c", f"kill -TERM {self.proc.pid}"]

    # ---- common -------------------------------------------------------------------------------
    def program(self, index, mode):
        return [self.lab.stamp, self.board.path, str(index)] + mode.split()

    def start(self, count, mode="sleep", output="null"):
        """Launches the supervisor; returns ms to the last exec.  end() is due in any case."""
        self.launch(count, mode, output)
        return self.await_start()

    def launch(self, count, mode="sleep", output="null"):
        self.dir = self.lab.fresh_dir()
        self.board = self.lab.board(count)
        self.prepare([self.program(i, mode) for i in range(count)], output)
        words = [self.lab.tools / "launch", self.board.path] + self.command()
        self.proc = self.lab.spawn(words, self.dir)

    def await_start(self):
        count = self.board.slots
        self.lab.wait(lambda: self.board.distinct() == count, self.start_s, f"start of {count}",
                      self.proc, self.dir)
        return self.board.start_ms()

    def pids(self):
        return self.lab.supervisor_pids(self.proc.pid)

    def stop_all(self):
        """Runs the stop command; returns ms until every process is gone."""
        pids = self.pids() + self.board.pids()
        words = " ".join(str(pid) for pid in pids)
        ended_ns, _, status, left = self.lab.tool("gone", STOP_S * 1000, *self.stop(),
                                                  timeout=STOP_S + 10, stdin=words)[0]
        if left:
            raise StepFailed(f"stop: {left} processes left after {STOP_S} s: {tail(self.dir)}")
        if status != 0:
            raise StepFailed(f"stop: the command exited {status}: {tail(self.dir)}")
        return ended_ns / 1e6

    def end(self):
        """After a stop, or instead of one: kills what is left of the tree, forgets the files."""
        if self.proc is not None:
            self.lab.end_tree(self.proc)
            self.proc = None
        if self.board is not None:
            self.board.close()
            self.board = None
        if self.dir is not None:
            shutil.rmtree(self.dir, ignore_errors=True)
            self.dir = None


class Bare(Driver):
    name = "bare"
    is_peer = False
    words = None

    def missing(self):
        return None

    def prepare(self, programs, output):
        # bare makes the argv itself: one board, indices from 0, one mode.
        self.words = [programs[0][0], programs[0][1], str(len(programs)), programs[0][3]]

    def command(self):
        return [str(self.lab.tools / "bare")] + self.words


class Ours(Driver):
    """$(O)/sbin/supervisord; the stanza is all that has to follow a change of the key table."""
    name = "ours"
    is_peer = False
    can_log = True
    restart = "always"
    programs = ()
    output = "null"
    keys = ""  # more lines of the stanza

    def __init__(self, lab):
        super().__init__(lab)
        self.daemon = lab.build / "sbin/supervisord"
        self.superctl = lab.build / "bin/superctl"
        self.hello = lab.build / "libexec/supervisord/hello"

    def missing(self):
        built = self.daemon.exists() and self.superctl.exists()
        return None if built else "not built"

    def version(self):
        return first_line([self.daemon, "-V"])

    STANZA = """program "p{index}" {{
\tcommand = {{{command}}}
\tstdout = "{output}"
\tstderr = "{output}"
\trestart = "{restart}"
\trestart_delay = "0s"
\trestart_delay_max = "0s"
\tstart_limit = 0
{more}}}
"""

    def prepare(self, programs, output):
        self.programs, self.output = programs, output
        (self.dir / "run").mkdir()
        (self.dir / "log").mkdir()
        self.write_stanzas()

    def write_stanzas(self, changed=None):
        """The configuration; changed: (index, line) of a program whose stanza has one more line."""
        text = [f'run_dir = "{self.dir}/run"\nlog_dir = "{self.dir}/log"\n']
        for index, argv in enumerate(self.programs):
            command = ", ".join(f'"{word}"' for word in argv)
            more = self.more(index)
            if changed is not None and changed[0] == index:
                more += f"\t{changed[1]}\n"
            text.append(self.STANZA.format(index=index, command=command, output=self.output,
                                           restart=self.restart, more=more))
        (self.dir / "conf").write_text("".join(text))

    def more(self, _):
        """Lines of a stanza beside those that all have."""
        return self.keys

    def command(self):
        return [str(self.daemon), "-n", "-c", str(self.dir / "conf")]

    def client(self, *words):
        return [str(self.superctl), "-s", str(self.dir / "run/control.sock"), *words]

    def status(self):
        return self.client("status")

    def stop(self):
        return self.client("shutdown")


class OursLevels(Ours):
    """The same programs, RUNNING as soon as they are launched; in LEVELS levels, each program but
    those of the first one requiring two of the level before it, or (levels = 1) all side by side."""
    LEVELS = 10

    def __init__(self, lab, levels):
        super().__init__(lab)
        self.levels = levels

    def more(self, index):
        width = max(1, len(self.programs) // self.levels)
        before = (index // width - 1) * width
        text = '\tstable_after = "0s"\n'
        if before >= 0:
            names = ", ".join(f'"p{before + (index + step) % width}"' for step in (0, 1))
            text += f"\trequires = {{{names}}}\n"
        return text


class RunFileDriver(Driver):
    """s6 and runit: a folder of service folders, each with an executable "run".  Here "run" is the
    measured program itself, its arguments in a symbolic link: no shell stands between."""

    def prepare(self, programs, output):
        self.scan = self.dir / "scan"
        self.scan.mkdir()
        for index, argv in enumerate(programs):
            service = self.scan / f"p{index}"
            service.mkdir()
            (service / "run").symlink_to(argv[0])
            (service / "args").symlink_to(" ".join(argv[1:]))
        # runsvdir sleeps a second when the folder has changed in the current one.
        os.utime(self.scan, (1, 1))


class S6(RunFileDriver):
    name = "s6"
    binary = "s6-svscan"
    note = "s6-supervise waits 1 s before a restart; status is one s6-svstat for each service"

    def command(self):
        return ["s6-svscan", "-c", "2000", str(self.scan)]

    def status(self):
        return ["/bin/sh", "-c", f'for i in {self.scan}/*; do s6-svstat "$i"; done']

    def stop(self):
        return ["s6-svscanctl", "-t", str(self.scan)]


class Runit(RunFileDriver):
    name = "runit"
    binary = "runsvdir"
    note = "runsv waits 1 s before it restarts what ran less than 1 s"

    def command(self):
        return ["runsvdir", "-P", str(self.scan)]

    def status(self):
        return ["/bin/sh", "-c", f"exec sv status {self.scan}/*"]

    def stop(self):
        return ["/bin/sh", "-c", f"kill -HUP {self.proc.pid}"]


class Supervisor(Driver):
    name = "Supervisor"
    binary = "supervisorctl"
    version_words = ("supervisord", "--version")
    note = "Supervisor looks at ended programs once a second; its daemon is Python"
    start_s = 60
    can_log = True

    def missing(self):
        # The command name is ours too: only a Python script is the peer.
        path = shutil.which("supervisord")
        if not path or not shutil.which(self.binary):
            return "not installed"
        with open(path, "rb") as file:
            return None if b"python" in file.readline() else "not installed"

    def prepare(self, programs, output):
        target = "AUTO" if output == "log" else "NONE"
        user = "user=root\n" if os.geteuid() == 0 else ""
        argv = programs[0][:2] + ["%(process_num)d"] + programs[0][3:]
        (self.dir / "log").mkdir()
        (self.dir / "conf").write_text(f"""[supervisord]
nodaemon=true
silent=true
logfile=/dev/null
logfile_maxbytes=0
pidfile={self.dir}/pid
childlogdir={self.dir}/log
minfds=4096
{user}[unix_http_server]
file={self.dir}/sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{self.dir}/sock
[program:p]
command={" ".join(argv)}
process_name=p%(process_num)d
numprocs={len(programs)}
startsecs=0
autorestart=true
stdout_logfile={target}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=5
redirect_stderr=true
""")

    def command(self):
        return ["supervisord", "-n", "-c", str(self.dir / "conf")]

    def status(self):
        return ["supervisorctl", "-c", str(self.dir / "conf"), "status"]

    def stop(self):
        return ["supervisorctl", "-c", str(self.dir / "conf"), "shutdown"]


class Dinit(Driver):
    name = "dinit"
    binary = "dinit"
    version_words = ("dinit", "--version")

    def prepare(self, programs, output):
        services = self.dir / "services"
        (services / "boot.d").mkdir(parents=True)
        (services / "boot").write_text("type = internal\nwaits-for.d = boot.d\n")
        for index, argv in enumerate(programs):
            (services / "boot.d" / f"p{index}").symlink_to(f"../p{index}")
            (services / f"p{index}").write_text(
                f"type = process\ncommand = {' '.join(argv)}\nrestart = true\nsmooth-recovery = true\n"
                "restart-delay = 0\nrestart-limit-count = 0\n")

    def command(self):
        # -u: the user mode, also for root; a system instance would shut the machine down at its end.
        return ["dinit", "-u", "-d", str(self.dir / "services"), "-p", str(self.dir / "sock")]

    def status(self):
        return ["dinitctl", "-p", str(self.dir / "sock"), "list"]

    def stop(self):
        return ["dinitctl", "-p", str(self.dir / "sock"), "shutdown"]


# The slow last: they are the first to be left out when time is short.
ALL = (Bare, Ours, Dinit, S6, Runit, Supervisor)
