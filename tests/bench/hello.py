# SPDX-License-Identifier: ISC
"""hello: the server's CPU for a million requests over keep-alive, beside nginx that answers the same."""
import os
import re
import shutil
import socket
import subprocess
import time

from lab import StepFailed, cpu_ns

CONNECTIONS = 32

NGINX = """daemon off;
worker_processes {workers};
pid nginx.pid;
error_log error.log;
{user}events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    server {{
        listen 127.0.0.1:{port};
        location / {{ default_type text/plain; return 200 "Hello World\\n"; }}
    }}
}}
"""


# Instances on one socket.
OURS = """run_dir = "{dir}/run"
log_dir = "{dir}/log"
socket "http" {{ listen = "tcp:127.0.0.1:{port}" }}
program "hello" {{
    command = "{hello}"
    sockets = "http"
    instances = {workers}
}}
"""


def comms(pids):
    found = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                found.append(file.read().strip())
        except OSError:
            pass
    return found


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    def __init__(self, lab, name, workers):
        self.lab, self.name, self.is_peer, self.workers = lab, name, False, workers
        self.label = "hello of ours" if name == "ours" else "nginx, reference of hello"
        self.proc = self.dir = self.port = None

    def missing(self):
        if not shutil.which("wrk"):
            return "wrk not installed"
        if self.name == "ours":
            return None if (self.lab.build / "libexec/supervisord/hello").exists() else "not built"
        return None if nginx_path() else "not installed"

    def words(self):
        hello = self.lab.build / "libexec/supervisord/hello"
        if self.name == "ours" and self.workers == 1:
            return [hello, "--listen", f"127.0.0.1:{self.port}"]
        if self.name == "ours":
            (self.dir / "conf").write_text(OURS.format(dir=self.dir, port=self.port, hello=hello, workers=self.workers))
            return [self.lab.build / "sbin/supervisord", "-n", "-c", self.dir / "conf"]
        user = "user root;\n" if os.geteuid() == 0 else ""
        (self.dir / "nginx.conf").write_text(NGINX.format(port=self.port, user=user, workers=self.workers))
        return [nginx_path(), "-p", f"{self.dir}/", "-c", "nginx.conf", "-e", "error.log"]

    def start(self):
        self.dir, self.port = self.lab.fresh_dir(), free_port()
        self.proc = self.lab.spawn(self.words(), self.dir)
        self.lab.wait(self.answers, 10, f"{self.name}: listening", self.proc, self.dir)
        self.lab.wait(self.is_whole, 10, f"{self.name}: all workers", self.proc, self.dir)

    def is_whole(self):
        """One worker answers before the others are there, and their time must count."""
        comm = "hello" if self.name == "ours" else "nginx"
        others = 0 if self.name == "ours" else 1
        return comms(self.lab.descendants(self.proc.pid)).count(comm) == self.workers + others

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
                return sock.recv(4096).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def end(self):
        if self.proc is not None:
            self.lab.end_tree(self.proc)
            shutil.rmtree(self.dir, ignore_errors=True)
        self.proc = None


def nginx_path():
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def servers(lab, workers):
    return [Server(lab, "bare", workers), Server(lab, "ours", workers)]


def measure(server, results, opts):
    """One repetition; nginx stands in the column of the reference."""
    try:
        server.start()
        pids = server.lab.descendants(server.proc.pid)
        before, begin = cpu_ns(pids), time.monotonic()
        words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{opts.wrk_s}s", f"http://127.0.0.1:{server.port}/"]
        try:
            text = subprocess.run(words, capture_output=True, text=True, timeout=opts.wrk_s + 15,
                                  start_new_session=True, check=True).stdout
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
            raise StepFailed(f"wrk: {error}") from error
        cpu, took = cpu_ns(pids) - before, time.monotonic() - begin
        found = re.search(r"(\d+) requests in", text)
        if not found or int(found.group(1)) == 0 or "Non-2xx" in text:
            raise StepFailed(f"wrk: {text.strip()[-200:]}")
        suffix = "" if server.workers == 1 else f"_{server.workers}"
        results.add("hello_cpu" + suffix, server.name, cpu / 1e9 / (int(found.group(1)) / 1e6))
        results.add("hello_rate" + suffix, server.name, int(found.group(1)) / took)
    finally:
        server.end()
