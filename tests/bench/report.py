# SPDX-License-Identifier: ISC
"""report: the one table, and the JSON with every single value behind it."""
import json
import os
import platform
import resource
import time


class Row:
    """One line of the table.  quantile: from the pooled samples of `measure`, else its median."""

    def __init__(self, measure, label, digits, goal="", met=None, quantile=None, best=min):
        self.measure, self.label, self.digits = measure, label, digits
        self.goal, self.met, self.quantile, self.best = goal, met, quantile, best

    def value(self, results, name):
        if self.quantile is not None:
            return results.pooled(self.measure, name, self.quantile)
        return results.median(self.measure, name)

    def best_ratio(self, results):
        """Ours to bare, the best repetition of each: what a disturbed machine changes least."""
        values = results.values.get(self.measure, {})
        if self.quantile is not None or not values.get("bare") or not values.get("ours"):
            return "-"
        bare = self.best(values["bare"])
        return f"{self.best(values['ours']) / bare:.2f}" if bare else "-"


def times(factor):
    """Goal: at most factor times the reference."""
    return lambda ours, bare, others: None if bare is None else ours <= factor * bare


def at_least(factor):
    return lambda ours, bare, others: None if bare is None else ours >= factor * bare


def at_most(limit):
    return lambda ours, bare, others: ours <= limit


def not_above(peer):
    return lambda ours, bare, others: None if others.get(peer) is None else ours <= others[peer]


def peer_at_least(peer, factor):
    return lambda ours, bare, others: None if others.get(peer) is None else ours >= factor * others[peer]


ROWS = (
    Row("start_10", "start 10, ms", 1),
    Row("start_100", "start 100, ms", 1),
    Row("start_1000", "start 1000, ms", 0, "<= 2 x bare", times(2)),
    Row("stop_1000", "stop 1000, ms", 0),
    Row("pss_1000", "memory (PSS) with 1000, MB", 2, "<= 2 MB", at_most(2)),
    Row("pss_slope", "memory for each further program, KB", 2, "<= 1 KB", at_most(1)),
    Row("start_logged", "start 1000, output to logs, ms", 0),
    Row("pss_logged", "memory with 1000, output to logs, MB", 2),
    Row("start_graph", "start 1000 in 10 levels, ms (bare: ours, flat)", 0, "<= 1.3 x flat", times(1.3)),
    Row("reload_one", "apply that changes 1 of 1000, ms", 1, "<= 20 ms", at_most(20)),
    Row("pss_logger", "memory of the logger with 1000, MB", 2, "<= 2 MB", at_most(2)),
    Row("crash_exec", "crash to exec, p50, ms", 2, "<= 1.5 x bare", times(1.5)),
    Row("crash_exec", "crash to exec, p99, ms", 2, quantile=0.99),
    Row("storm_rate", "storm of 100: restarts/s", 0, best=max),
    Row("storm_cpu", "storm: own CPU for a restart, us", 1, "<= 2.5 x bare", times(2.5)),
    Row("storm_status", "status meanwhile, p50, ms", 1),
    Row("storm_status", "status meanwhile, p99, ms", 1, quantile=0.99),
    Row("status_1000", "status of 1000, ms", 1, "<= dinit", not_above("dinit")),
    Row("log_block", "log, 64 KB writes, MB/s (bare: cat)", 0, ">= 0.7 x cat", at_least(0.7), best=max),
    Row("log_block_cpu", "log, 64 KB writes, CPU s/GB", 2, "<= 1.5 x cat", times(1.5)),
    Row("log_block_shm", "log on tmpfs, 64 KB writes, MB/s", 0, ">= 0.7 x cat", at_least(0.7), best=max),
    Row("log_block_shm_cpu", "log on tmpfs, 64 KB writes, CPU s/GB", 2, "<= 1.5 x cat", times(1.5)),
    Row("log_line", "log, 100 B writes, MB/s (bare: cat)", 0, best=max),
    Row("log_line_cpu", "log, 100 B writes, CPU s/GB", 2),
    Row("log_stamped", "log, stamped lines, MB/s", 0, ">= 3 x s6-log", peer_at_least("s6", 3), best=max),
    Row("log_stamped_cpu", "log, stamped lines, CPU s/GB", 2),
    Row("chat_rate", "1000 programs, 100 lines/s each: lines/s", 0, best=max),
    Row("chat_cpu", "1000 programs: own CPU for a line, us", 2),
    Row("chat_latency", "1000 programs: write to file, p50, ms", 2),
    Row("chat_latency", "1000 programs: write to file, p99, ms", 2, quantile=0.99),
    Row("flood_rate", "a program that never stops: MB/s", 0, best=max),
    Row("flood_before", "status before that, p99, ms", 2, quantile=0.99),
    Row("flood_status", "status meanwhile, p99, ms", 2, "<= 10 ms", at_most(10), quantile=0.99),
    Row("hello_cpu", "hello, CPU s/M requests (bare: nginx)", 2, "<= 0.75 x nginx", times(0.75)),
    Row("hello_rate", "hello, requests/s (bare: nginx)", 0, best=max),
    Row("hello_cpu_2", "hello x 2, CPU s/M requests (bare: nginx, 2)", 2, "<= 0.75 x nginx", times(0.75)),
    Row("hello_rate_2", "hello x 2, requests/s (bare: nginx, 2)", 0, best=max),
    Row("cluster_keep", "node cluster x 2, requests/s (bare: node's own)", 0, best=max),
    Row("cluster_close", "... with a connection each", 0, best=max),
    Row("cluster_cpu", "... CPU of the primary for a connection, us", 1, "<= 0.5 x node's", times(0.5)),
    Row("cluster_pss", "... memory (PSS) of the primary, MB", 2, "<= 1 MB", at_most(1)),
    Row("cluster_lost_keep", "... lost in rolling restarts, connections kept", 0, "0", at_most(0)),
    Row("cluster_lost", "... lost in rolling restarts, a connection each", 0, "0", at_most(0)),
    Row("cluster_served", "... served meanwhile, thousands", 0, best=max),
    Row("idle_switches", "idle with 1000: context switches", 0, "0", at_most(0)),
    Row("sim_rate", "simulator: schedules/s", 0, best=max),
    Row("processes", "own processes with 1000", 0),
)


