# SPDX-License-Identifier: ISC
"""chatter: what the logger costs beside raw throughput: many programs that say little, and one that never stops.

Each function makes one repetition; only ours has a logger that all programs share.
"""
import statistics
import time

from lab import StepFailed, cpu_ns
from measures import SETTLE_S, client_times_ms

LINE_BYTES = 100
PERIOD_US = 10_000  # 100 lines a second
SAMPLED = 16        # programs whose files are watched for arriving lines
STATUS_INTERVAL_MS = 20


def written(board):
    return sum(board.slot(i)[3] for i in range(board.slots))


def many(driver, results, opts):
    """opts.programs write 100 lines a second each: CPU of ours a line, and the time a line takes to its file."""
    count = opts.programs
    try:
        driver.start(count, mode=f"chat {PERIOD_US}", output="log")
        time.sleep(SETTLE_S)
        driver.board.set_go()
        driver.lab.wait(lambda: all(driver.board.slot(i)[3] for i in range(count)), 20, "first lines")
        step = max(1, count // SAMPLED)
        files = [driver.dir / f"log/p{i}.log" for i in range(0, count, step)][:SAMPLED]
        driver.lab.wait(lambda: all(path.exists() for path in files), 20, "log files")
        pids = driver.pids()
        cpu, lines, begin = cpu_ns(pids), written(driver.board) / LINE_BYTES, time.monotonic()
        arrivals = driver.lab.tool("arrival", opts.chat_ms, *files, timeout=opts.chat_ms / 1000 + 20)
        took = time.monotonic() - begin
        cpu, lines = cpu_ns(pids) - cpu, written(driver.board) / LINE_BYTES - lines
        if not arrivals or not lines:
            raise StepFailed("chatter: no line arrived")
        latencies = [line[0] / 1e6 for line in arrivals]
        results.add("chat_rate", driver.name, lines / took)
        results.add("chat_cpu", driver.name, cpu / 1e3 / lines)
        results.add("chat_latency", driver.name, statistics.median(latencies), latencies)
    finally:
        driver.end()


def flood(driver, results, opts):
    """The status command while one program writes as fast as it can; the same before, to compare with."""
    try:
        driver.start(1, mode=f"write 65536 {10**15} {10**6}", output="log")
        time.sleep(SETTLE_S)
        for measure, budget_ms in (("flood_before", opts.status_ms // 2), ("flood_status", opts.status_ms)):
            count, begin = driver.board.slot(0)[3], time.monotonic()
            walls, _ = client_times_ms(driver, STATUS_INTERVAL_MS, budget_ms)
            took = time.monotonic() - begin
            results.add(measure, driver.name, statistics.median(walls), walls)
            driver.board.set_go()
            if measure == "flood_before":
                time.sleep(0.2)
        results.add("flood_rate", driver.name, (driver.board.slot(0)[3] - count) / 1e6 / took)
    finally:
        driver.end()
