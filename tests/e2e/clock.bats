#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The wall clock is set an hour ahead and an hour back while a program is in each of the states: nothing happens because
# of it, and what was to happen by a delay or a timeout happens when it is over.  The clock is that of the daemon alone
# (tests/preload/wallshift.c); the programs and the tests have the machine's.

load lib.bash

# Of every delay and timeout here, in milliseconds: much less than an hour.
LIMIT=2000

setup_file() {
	sd_new 'defaults { stable_after = "50ms" autostart = false restart_jitter = 0 }'
	head -c 8 /dev/zero >"$SD/shift"
	sd_start env LD_PRELOAD="$(preloads)" WALLSHIFT_FILE="$SD/shift"
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# The shared runtime of a sanitizer has to come first.
preloads() {
	{
		ldd "$SUPERVISORD" | awk '/libasan|libubsan/ { print $3 }'
		echo "$OUT/tests/preload/wallshift.so"
	} | paste -sd :
}

# set_clock SECONDS: the daemon's wall clock is off by that, and it has looked at it.
set_clock() {
	"$PYTHON" -ISc 'import struct, sys; open(sys.argv[1], "r+b").write(struct.pack("=q", int(sys.argv[2])))' \
		"$SD/shift" "$1"
	exits 0 sctl version
	exits 0 sctl version
}

# CLOCK_BOOTTIME.
boot_ms() {
	"$PYTHON" -ISc 'import time; print(time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000000)'
}

# unmoved NAME STATE [BEGAN]: through an hour ahead, an hour back and right again it stays in that state, with the
# same process, unless LIMIT since BEGAN is really over.
unmoved() {
	local pid shift

	pid=$(record "$1" pid)
	for shift in 3600 -3600 0; do
		set_clock "$shift"
		[ "$(record "$1" state) $(record "$1" pid)" = "$2 $pid" ] || at_least "milliseconds in $2" \
			"$(($(boot_ms) - ${3:-$(boot_ms)}))" "$LIMIT"
	done
}

# took BEGAN: at least LIMIT have passed; that it was not an hour is said by the test having come here.
took() {
	at_least milliseconds "$(($(boot_ms) - $1))" "$LIMIT"
}

# came_to NAME STATE: it has, and may have left it by now, if LIMIT is over.
came_to() {
	wait_for "$PATIENCE" file_has "$SD/own.log" "engine: $1: [A-Z]* -> $2"
}

# Milliseconds from the first start to the second one, as the program saw them.
between_starts() {
	awk '$1 == "start" { at[++n] = $5 } END { printf "%d\n", (at[2] - at[1]) / 1000000 }' "$1"
}

# Starts that were written down.
has_starts() {
	[ "$(grep -c '^start' "$1")" -ge "$2" ]
}

@test "clock: the daemon sees the clock that was set" {
	local hour

	set_clock 3600
	exits 0 sctl apply
	kill -HUP "$(guardian)"
	hour=$(date -u -d '1 hour' +%Y-%m-%dT%H)
	wait_for "$PATIENCE" grep -qE "^($hour|$(date -u -d '59 minutes' +%Y-%m-%dT%H)).*applying" "$SD/own.log"
	set_clock 0
}

@test "clock: WAITING" {
	stanza waiting <<-END
		program "gate" { command = "$SD/bin/stamp $SD/gate.stamps run" ready = "file:$SD/gate.ready" start_timeout = "0s" }
		program "waiting" { command = "$SD/bin/stamp $SD/waiting.stamps run" requires = {"gate"} }
	END
	exits 0 sctl start --no-wait waiting
	wait_state waiting WAITING
	unmoved waiting WAITING
	equals gate "$(record gate state)" STARTING
	touch "$SD/gate.ready"
	wait_state waiting RUNNING
}

@test "clock: STARTING, until start_timeout" {
	local began

	stanza starting <<-END
		program "starting" {
			command = "$SD/bin/stamp $SD/starting.stamps run"
			ready = "file:$SD/starting.ready"
			start_timeout = "${LIMIT}ms"
			start_limit = 1
		}
	END
	began=$(boot_ms)
	exits 0 sctl start --no-wait starting
	came_to starting STARTING
	unmoved starting STARTING "$began"
	wait_state starting FATAL
	took "$began"
	matches "$(record starting reason)" "was not ready in time"
}

@test "clock: STARTING, in a hook until hook_timeout" {
	local began

	stanza hook <<-END
		program "hook" {
			command = "$SD/bin/stamp $SD/hook.stamps run"
			pre_start = "$SD/bin/stamp $SD/pre.stamps run"
			hook_timeout = "${LIMIT}ms"
			start_limit = 1
		}
	END
	began=$(boot_ms)
	exits 0 sctl start --no-wait hook
	came_to hook STARTING
	unmoved hook STARTING "$began"
	wait_state hook FATAL
	took "$began"
	matches "$(record hook reason)" "pre_start took too long"
}

@test "clock: RUNNING, until max_runtime, and without end" {
	local began

	stanza running <<-END
		program "running" {
			command = "$SD/bin/stamp $SD/running.stamps run"
			max_runtime = "${LIMIT}ms"
			start_limit = 1
			health { check = "exec:/bin/true" interval = "100ms" failures = 1 }
		}
		program "endless" { command = "$SD/bin/stamp $SD/endless.stamps run" }
	END
	exits 0 sctl start endless
	unmoved endless RUNNING
	began=$(boot_ms)
	exits 0 sctl start --no-wait running
	came_to running RUNNING
	unmoved running RUNNING "$began"
	wait_state running FATAL
	took "$began"
	matches "$(record running reason)" "max_runtime"
	equals endless "$(record endless state)" RUNNING
}

@test "clock: BACKOFF, until the delay is over" {
	local began

	stanza backoff <<-END
		program "backoff" {
			command = "$SD/bin/stamp $SD/backoff.stamps exit 1"
			restart_delay = "${LIMIT}ms"
			restart_delay_max = "${LIMIT}ms"
			start_limit = 2
		}
	END
	began=$(boot_ms)
	exits 0 sctl start --no-wait backoff
	came_to backoff BACKOFF
	unmoved backoff BACKOFF "$began"
	wait_for "$PATIENCE" has_starts "$SD/backoff.stamps" 2
	at_least delay "$(between_starts "$SD/backoff.stamps")" "$LIMIT"
	wait_state backoff FATAL
}

@test "clock: STOPPING, until KILL" {
	local began

	stanza stopping <<-END
		program "stopping" { command = "$SD/bin/family stubborn $SD/stopping.ready" stop_timeout = "${LIMIT}ms" }
	END
	exits 0 sctl start stopping
	wait_for "$PATIENCE" file_has "$SD/stopping.ready" ready
	began=$(boot_ms)
	exits 0 sctl stop --no-wait stopping
	came_to stopping STOPPING
	unmoved stopping STOPPING "$began"
	wait_state stopping STOPPED
	took "$began"
	matches "$(record stopping last_exit)" KILL
}

@test "clock: EXITED" {
	stanza exited <<-END
		program "exited" { command = "$SD/bin/stamp $SD/exited.stamps exit 0" }
	END
	exits 0 sctl start --no-wait exited
	wait_state exited EXITED
	unmoved exited EXITED
	equals starts "$(record exited starts)" 1
}

@test "clock: FATAL, until the slow retry" {
	local began

	stanza fatal <<-END
		program "fatal" {
			command = "$SD/bin/stamp $SD/fatal.stamps exit 1"
			start_limit = 1
			on_failure = "retry:${LIMIT}ms"
		}
	END
	began=$(boot_ms)
	exits 0 sctl start --no-wait fatal
	wait_state fatal FATAL
	unmoved fatal FATAL "$began"
	wait_for "$PATIENCE" has_starts "$SD/fatal.stamps" 2
	at_least delay "$(between_starts "$SD/fatal.stamps")" "$LIMIT"
	exits 0 sctl stop fatal
}

@test "clock: STOPPED" {
	stanza stopped <<-END
		program "stopped" { command = "$SD/bin/stamp $SD/stopped.stamps run" }
	END
	unmoved stopped STOPPED
	equals starts "$(record stopped starts)" 0
}
