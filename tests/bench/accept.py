#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A run for each connection: connections a second, beside whatever inetd-like servers are installed.

    tests/bench/accept.py [--build DIR] [--seconds N] [--rounds N]

Each server runs /bin/true for a connection; a client has been served when it reads the end.  One client after the other,
and eight at a time; the rounds of all servers take turns.  A table of its own, no test.
"""
import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

OURS = """run_dir = "{dir}/run"
log_dir = "{dir}/log"
state_dir = "{dir}/state"
socket "true" {{ listen = "tcp:127.0.0.1:{port}" }}
program "true" {{ command = "/bin/true" sockets = {{"true"}} socket_as = "stdin" accept = true stderr = "null" }}
"""


def ours(directory, port, build):
    with open(directory + "/conf", "w", encoding="ascii") as file:
        file.write(OURS.format(dir=directory, port=port))
    return [build + "/sbin/supervisord", "-n", "-c", directory + "/conf"]


def inetd(directory, port, _):
    user = "root" if os.geteuid() == 0 else os.environ["USER"]
    with open(directory + "/conf", "w", encoding="ascii") as file:
        file.write(f"127.0.0.1:{port} stream tcp nowait.1000000 {user} /bin/true true\n")
    return ["inetd", "-i", "-R", "1000000", directory + "/conf"]


SERVERS = {
    "ours": ours,
    "systemd-socket-activate": lambda d, p, _: ["systemd-socket-activate", "--accept", "--inetd", "-l", f"127.0.0.1:{p}", "/bin/true"],
    "socat": lambda d, p, _: ["socat", f"TCP-LISTEN:{p},bind=127.0.0.1,fork,reuseaddr,backlog=1024", "EXEC:/bin/true"],
    "tcpserver": lambda d, p, _: ["tcpserver", "-RHl0", "-c1000", "-b1000", "127.0.0.1", str(p), "/bin/true"],
    "s6-tcpserver": lambda d, p, _: ["s6-tcpserver", "-c", "1000", "127.0.0.1", str(p), "/bin/true"],
    "inetd": inetd,
}


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def ask(port):
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        try:
            while sock.recv(100):
                pass
        except ConnectionResetError:
            pass  # the end, too


def rate(port, clients, seconds):
    """Connections a second of so many clients at a time."""
    end, counts = time.monotonic() + seconds, [0] * clients

    def work(index):
        while time.monotonic() < end:
            ask(port)
            counts[index] += 1

    threads = [threading.Thread(target=work, args=(i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def serve(name, build):
    directory, port = tempfile.mkdtemp(prefix="sd."), free_port()
    with open(directory + "/own.log", "w", encoding="ascii") as log:
        proc = subprocess.Popen(SERVERS[name](directory, port, build), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    deadline = time.monotonic() + 10
    while True:
        try:
            ask(port)
            return proc, directory, port
        except OSError:
            if time.monotonic() > deadline or proc.poll() is not None:
                raise SystemExit(f"{name} does not serve: see {directory}/own.log") from None
            time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    names = [name for name in SERVERS if name == "ours" or shutil.which(name)]
    running = {name: serve(name, args.build) for name in names}
    found = {(name, clients): [] for name in names for clients in (1, 8)}
    try:
        for _ in range(args.rounds):
            for name, clients in found:
                found[name, clients].append(rate(running[name][2], clients, args.seconds))
    finally:
        for proc, directory, _ in running.values():
            proc.send_signal(signal.SIGTERM)
            proc.wait()
            shutil.rmtree(directory, ignore_errors=True)
    print(f"{'connections a second':<28} {'one client':>12} {'eight':>12}")
    for name in names:
        print(f"{name:<28} {statistics.median(found[name, 1]):12.0f} {statistics.median(found[name, 8]):12.0f}")
    print("absent: " + ", ".join(name for name in SERVERS if name not in names))


main()
