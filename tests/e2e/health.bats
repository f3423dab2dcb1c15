# SPDX-License-Identifier: ISC
# The section health of a program while it is RUNNING, and max_runtime.  The watchdog is in notify.bats.

load lib.bash

# An engine that is killed too often is started after a delay: tests that do it have a daemon of their own.
daemon() {
	sd_new 'defaults { stable_after = "20ms" restart_delay = "20ms" stop_timeout = "5s" }'
	cp "$OUT/tests/programs/late" "$SD/bin/"
	# check NAME: its N-th call ends with the N-th status in NAME.plan, and waits for that to be written.
	cat >"$SD/bin/check" <<-'END'
		#!/bin/sh
		number=$(($(wc -l <"$1.checks") + 1))
		while :; do
			status=$(sed -n "${number}p" "$1.plan")
			[ -z "$status" ] || break
			sleep 0.02
		done
		echo "$status" >>"$1.checks"
		exit "$status"
	END
	chmod +x "$SD/bin/check"
	sd_start
}

setup_file() {
	daemon
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# checked NAME [KEY = VALUE…]: the stanza of a program whose checks follow its plan; more keys of health.
checked() {
	: >"$SD/$1.plan"
	: >"$SD/$1.checks"
	stanza "$1" <<-END
		program "$1" {
			command = "$SD/bin/stamp $SD/$1.stamps run"
			health {
				check = "exec:$SD/bin/check $SD/$1"
				interval = "50ms"
				timeout = "1h"
				${*:2}
			}
		}
	END
	wait_state "$1" RUNNING
}

# plan NAME STATUS…: that is what the next checks say; returns when the last of them has said it.
plan() {
	local name=$1

	shift
	printf '%s\n' "$@" >>"$SD/$name.plan"
	wait_for "$PATIENCE" has_lines "$SD/$name.checks" "$(count_lines "$SD/$name.plan")"
}

# What supervisord says of it, in a word each.
said() {
	sed -nE "s/^.* engine: $1: (health check failed|healthy|unhealthy).*/\1/p" "$SD/own.log" |
		sed 's/health check //' | tr '\n' ' '
}

has_said() {
	[ "$(said "$1")" = "$2" ]
}

# Of checks that are over the last verdict may still be on its way.
assert_said() {
	wait_for "$PATIENCE" has_said "$1" "$2" || {
		equals "what was said of $1" "$(said "$1")" "$2"
	}
}

@test "health: flapping below the thresholds is no verdict, reaching them is one" {
	local pid

	checked flap 'failures = 3' 'successes = 2' 'on_failure = "none"'
	pid=$(record flap pid)
	equals health "$(record flap health)" ""
	plan flap 0
	plan flap 1 0 1 1 0
	assert_said flap "failed failed failed "
	equals health "$(record flap health)" ""
	plan flap 0
	assert_said flap "failed failed failed healthy "
	equals health "$(record flap health)" good
	plan flap 1 1 0 1 1
	assert_said flap "failed failed failed healthy failed failed failed failed "
	equals health "$(record flap health)" good
	plan flap 1
	assert_said flap "failed failed failed healthy failed failed failed failed failed unhealthy "
	equals health "$(record flap health)" bad
	plan flap 1 1 0 1 0
	equals health "$(record flap health)" bad
	plan flap 0
	wait_for "$PATIENCE" has flap health good
	equals pid "$(record flap pid)" "$pid"
	equals state "$(record flap state)" RUNNING
}

@test "health: on_failure = restart ends the run as a failed one, and the next one begins anew" {
	local pid

	checked heal 'failures = 2'
	pid=$(record heal pid)
	plan heal 0
	wait_for "$PATIENCE" has heal health good
	plan heal 1
	equals pid "$(record heal pid)" "$pid"
	plan heal 1
	wait_for "$PATIENCE" runs_anew heal "$pid"
	wait_state heal RUNNING
	file_has "$SD/own.log" "heal: .*its health check failed 2 times in a row"
	equals starts "$(record heal starts)" 2
	equals health "$(record heal health)" ""
	# One failure of the last run and one of this one are not two in a row.
	plan heal 1 0
	wait_for "$PATIENCE" has heal health good
	equals starts "$(record heal starts)" 2
}

@test "health: a program that never gets healthy is given up like any that fails" {
	stanza sick <<-END
		program "sick" {
			command = "$SD/bin/late - line up"
			start_limit = 3
			health { check = "file:$SD/sick.file" interval = "50ms" failures = 2 }
		}
	END
	wait_state sick FATAL
	equals starts "$(record sick starts)" 3
	matches "$(record sick reason)" "health check failed 2 times in a row"
}

@test "health: on_failure = signal sends it once a turn" {
	: >"$SD/nudge.plan"
	: >"$SD/nudge.checks"
	stanza nudge <<-END
		program "nudge" {
			shell = true
			command = 'trap "echo usr1 >>$SD/nudge.signals" USR1; while :; do sleep 0.02; done'
			health {
				check = "exec:$SD/bin/check $SD/nudge"
				interval = "50ms"
				timeout = "1h"
				failures = 2
				on_failure = "signal:USR1"
			}
		}
	END
	wait_state nudge RUNNING
	plan nudge 1
	plan nudge 1 1 1 1
	wait_for "$PATIENCE" has_lines "$SD/nudge.signals" 1
	plan nudge 0
	wait_for "$PATIENCE" has nudge health good
	equals signals "$(count_lines "$SD/nudge.signals")" 1
	plan nudge 1 1 1
	wait_for "$PATIENCE" has_lines "$SD/nudge.signals" 2
	plan nudge 0
	wait_for "$PATIENCE" has nudge health good
	equals signals "$(count_lines "$SD/nudge.signals")" 2
	equals starts "$(record nudge starts)" 1
	file_has "$SD/own.log" "nudge: unhealthy: USR1 to its main process"
}

free_port() {
	"$PYTHON" -ISc 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# form NAME CHECK ACTION…
form() {
	cat <<-END
		program "$1" {
			command = "$SD/bin/late $SD/$1.go ${*:3}"
			health { check = "$2" interval = "50ms" failures = 1 on_failure = "none" }
		}
	END
}

@test "health: each form is bad before its condition is there, and good after it" {
	local tcp http name

	tcp=$(free_port)
	http=$(free_port)
	{
		form form-tcp "tcp:127.0.0.1:$tcp" tcp "$tcp"
		form form-http "http://localhost:$http/" http "$http"
		form form-unix "unix:$SD/form-unix.sock" unix "$SD/form-unix.sock"
		form form-file "file:$SD/form-file.file" file "$SD/form-file.file"
		form form-exec "exec:/usr/bin/test -e $SD/form-exec.go" line here
	} | stanza form
	for name in form-tcp form-http form-unix form-file form-exec; do
		wait_for "$PATIENCE" has "$name" health bad
		touch "$SD/$name.go"
		wait_for "$PATIENCE" has "$name" health good
		equals starts "$(record "$name" starts)" 1
	done
	file_has "$SD/own.log" "form-http: health check failed (1 of 1): HTTP status 503"
	exits 0 sctl stop 'form-*'
}

some_procs() {
	[ "$(count_procs "$1")" -gt 0 ]
}

# A program with a check that hangs and has a child: hanging NAME [KEY = VALUE…]
hanging() {
	cat >"$SD/bin/hanging" <<-END
		#!/bin/sh
		"$SD/bin/late" "$SD/never" line "\$1-child" &
		exec "$SD/bin/late" "$SD/never" line "\$1"
	END
	chmod +x "$SD/bin/hanging"
	stanza "$1" <<-END
		program "$1" {
			command = "$SD/bin/stamp $SD/$1.stamps run"
			health { check = "exec:$SD/bin/hanging hung-$1" interval = "50ms" ${*:2} }
		}
	END
}

@test "health: a check that hangs is killed at its timeout, and has failed" {
	hanging slow 'timeout = "200ms"' 'failures = 2' 'on_failure = "none"'
	wait_for "$PATIENCE" has slow health bad
	file_has "$SD/own.log" "slow: health check failed (1 of 2): $SD/bin/hanging did not end within 200ms"
	# Of several checks at most the last one is there.
	at_most processes "$(count_procs "late $SD/never line hung-slow")" 2
	exits 0 sctl stop slow
	no_procs "late $SD/never line hung-slow"
}

@test "health: a check never outlives its run" {
	hanging brief 'timeout = "1h"'
	wait_for "$PATIENCE" some_procs "late $SD/never line hung-brief"
	exits 0 sctl stop brief
	no_procs "late $SD/never line hung-brief"
	exits 0 sctl start brief
	wait_for "$PATIENCE" some_procs "late $SD/never line hung-brief"
	# By itself, and for good.
	kill_program brief TERM
	wait_state brief EXITED
	wait_for "$PATIENCE" no_procs "late $SD/never line hung-brief"
}

new_engine() {
	local engine

	engine=$(role_pid engine)
	kill_role engine
	wait_for "$PATIENCE" has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
}

@test "health: a new engine knows the verdict and goes on checking" {
	local pid

	daemon
	stanza heir <<-END
		program "heir" {
			command = "$SD/bin/late $SD/heir.go unix $SD/heir.sock"
			health { check = "unix:$SD/heir.sock" interval = "50ms" failures = 2 on_failure = "none" }
		}
	END
	wait_for "$PATIENCE" has heir health bad
	pid=$(record heir pid)
	new_engine
	equals health "$(record heir health)" bad
	touch "$SD/heir.go"
	wait_for "$PATIENCE" has heir health good
	new_engine
	equals health "$(record heir health)" good
	rm "$SD/heir.sock"
	wait_for "$PATIENCE" has heir health bad
	equals pid "$(record heir pid)" "$pid"
	sd_down
}

@test "health: a check that runs when the engine dies is not left behind" {
	daemon
	hanging widow 'timeout = "1h"'
	wait_for "$PATIENCE" some_procs "late $SD/never line hung-widow"
	new_engine
	exits 0 sctl stop widow
	no_procs "late $SD/never line hung-widow"
	sd_down
}

@test "health: apply changes it without a restart" {
	local pid

	stanza live <<-END
		program "live" {
			command = "$SD/bin/stamp $SD/live.stamps run"
			health { check = "file:$SD/live.file" interval = "1h" failures = 5 on_failure = "none" }
		}
	END
	wait_state live RUNNING
	pid=$(record live pid)
	stanza live <<-END
		program "live" {
			command = "$SD/bin/stamp $SD/live.stamps run"
			health { check = "file:$SD/live.file" interval = "50ms" failures = 2 on_failure = "none" }
		}
	END
	wait_for "$PATIENCE" has live health bad
	stanza live <<-END
		program "live" {
			command = "$SD/bin/stamp $SD/live.stamps run"
		}
	END
	wait_for "$PATIENCE" has live health ""
	equals pid "$(record live pid)" "$pid"
}

# ---- max_runtime --------------------------------------------------------------------------------

@test "max_runtime: a run that takes longer is stopped, as a failed one" {
	stanza long <<-END
		program "long" {
			command = "$SD/bin/stamp $SD/long.stamps run"
			max_runtime = "300ms"
			start_limit = 2
		}
		program "long-once" {
			type = "oneshot"
			command = "$SD/bin/stamp $SD/long-once.stamps run"
			max_runtime = "300ms"
			restart = "never"
		}
		program "short-once" {
			type = "oneshot"
			command = "$SD/bin/stamp $SD/short-once.stamps exit 0"
			remain = true
			max_runtime = "300ms"
		}
	END
	wait_state long FATAL
	equals starts "$(record long starts)" 2
	matches "$(record long reason)" "longer than max_runtime"
	# By TERM.  A run that had not come to its first line by then wrote none.
	matches "stamps: $(cut -d' ' -f1 "$SD/long.stamps" 2>/dev/null | tr '\n' ' ')" '^stamps: (start stop )*$'
	wait_for "$PATIENCE" file_has "$SD/own.log" "long-once: .*longer than max_runtime"
	# What has ended in time is left alone.
	wait_state short-once RUNNING
	run ! file_has "$SD/own.log" "short-once: RUNNING -> "
}

@test "max_runtime: a new engine counts from the launch" {
	local begin launched

	daemon
	launched=$("$PYTHON" -ISc 'import time; print(time.clock_gettime_ns(time.CLOCK_BOOTTIME))')
	stanza counted <<-END
		program "counted" {
			command = "$SD/bin/stamp $SD/counted.stamps run"
			max_runtime = "1500ms"
			restart = "never"
		}
		program "longer" { command = "/bin/sleep 1000" max_runtime = "1h" }
	END
	wait_for "$PATIENCE" file_has "$SD/own.log" "counted: STARTING -> RUNNING"
	wait_state longer RUNNING
	begin=$(now_ms)
	new_engine
	goes_on longer 3600000 "$begin"
	wait_for "$PATIENCE" has_lines "$SD/counted.stamps" 2
	at_least "milliseconds since before the launch" \
		"$((($(awk '$1 == "stop" { print $5 }' "$SD/counted.stamps") - launched) / 1000000))" 1500
	sd_down
}