def add_derived(results, programs):
    """The slope of memory, repetition by repetition."""
    for name, large in results.values.get("pss_1000", {}).items():
        small = results.values.get("pss_100", {}).get(name, [])
        for high, low in zip(large, small):
            results.add("pss_slope", name, (high - low) * 1024 / (programs - 100))


def cell(value, digits):
    return "-" if value is None else f"{value:,.{digits}f}"


def table_lines(results, peers, programs):
    yield ["measure (median)", "bare", "ours", "ratio", "best", "goal", "met"] + peers
    for row in ROWS:
        names = ["bare", "ours"] + peers
        found = {name: row.value(results, name) for name in names}
        ours, bare = found["ours"], found["bare"]
        if all(value is None for value in found.values()):
            continue
        ratio = f"{ours / bare:.2f}" if ours is not None and bare else "-"
        met = None if ours is None or row.met is None else row.met(ours, bare, found)
        yield ([row.label.replace("1000", str(programs)), cell(bare, row.digits), cell(ours, row.digits),
                ratio, row.best_ratio(results), row.goal or "-", {None: "-", True: "yes", False: "NO"}[met]]
               + [cell(found[name], row.digits) for name in peers])


def print_table(results, peers, programs):
    lines = list(table_lines(results, peers, programs))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    left = (0, 5)
    for line in lines:
        print("  ".join(text.ljust(widths[i]) if i in left else text.rjust(widths[i])
                        for i, text in enumerate(line)).rstrip())


def machine_facts(directory):
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="ascii",
                  errors="replace") if line.startswith("model name")), platform.machine())
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo", encoding="ascii")
                  if line.startswith("MemTotal"))
    return {
        "kernel": platform.release(), "machine": platform.machine(), "cpu": model,
        "cpus": os.cpu_count(), "memory_mb": memory // 1024,
        "nofile": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        "load_before": os.getloadavg()[0], "euid": os.geteuid(),
        "directory_bytes_free": os.statvfs(directory).f_bavail * os.statvfs(directory).f_frsize,
        "python": platform.python_version(), "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def store(path, results, facts, opts, peers):
    rows = [{"measure": row.measure, "quantile": row.quantile, "label": row.label, "goal": row.goal,
             "values": {name: row.value(results, name) for name in ["bare", "ours"] + peers}}
            for row in ROWS]
    data = {"facts": facts, "options": vars(opts), "rows": rows, "repetitions": results.values,
            "samples": results.samples, "failures": results.failures}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.write("\n")
