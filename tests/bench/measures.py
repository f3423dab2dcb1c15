# SPDX-License-Identifier: ISC
"""measures: what is done with a supervisor, and the figures that come of it.

Each function makes one repetition with one driver and adds to the results; run.py interleaves them, so
that noise of the machine hits all drivers alike.  All figures are in the unit of report.ROWS.
"""
import statistics
import time

from lab import StepFailed, context_switches, cpu_ns, pss_kb

# Longer than one second: programs are then RUNNING for every supervisor, and no start delay is due.
SETTLE_S = 1.3
KILL_INTERVAL_US = 5000
CLIENT_TIMEOUT_MS = 6000


class Results:
    """values[measure][driver]: one figure a repetition; samples: the single readings behind them."""

    def __init__(self):
        self.values, self.samples, self.failures = {}, {}, []

    def add(self, measure, driver, value, samples=None):
        self.values.setdefault(measure, {}).setdefault(driver, []).append(value)
        if samples is not None:
            self.samples.setdefault(measure, {}).setdefault(driver, []).append(samples)

    def median(self, measure, driver):
        values = self.values.get(measure, {}).get(driver)
        return statistics.median(values) if values else None

    def pooled(self, measure, driver, fraction):
        """A quantile over the samples of all repetitions."""
        pool = sorted(sum(self.samples.get(measure, {}).get(driver, []), []))
        return pool[min(len(pool) - 1, int(len(pool) * fraction))] if pool else None

    def fail(self, driver, step, error):
        self.failures.append({"driver": driver, "step": step, "error": str(error)})


def client_times_ms(driver, interval_ms, budget_ms, may_fail=False):
    """Wall and CPU times of the status command.  may_fail: an exit status that says "something is not
    running" is an answer too; no answer never is."""
    words = ["runtime", 1000 if interval_ms else 20, interval_ms, budget_ms, CLIENT_TIMEOUT_MS]
    runs = driver.lab.tool(*words, *driver.status(), timeout=(budget_ms + CLIENT_TIMEOUT_MS) / 1000 + 5)
    bad = [status for _, _, status in runs if status < 0 or status > 100 or (status and not may_fail)]
    if bad:
        what = f"no answer in {CLIENT_TIMEOUT_MS / 1000:.0f} s" if bad[0] < 0 else f"exit {bad[0]}"
        raise StepFailed(f"status: {len(bad)} of {len(runs)} runs: {what}")
    return [wall_ns / 1e6 for wall_ns, _, _ in runs], [cpu / 1e6 for _, cpu, _ in runs]


# ---- a supervisor's life with n programs --------------------------------------------------------
def life_small(driver, results, count):
    """Start and stop; with 100 programs the memory too, the lower end of the slope."""
    try:
        results.add(f"start_{count}", driver.name, driver.start(count))
        if count == 100:
            time.sleep(SETTLE_S)
            results.add("pss_100", driver.name, pss_kb(driver.pids()) / 1024)
        driver.stop_all()
    finally:
        driver.end()


def life_large(driver, results, opts):
    """Start, memory, status, crash to exec and stop of opts.programs."""
    count = opts.programs
    try:
        results.add("start_1000", driver.name, driver.start(count))
        time.sleep(SETTLE_S)
        pids = driver.pids()
        results.add("pss_1000", driver.name, pss_kb(pids) / 1024)
        results.add("processes", driver.name, len(pids))
        if driver.status():
            walls, cpus = client_times_ms(driver, 0, opts.status_ms)
            results.add("status_1000", driver.name, statistics.median(walls), walls)
            results.add("status_cpu", driver.name, statistics.median(cpus))
        crash_to_exec(driver, results, opts.kills)
        results.add("stop_1000", driver.name, driver.stop_all())
    finally:
        driver.end()


def life_logged(driver, results, opts):
    """Start and memory again, every program's output going to a log file."""
    try:
        results.add("start_logged", driver.name, driver.start(opts.programs, output="log"))
        time.sleep(SETTLE_S)
        pids = driver.pids()
        results.add("pss_logged", driver.name, pss_kb(pids) / 1024)
        results.add("pss_logger", driver.name, pss_kb(named(pids, "logger")) / 1024)
        driver.stop_all()
    finally:
        driver.end()


