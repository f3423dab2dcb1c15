#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""run: make bench.  Measures the supervisor beside the bare loop and the installed peers.

Repetitions are interleaved: one of each driver, then the next of each.  Every phase has a share of
the time; when it is used up the peers get fewer repetitions, the bare loop and ours never.
"""
import argparse
import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

import drivers  # pylint: disable=wrong-import-position
import chatter
import hello
import logs
import measures
import nodecluster
import report
from lab import Lab, StepFailed

FULL = {"programs": 1000, "repetitions": 5, "kills": 200, "status_ms": 3000, "storm_ms": 3000,
        "idle_settle_s": 3, "idle_s": 20, "reloads": 10, "schedules": 100_000, "log_bytes": 512_000_000, "log_ms": 1000, "chat_ms": 3000, "wrk_s": 2, "cluster_restarts": 20,
        "total_s": 780, "lives_s": 150, "storms_s": 60, "logs_s": 50,
        "peer_phases": ("lives", "storms", "idle", "logs", "hello")}
QUICK = {"programs": 300, "repetitions": 3, "kills": 100, "status_ms": 500, "storm_ms": 1000,
         "idle_settle_s": 2, "idle_s": 10, "reloads": 5, "schedules": 20_000, "log_bytes": 128_000_000, "log_ms": 250, "chat_ms": 1500, "wrk_s": 1, "cluster_restarts": 2,
         "total_s": 150, "lives_s": 25, "storms_s": 3, "logs_s": 6,
         "peer_phases": ("lives", "logs", "hello")}


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


class OutOfTime(Exception):
    pass


def options():
    parser = argparse.ArgumentParser(description="Benchmark of supervisord; see tests/bench/README.md")
    parser.add_argument("--build", default="build", help="the output folder of make (default: build)")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, at most 150 s")
    parser.add_argument("--only", default="", help="names of drivers, comma separated, e.g. bare,ours")
    parser.add_argument("--phase", default="lives,storms,logs,chatter,hello,idle,logged,graph,simulator,cluster",
                        help="phases to run")
    parser.add_argument("--repetitions", type=int, help="instead of 5 (quick: 3)")
    parser.add_argument("--programs", type=int, help="instead of 1000 (quick: 300)")
    opts = parser.parse_args()
    for key, value in (QUICK if opts.quick else FULL).items():
        if getattr(opts, key, None) is None:
            setattr(opts, key, value)
    return opts


class Run:
    def __init__(self, opts):
        self.opts, self.lab, self.results = opts, Lab(opts.build), measures.Results()
        self.begin, self.phase_s = time.monotonic(), {}
        self.given_up = {}  # (phase, driver): failures
        self.absent = {}  # label: why
        self.skipped = set()  # (phase, driver): no time
        self.only = set(filter(None, opts.only.split(",")))

    def present(self, candidates):
        """Those that are installed and asked for; notes the others."""
        wanted = [each for each in candidates if not self.only or each.name in self.only]
        self.absent.update({each.label: each.missing() for each in wanted if each.missing()})
        return [each for each in wanted if not each.missing()]

    def step(self, phase, each, action):
        """One repetition.  Who fails twice (a peer: once) is out of the phase, who fails four times is
        out altogether: each failure may have cost a deadline."""
        key = (phase, each.name)
        failures = sum(count for (_, name), count in self.given_up.items() if name == each.name)
        if self.given_up.get(key, 0) >= (1 if each.is_peer else 2) or failures >= 4:
            return
        try:
            action()
        except (StepFailed, OSError) as error:
            self.given_up[key] = self.given_up.get(key, 0) + 1
            self.results.fail(each.name, phase, error)
            print(f"bench: {each.name}: {phase}: {error}", file=sys.stderr)

    def interleave(self, phase, members, share_s, action):
        """action(member) for each repetition and each member in turn.  The peers divide share_s, none
        may take more than half of it."""
        begin = time.monotonic()
        spent, last = {}, {}
        for repetition in range(self.opts.repetitions):
            for each in members:
                if each.is_peer and self.is_late(each.name, share_s, spent, last):
                    if repetition == 0:
                        self.skipped.add((phase, each.name))
                    continue
                at = time.monotonic()
                self.step(phase, each, lambda each=each: action(each))
                last[each.name] = time.monotonic() - at
                if each.is_peer:
                    spent[each.name] = spent.get(each.name, 0) + last[each.name]
            self.progress(f"{phase}: repetition {repetition + 1}, {time.monotonic() - begin:.0f} s")

    def is_late(self, name, share_s, spent, last):
        """Whether one more repetition of a peer would take time that is meant for others."""
        if time.monotonic() - self.begin > 0.8 * self.opts.total_s:
            return True
        more = last.get(name, 0)
        return sum(spent.values()) + more > share_s or spent.get(name, 0) + more > max(share_s / 2, more)

    def progress(self, text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    # ---- the phases ---------------------------------------------------------------------------
    def lives(self, members):
        def life(driver):
            measures.life_small(driver, self.results, 10)
            measures.life_small(driver, self.results, 100)
            measures.life_large(driver, self.results, self.opts)
        self.interleave("lives", members, self.opts.lives_s, life)

    def logged(self, members):
        members = [each for each in members if each.can_log]
        self.interleave("logged", members, 30,
                        lambda each: measures.life_logged(each, self.results, self.opts))

    def storms(self, members):
        self.interleave("storms", members, self.opts.storms_s,
                        lambda each: measures.storm(each, self.results, self.opts))

    def idle(self, members):
        measures.idle(members, self.results, self.opts)

    def graph(self, _):
        ours = self.present([drivers.Ours(self.lab)])
        levels = drivers.OursLevels(self.lab, drivers.OursLevels.LEVELS)
        flat = drivers.OursLevels(self.lab, 1)
        self.interleave("graph", ours, 60, lambda each: measures.graph(
            flat, levels, self.results, self.opts.programs))
        for each in ours:
            self.step("reload", each, lambda each=each: measures.reload_one(
                each, self.results, self.opts.programs, self.opts.reloads))

    def simulator(self, _):
        if not (self.lab.build / "tests/sim/sim").exists():
            return
        for each in self.present([drivers.Ours(self.lab)]):
            self.step("simulator", each, lambda: measures.simulator(
                self.lab, self.results, self.opts.schedules))

    def logs(self, _):
        share_s = self.opts.logs_s / (len(logs.LOADS) + 1)
        for name, block, is_shm in logs.LOADS:
            base = self.lab.shm if is_shm else None
            self.interleave(f"log {name}", self.present(logs.loggers(self.lab)), share_s,
                            lambda each: logs.measure(each, self.results, name, block, self.opts, base))
        self.interleave("log stamped", self.present(logs.stampers(self.lab)), share_s,
                        lambda each: logs.measure(each, self.results, "stamped", 64 * 1024, self.opts))

    def chatter(self, members):
        members = [each for each in members if each.name == "ours"]
        self.interleave("chatter", members, 0, lambda each: chatter.many(each, self.results, self.opts))
        self.interleave("flood", members, 0, lambda each: chatter.flood(each, self.results, self.opts))

    def hello(self, _):
        for workers in (1, 2):
            self.interleave(f"hello {workers}", self.present(hello.servers(self.lab, workers)), 30,
                            lambda each: hello.measure(each, self.results, self.opts))

    def cluster(self, _):
        """Once each: what is lost is counted over many restarts, and takes its time."""
        for each in self.present([kind(self.lab) for kind in nodecluster.SUBJECTS]):
            self.step("cluster", each, lambda each=each: nodecluster.measure(each, self.results, self.opts))
            self.progress(f"cluster: {each.title}")

    def all(self, members):
        for phase in self.opts.phase.split(","):
            begin = time.monotonic()
            peers_too = phase in self.opts.peer_phases
            getattr(self, phase)([each for each in members if peers_too or not each.is_peer])
            self.phase_s[phase] = round(time.monotonic() - begin, 1)

    def main(self):
        facts = {}
        candidates = [kind(self.lab) for kind in drivers.ALL]
        members = self.present(candidates)
        self.phase_s = facts["phase_s"] = {}
        try:
            signal.alarm(self.opts.total_s)
            facts.update(report.machine_facts(self.lab.dir))
            facts["versions"] = {each.name: each.version() for each in members}
            facts["absent"] = self.absent
            self.all(members)
        except OutOfTime:
            self.results.fail("-", "all", f"out of time after {self.opts.total_s} s")
        finally:
            for signo in SIGNALS:
                signal.signal(signo, signal.SIG_IGN)
            self.lab.clean()
        facts["took_s"] = round(time.monotonic() - self.begin, 1)
        facts["load_after"] = os.getloadavg()[0]
        self.say(facts, members)
        return 1 if any(failure["driver"] in ("bare", "ours", "-") for failure in self.results.failures) else 0

    def say(self, facts, members):
        peers = [each.name for each in members if each.is_peer]
        if "daemontools" in self.results.values.get("log_block", {}):
            peers.append("daemontools")
        peers += [name for name in nodecluster.COLUMNS if name in self.results.values.get("cluster_keep", {})]
        report.add_derived(self.results, self.opts.programs)
        self.progress("")
        report.print_table(self.results, peers, self.opts.programs)
        path = self.lab.build / "bench.json"
        report.store(path, self.results, facts, self.opts, peers)
        print(f"\n{facts['cpus']} x {facts['cpu']}, Linux {facts['kernel']}, nofile {facts['nofile']}, "
              f"load {facts['load_before']:.1f} before, {facts['load_after']:.1f} after; "
              f"{self.opts.repetitions} repetitions in {facts['took_s']:.0f} s; every value: {path}")
        for each in members:
            if each.is_peer:
                print(f"{each.name}: {self.repetitions_of(each.name)} repetitions; {each.note}".rstrip("; "))
        for name, why in self.absent.items():
            print(f"{name}: {why}")
        for phase, name in sorted(self.skipped):
            print(f"{name}: skipped in {phase}: no time")
        for failure in self.results.failures:
            print(f"FAILED {failure['driver']}: {failure['step']}: {failure['error']}")

    def repetitions_of(self, name):
        counts = [len(drivers_values[name]) for measure, drivers_values in self.results.values.items()
                  if name in drivers_values and not measure.startswith("idle")]
        return f"{min(counts)} to {max(counts)}" if counts else "no"


def on_signal(signo, _):
    if signo == signal.SIGALRM:
        raise OutOfTime
    raise SystemExit(128 + signo)


def main():
    opts = options()
    for signo in SIGNALS:
        signal.signal(signo, on_signal)
    return Run(opts).main()


if __name__ == "__main__":
    sys.exit(main())
