#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Figures of the control socket: tests/bench/control.py [--build DIR] [--programs N] [--commands N].

A private daemon with N programs: superctl status as a whole process, a hundred clients at once, the round trip of start
and stop, and the engine's memory over many commands.  Not a test: it compares with nobody and fails at nothing.
"""
import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

CLIENTS = 100
ROUND_TRIPS = 200
STATUS_RUNS = 20
HISTORY = 4096  # events that are remembered


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)

    def call(self, method, **parameters):
        self.socket.sendall(json.dumps({"method": "io.superctl." + method, "parameters": parameters}).encode() + b"\0")
        reply = bytearray()
        while not reply.endswith(b"\0"):
            block = self.socket.recv(1 << 20)
            if not block:
                raise SystemExit("the connection has ended")
            reply += block
        return reply


def ms(action, *words, **more):
    begin = time.monotonic_ns()
    action(*words, **more)
    return (time.monotonic_ns() - begin) / 1e6


def engine_pid(guardian):
    with open(f"/proc/{guardian}/task/{guardian}/children", encoding="ascii") as file:
        for pid in file.read().split():
            with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                if comm.read().strip() == "engine":
                    return pid
    raise SystemExit("no engine")


def rss_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def tell(what, value, unit):
    print(f"{what:<52} {value:10.2f} {unit}", flush=True)


def measure(path, args, guardian):
    superctl = [args.build + "/bin/superctl", "-s", path, "status"]
    times = [ms(subprocess.run, superctl, stdout=subprocess.DEVNULL, check=False) for _ in range(STATUS_RUNS)]
    tell(f"superctl status of {args.programs}, whole process, p50", statistics.median(times), "ms")

    crowd, took = [Client(path) for _ in range(CLIENTS)], []
    threads = [threading.Thread(target=lambda c=c: took.append(ms(c.call, "Status", names=["p0"]))) for c in crowd]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tell(f"{CLIENTS} clients at once: all answered in", (time.monotonic() - begin) * 1000, "ms")
    tell("  the slowest of them", max(took), "ms")

    client, starts, stops = Client(path), [], []
    for _ in range(ROUND_TRIPS):
        stops.append(ms(client.call, "Stop", names=["p0"]))
        starts.append(ms(client.call, "Start", names=["p0"]))
    tell("stop, round trip, p50 (with the program's own end)", statistics.median(stops), "ms")
    tell("start, round trip, p50 (ready at once)", statistics.median(starts), "ms")

    # The history is a ring: it has its whole size once it was filled.
    pid = engine_pid(guardian)
    for _ in range(HISTORY):
        client.call("Signal", names=["p1"], signal="CONT")
    first = rss_kb(pid)
    tell("engine's memory when its history is full", first, "KB")
    for i in range(1, 5):
        for _ in range(args.commands // 4):
            client.call("Signal", names=["p1"], signal="CONT")
        tell(f"engine's memory after {args.commands * i // 4} commands more", rss_kb(pid), "KB")
    tell("  growth", rss_kb(pid) - first, "KB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--commands", type=int, default=100000)
    parser.add_argument("--running", type=int, default=2, help="so many of the programs run")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sd.") as directory:
        with open(directory + "/supervisord.conf", "w", encoding="ascii") as file:
            file.write(f'run_dir = "{directory}/run"\nlog_dir = "{directory}/log"\n')
            file.write('defaults { stable_after = 0s stdout = "null" }\n')
            for i in range(args.programs):
                file.write(f'program p{i} {{ command = "/bin/sleep inf" '
                           f'autostart = {"true" if i < args.running else "false"} }}\n')
        path = directory + "/run/control.sock"
        with open(directory + "/own.log", "w", encoding="ascii") as log:
            daemon = subprocess.Popen([args.build + "/sbin/supervisord", "-n", "-c", directory + "/supervisord.conf"],
                                      stdout=log, stderr=log)
        try:
            while not os.path.exists(path) and daemon.poll() is None:
                time.sleep(0.05)
            client = Client(path)
            while client.call("Status", names=[]).count(b'"RUNNING"') < args.running:
                time.sleep(0.2)
            measure(path, args, daemon.pid)
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()


main()
