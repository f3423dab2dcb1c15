# SPDX-License-Identifier: ISC
"""nodecluster: one HTTP application of Node on two workers: Node's own cluster, pm2's, and ours in each mode.

Figures: requests a second over connections that are kept and with one for each (wrk), CPU of the primary for a
connection, memory (PSS) of the primary, and requests lost while the workers are replaced again and again under both
loads.  The primary of ours is the process `cluster`; the engine beside it does nothing meanwhile.  The column of the
reference is Node's own cluster, whose primary starts each new worker before it lets an old one go.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from lab import StepFailed, cpu_ns, pss_kb

APP = """require('node:http').createServer((q, r) => r.end('Hello World\\n')).listen(%d, '127.0.0.1');\n"""
OWN = """const cluster = require('node:cluster');
if (cluster.isPrimary) {
    const fork = (then) => cluster.fork().once('listening', then || (() => {}));
    fork(); fork();
    // One after the other: the new one listens, then the old one disconnects.
    const restart = (old) => {
        if (old.length === 0) return console.log('restarted');
        fork(() => { old[0].once('exit', () => restart(old.slice(1))); old[0].disconnect(); });
    };
    process.on('SIGUSR2', () => restart(Object.values(cluster.workers)));
} else require('%s');
"""
STANZA = """run_dir = "{dir}/run"
log_dir = "{dir}/log"
defaults {{ stable_after = "100ms" }}
program "web" {{ command = "{node} {dir}/app.js" instances = 2 cluster = "{mode}" update = "rolling" }}
"""
# Of all restarts of one subject.
RESTARTS_S = 240


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Subject:
    """What is measured; those below say how it is started and restarted."""
    is_peer = False
    restarts = True
    primary = None

    def __init__(self, lab):
        self.lab = lab
        self.label = f"cluster: {self.title}"
        self.dir = self.port = self.proc = None

    def missing(self):
        if not shutil.which("node"):
            return "node not installed"
        return None if shutil.which("wrk") else "wrk not installed"

    def start(self):
        self.dir, self.port = self.lab.fresh_dir(), free_port()
        (self.dir / "app.js").write_text(APP % self.port)
        self.launch()
        self.lab.wait(self.answers, 60, f"{self.title}: serving", self.proc, self.dir)

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                return sock.recv(4096).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def end(self):
        if self.proc is not None:
            self.lab.end_tree(self.proc)
        self.proc = None
        if self.dir is not None:
            shutil.rmtree(self.dir, ignore_errors=True)


class Single(Subject):
    name, title, restarts = "node", "node, one process", False

    def launch(self):
        self.proc = self.lab.spawn(["node", "app.js"], self.dir)


class Own(Subject):
    name, title = "bare", "node's own cluster"

    def launch(self):
        (self.dir / "own.js").write_text(OWN % (self.dir / "app.js"))
        self.proc = self.lab.spawn(["node", "own.js"], self.dir, stdout=subprocess.PIPE)
        self.primary = self.proc.pid

    def restart(self):
        self.proc.send_signal(signal.SIGUSR2)
        if not self.proc.stdout.readline():
            raise StepFailed("node's own cluster has ended")


class Pm2(Subject):
    name, title = "pm2", "pm2, cluster mode"

    def command(self):
        return self.lab.build / "npm/node_modules/pm2/bin/pm2"

    def missing(self):
        if super().missing():
            return super().missing()
        return None if self.command().exists() else "pm2 not there (tests/e2e/node/fetch pm2 gets it)"

    def run(self, *words):
        self.lab.run(["env", f"PM2_HOME={self.dir}/pm2", f"HOME={self.dir}", "node", self.command(), *words], 120)

    def launch(self):
        self.run("start", self.dir / "app.js", "-i", "2")
        self.primary = int((self.dir / "pm2/pm2.pid").read_text())

    def restart(self):
        self.run("reload", "app")

    def end(self):
        try:
            if self.primary is not None:
                self.run("kill")
        finally:
            self.lab.end_strays()
            super().end()


class Ours(Subject):
    name, mode = "ours", "round-robin"

    @property
    def title(self):
        return f"ours, {self.mode}"

    def ctl(self, *words):
        return subprocess.run([self.lab.build / "bin/superctl", "-s", self.dir / "run/control.sock", *words],
                              check=True, capture_output=True, timeout=120).stdout

    def launch(self):
        node = shutil.which("node")
        (self.dir / "s.conf").write_text(STANZA.format(dir=self.dir, node=node, mode=self.mode))
        self.proc = self.lab.spawn([self.lab.build / "sbin/supervisord", "-n", "-c", self.dir / "s.conf"], self.dir)
        self.lab.wait(self.is_up, 60, f"{self.title}: all workers", self.proc, self.dir)
        self.primary = json.loads(self.ctl("status", "--json", "web+cluster"))[0]["pid"]

    def is_up(self):
        try:
            records = json.loads(self.ctl("status", "--json"))
        except (subprocess.SubprocessError, json.JSONDecodeError):
            return False
        return all(record["state"] == "RUNNING" for record in records)

    def restart(self):
        self.ctl("restart", "--rolling", "web")


class OursShared(Ours):
    name, mode = "shared", "shared"


class OursReusePort(Ours):
    name, mode = "reuse-port", "reuse-port"


SUBJECTS = (Own, Ours, OursShared, OursReusePort, Pm2, Single)
# Columns of the table beside those that every run has.
COLUMNS = ("shared", "reuse-port", "pm2", "node")


def wrk(subject, close, *more):
    header = ["-H", "Connection: close"] if close else []
    return ["wrk", "-t1", "-c16", "--timeout", "20s", *more, *header, f"http://127.0.0.1:{subject.port}/"]


def load(subject, seconds, close):
    """Requests a second, and how many there were."""
    done = subprocess.run(wrk(subject, close, f"-d{seconds}s"), capture_output=True, text=True, check=True,
                          timeout=seconds + 30)
    return float(re.search(r"Requests/sec: +([\d.]+)", done.stdout)[1]), count_requests(done.stdout)


def count_requests(text):
    return int(re.search(r"(\d+) requests in", text)[1])


def count_lost(text):
    """What wrk could not connect for, read, write or wait for (20 s), and what was refused."""
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return sum(int(number) for number in (errors.groups() if errors else ())) + int(refused[1] if refused else 0)


def restart_under_load(subject, results, restarts):
    """Both loads at once, from before the first restart to behind the last."""
    words = [wrk(subject, close, f"-d{RESTARTS_S + 60}s") for close in (False, True)]
    loads = [subprocess.Popen(each, stdout=subprocess.PIPE, text=True, start_new_session=True) for each in words]
    try:
        time.sleep(0.5)  # both have connected
        deadline = time.monotonic() + RESTARTS_S
        for done in range(restarts):
            if time.monotonic() > deadline:
                raise StepFailed(f"{subject.title}: only {done} of {restarts} restarts in {RESTARTS_S} s")
            subject.restart()
    finally:
        for each in loads:
            each.send_signal(signal.SIGINT)
        texts = [each.communicate()[0] for each in loads]
    results.add("cluster_lost_keep", subject.name, count_lost(texts[0]))
    results.add("cluster_lost", subject.name, count_lost(texts[1]))
    results.add("cluster_served", subject.name, sum(count_requests(text) for text in texts) / 1000)


def measure(subject, results, opts):
    """One repetition."""
    try:
        subject.start()
        results.add("cluster_keep", subject.name, load(subject, opts.wrk_s, False)[0])
        before = cpu_ns([subject.primary]) if subject.primary else 0
        rate, connections = load(subject, opts.wrk_s, True)
        results.add("cluster_close", subject.name, rate)
        if subject.primary:
            results.add("cluster_cpu", subject.name, (cpu_ns([subject.primary]) - before) / 1e3 / connections)
            results.add("cluster_pss", subject.name, pss_kb([subject.primary]) / 1024)
        if subject.restarts:
            restart_under_load(subject, results, opts.cluster_restarts)
    finally:
        subject.end()
