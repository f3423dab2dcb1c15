#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""nodecluster: one HTTP application on two workers: Node alone, Node's own cluster, pm2's, and ours in each mode.

    tests/bench/nodecluster.py [--build DIR] [--seconds N] [--restarts N]

Rows: requests a second over keep-alive and with a connection each (wrk), CPU of the primary for a connection, memory (PSS)
of the primary, and requests lost while each worker is restarted again and again.  The primary of ours is the process
cluster; the engine beside it does nothing meanwhile.  pm2 is used where DIR/npm has it.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

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
program "web" {{ command = "{node} {dir}/app.js" instances = 2 cluster = "{mode}" }}
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def cpu_us(pid):
    """User and system time of a process; only the scheduler's clock is fine enough."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1000


def pss_kb(pid):
    return int(re.search(r"^Pss: +(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])


def wait(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"nodecluster: still not after {seconds} s: {what}")
        time.sleep(0.02)


class Subject:
    """What is measured; those below say how it is started and restarted."""
    primary = None

    def __init__(self, build, node, port):
        self.build, self.node, self.port = build, node, port
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="nc."))
        (self.dir / "app.js").write_text(APP % port)

    def answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as reply:
                return reply.read() == b"Hello World\n"
        except (OSError, urllib.error.URLError):
            return False

    def spawn(self, *words, **more):
        self.process = subprocess.Popen([str(word) for word in words], cwd=self.dir, stdin=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, **{"stdout": subprocess.DEVNULL, **more})

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.dir)


class Single(Subject):
    name = "node, one process"

    def start(self):
        self.spawn(self.node, "app.js")


class Own(Subject):
    name = "node's own cluster"

    def start(self):
        (self.dir / "own.js").write_text(OWN % (self.dir / "app.js"))
        self.spawn(self.node, "own.js", stdout=subprocess.PIPE)
        self.primary = self.process.pid

    def restart(self):
        self.process.send_signal(signal.SIGUSR2)
        self.process.stdout.readline()


class Pm2(Subject):
    name = "pm2, cluster mode"

    def run(self, *words):
        return subprocess.run([self.node, self.build / "npm/node_modules/pm2/bin/pm2", *words], cwd=self.dir, check=True,
                              env=dict(os.environ, PM2_HOME=str(self.dir / "pm2")), stdin=subprocess.DEVNULL,
                              capture_output=True)

    def start(self):
        self.run("start", "app.js", "-i", "2")
        self.primary = int((self.dir / "pm2/pm2.pid").read_text())

    def restart(self):
        self.run("reload", "app")

    def end(self):
        self.run("kill")
        shutil.rmtree(self.dir)


class Ours(Subject):
    mode = "round-robin"

    @property
    def name(self):
        return f"ours, {self.mode}"

    def ctl(self, *words):
        return subprocess.run([self.build / "bin/superctl", "-s", self.dir / "run/control.sock", *words], check=True,
                              capture_output=True).stdout

    def start(self):
        (self.dir / "s.conf").write_text(STANZA.format(dir=self.dir, node=self.node, mode=self.mode))
        self.spawn(self.build / "sbin/supervisord", "-n", "-c", self.dir / "s.conf")
        wait(self.answers, "serving")
        self.primary = json.loads(self.ctl("status", "--json", "web+cluster"))[0]["pid"]

    def restart(self):
        self.ctl("restart", "web@1")
        self.ctl("restart", "web@2")


class OursShared(Ours):
    mode = "shared"


class OursReusePort(Ours):
    mode = "reuse-port"


def load(subject, seconds, close):
    """wrk: requests a second, and how many there were."""
    words = ["wrk", "-t1", "-c16", f"-d{seconds}s", *(["-H", "Connection: close"] if close else []),
             f"http://127.0.0.1:{subject.port}/"]
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return float(re.search(r"Requests/sec: +([\d.]+)", text)[1]), int(re.search(r"(\d+) requests in", text)[1])


def count_lost(subject, restarts):
    """Clients with a connection for each request, while the workers are restarted."""
    done, counts = threading.Event(), [[0, 0], [0, 0]]

    def client(count):
        while not done.is_set():
            count[0 if subject.answers() else 1] += 1

    threads = [threading.Thread(target=client, args=(count,)) for count in counts]
    for thread in threads:
        thread.start()
    for _ in range(restarts):
        subject.restart()
    done.set()
    for thread in threads:
        thread.join()
    return sum(count[1] for count in counts), sum(count[0] for count in counts)


def measure(subject, options):
    subject.start()
    wait(subject.answers, f"{subject.name}: serving")
    row = {"name": subject.name, "keep_alive": load(subject, options.seconds, False)[0]}
    before = cpu_us(subject.primary) if subject.primary else 0
    row["close"], connections = load(subject, options.seconds, True)
    if subject.primary:
        row["cpu_us"] = (cpu_us(subject.primary) - before) / connections
        row["pss_kb"] = pss_kb(subject.primary)
    if hasattr(subject, "restart"):
        row["lost"], row["served"] = count_lost(subject, options.restarts)
    subject.end()
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", default="build", type=pathlib.Path)
    parser.add_argument("--seconds", default=3, type=int)
    parser.add_argument("--restarts", default=20, type=int)
    options = parser.parse_args()
    options.build = options.build.resolve()
    node = shutil.which("node")
    if node is None or shutil.which("wrk") is None:
        raise SystemExit("nodecluster: node and wrk are needed")
    print(f"{'':22}{'keep-alive/s':>13}{'close/s':>9}{'CPU us/conn':>13}{'PSS kB':>8}{'lost':>6}{'served':>8}")
    for kind in Single, Own, Pm2, Ours, OursShared, OursReusePort:
        if kind is Pm2 and not (options.build / "npm/node_modules/pm2").exists():
            print("pm2: not there (tests/e2e/node/fetch gets it)")
            continue
        row = measure(kind(options.build, node, free_port()), options)
        show = lambda key, form: format(row[key], form) if key in row else "-"
        print(f"{row['name']:22}{show('keep_alive', '.0f'):>13}{show('close', '.0f'):>9}{show('cpu_us', '.1f'):>13}"
              f"{show('pss_kb', 'd'):>8}{show('lost', 'd'):>6}{show('served', 'd'):>8}", flush=True)


if __name__ == "__main__":
    main()