# ---- what only ours has ------------------------------------------------------------------------
def graph(flat, levels, results, count):
    """The same programs side by side, and in levels of requirements.  Column bare is side by side."""
    for driver, column in ((flat, "bare"), (levels, "ours")):
        try:
            results.add("start_graph", column, driver.start(count))
            driver.stop_all()
        finally:
            driver.end()


def reload_one(driver, results, count, repetitions):
    """superctl apply with one stanza of `count` changed: the command, as nobody waits for the new
    run; and that nobody else's process changed."""
    try:
        driver.start(count)
        time.sleep(SETTLE_S)
        walls = []
        for repetition in range(repetitions):
            before = driver.board.pids()
            driver.write_stanzas((0, f'environment = {{"N={repetition}"}}'))
            walls.append(apply_once(driver))
            driver.lab.wait(lambda was=before[0]: driver.board.pids()[0] != was, 20,
                            "the restart of the one that changed", driver.proc, driver.dir)
            if driver.board.pids()[1:] != before[1:]:
                raise StepFailed("apply: processes of others have changed, too")
        results.add("reload_one", driver.name, statistics.median(walls), walls)
        driver.stop_all()
    finally:
        driver.end()


def apply_once(driver):
    """Wall time in ms."""
    words = ["runtime", 1, 0, 60000, CLIENT_TIMEOUT_MS]
    wall_ns, _, status = driver.lab.tool(*words, *driver.client("apply", "--no-wait"),
                                         timeout=CLIENT_TIMEOUT_MS / 1000 + 5)[0]
    if status != 0:
        raise StepFailed(f"apply: exit {status}")
    return wall_ns / 1e6


def simulator(lab, results, count):
    """Schedules of the simulator a second, all processors."""
    begin = time.monotonic()
    lab.run([lab.build / "tests/sim/sim", "--count", str(count)], 120)
    results.add("sim_rate", "ours", count / (time.monotonic() - begin))


def named(pids, name):
    """Those of the processes that have this name."""
    found = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                if file.read().strip() == name:
                    found.append(pid)
        except OSError:
            pass
    return found


def crash_to_exec(driver, results, kills):
    lines = driver.lab.tool("killer", driver.board.path, driver.board.slots, kills, KILL_INTERVAL_US,
                            20000, timeout=30)
    times = sorted(line[0] / 1e6 for line in lines)
    results.add("crash_exec", driver.name, statistics.median(times), times)


# ---- restart storm ------------------------------------------------------------------------------
def storm(driver, results, opts):
    """100 programs that exit 1 as soon as they run; a client asks ten times a second."""
    try:
        driver.start(100, mode="crash")
        time.sleep(0.3)
        pids = driver.pids()
        cpu, execs, begin = cpu_ns(pids), driver.board.execs(), time.monotonic()
        try:
            if driver.status():
                walls, _ = client_times_ms(driver, 100, opts.storm_ms, may_fail=True)
                results.add("storm_status", driver.name, statistics.median(walls), walls)
        finally:
            time.sleep(max(0, opts.storm_ms / 1000 - (time.monotonic() - begin)))
            took = time.monotonic() - begin
            cpu, execs = cpu_ns(pids) - cpu, driver.board.execs() - execs
            results.add("storm_rate", driver.name, execs / took)
            if execs:
                results.add("storm_cpu", driver.name, cpu / 1e3 / execs)
        driver.stop_all()
    finally:
        driver.end()


# ---- idle ---------------------------------------------------------------------------------------
def idle(drivers, results, opts):
    """All supervisors idle side by side, each with its programs: a sleeping process is not disturbed
    by its neighbours, and the time is spent once."""
    started = []
    try:
        for driver in drivers:
            driver.launch(opts.programs)
        for driver in drivers:
            try:
                driver.await_start()
                started.append(driver)
            except StepFailed as error:
                results.fail(driver.name, "idle", error)
                driver.end()
        time.sleep(opts.idle_settle_s)
        pids = {driver.name: driver.pids() for driver in started}
        before = {name: (context_switches(pids[name]), cpu_ns(pids[name])) for name in pids}
        time.sleep(opts.idle_s)
        for name in pids:
            results.add("idle_switches", name, context_switches(pids[name]) - before[name][0])
            results.add("idle_cpu", name, (cpu_ns(pids[name]) - before[name][1]) / 1e6)
    finally:
        for driver in drivers:
            driver.end()
