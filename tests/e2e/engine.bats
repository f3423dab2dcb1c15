# SPDX-License-Identifier: ISC
# The engine may die at any instruction; see also core.bats.  The guardian counts its crashes, so each test has a
# daemon of its own.
#
# tests/run: long

# shellcheck disable=SC2030,SC2031 # a test is a subshell, and that is what it is for

load lib.bash

setup() {
	sd_new 'defaults { stable_after = "100ms" restart_delay = "50ms" }'
}

teardown() {
	sd_tell_failure
	sd_down_all
}

# SIGKILL the engine and wait until the next one serves.
replace_engine() {
	local engine

	engine=$(role_pid engine)
	kill_role engine
	wait_for 30 has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
}

@test "engine: kill -9 under crash loops, twenty times: each run counted once, no two at a time" {
	local daemons=() engines=() number runs

	for number in 1 2 3 4 5; do
		[ "$number" -eq 1 ] || sd_new 'defaults { stable_after = "100ms" restart_delay = "50ms" }'
		cat >"$SD/conf.d/loops.conf" <<-END
			defaults { start_limit = 0 }
			program "loop" { command = "$SD/bin/looper $SD/loop.runs" restart_delay = "10ms" restart_factor = 1 }
			program "quick" { command = "$SD/bin/looper $SD/quick.runs" restart_delay = "1ms" restart_factor = 1 }
			program "steady" { command = "$SD/bin/stamp $SD/steady.stamps run" }
		END
		sed -i '/^defaults/d' "$SD/supervisord.conf"
		sd_start
		daemons+=("$SD")
	done
	# Four rounds over five daemons: a fifth crash within a minute would mean safe mode.
	for _ in 1 2 3 4; do
		engines=()
		for SD in "${daemons[@]}"; do
			wait_for 30 sd_serves
			wait_for "$PATIENCE" has_lines "$SD/loop.runs" $(($(count_lines "$SD/loop.runs") + 5 + RANDOM % 10))
			engines+=("$(role_pid engine)")
			kill -KILL "${engines[-1]}"
		done
		for number in 0 1 2 3 4; do
			SD=${daemons[number]}
			wait_for 30 has_new_role engine "${engines[number]}"
		done
	done
	for SD in "${daemons[@]}"; do
		wait_for 30 sd_serves
		equals safe_mode "$(version_field safe_mode)" false
		equals "engine starts" "$(version_field engine_starts)" 5
		for number in loop quick; do
			wait_for "$PATIENCE" has_lines "$SD/$number.runs" $(($(count_lines "$SD/$number.runs") + 3))
			exits 0 sctl stop "$number"
			runs=$(count_lines "$SD/$number.runs")
			# The stop may have ended the last run before it could write.
			[ "$(record "$number" last_exit.signal)" = TERM ] &&
				[ "$(record "$number" starts)" -eq $((runs + 1)) ] ||
				equals "starts of $number" "$(record "$number" starts)" "$runs"
			equals "overlapping runs of $number" "$(grep -c overlap "$SD/$number.runs")" 0
			equals "different runs of $number" "$(cut -d' ' -f1 "$SD/$number.runs" | sort -u | wc -l)" "$runs"
		done
		equals "starts of steady" "$(record steady starts)" 1
		equals "stamps of steady" "$(count_lines "$SD/steady.stamps")" 1
	done
}

@test "engine: five crashes in a minute mean safe mode; superctl apply leaves it" {
	local pid

	cat >"$SD/conf.d/programs.conf" <<-END
		program "steady" { command = "$SD/bin/stamp $SD/steady.stamps run" }
		program "mortal" { command = "$SD/bin/stamp $SD/mortal.stamps run" }
		program "idle" { command = "$SD/bin/stamp $SD/idle.stamps run" autostart = false }
	END
	sd_start
	wait_state steady RUNNING
	wait_state mortal RUNNING
	pid=$(record steady pid)
	for _ in 1 2 3 4 5; do
		equals safe_mode "$(version_field safe_mode)" false
		replace_engine
	done
	equals safe_mode "$(version_field safe_mode)" true
	matches "$(sctl events --json -n all)" '"kind":"safe-mode"[^}]*"text":"safe mode: the engine crashed'
	equals "pid of steady" "$(record steady pid)" "$pid"

	# It starts nothing, but stops what is to be stopped, and sees who ends.
	exits 1 sctl start idle
	matches "$output" '[Ss]afe.?mode|safe mode'
	kill_program mortal
	wait_for "$PATIENCE" has mortal pid ""
	equals "starts of mortal" "$(record mortal starts)" 1
	exits 0 sctl stop steady
	equals "state of steady" "$(record steady state)" STOPPED

	exits any sctl apply
	equals safe_mode "$(version_field safe_mode)" false
	wait_for "$PATIENCE" has mortal starts 2
	wait_state mortal RUNNING
	exits 0 sctl start idle
	equals "state of steady" "$(record steady state)" STOPPED
}

# What is to last until the engine is killed lasts so many milliseconds.  A busy machine may be too late for that: then again, longer.
readonly TIMES="1500 6000 30000"

# Replace the engine once NAME has come to STATE: dies_while NAME STATE.  False: too late, NAME was in another one by then.
dies_while() {
	wait_for "$PATIENCE" file_has "$SD/own.log" "engine: $1: [A-Z]* -> $2" || return 1
	replace_engine || return 1
	equals "last state before the kill" "$(awk -v name="$1:" '
		/guardian: error: engine was killed/ { died = state }
		$3 == name && $5 == "->" { state = $6; sub(":", "", state) }
		END { print died }' "$SD/own.log")" "$2"
}

@test "engine: a stop goes on when the engine dies in the middle of it" {
	local ms name client before

	sd_start
	for ms in $TIMES; do
		name=stubborn$ms
		stanza stubborn <<-END
			program "$name" { command = "$SD/bin/family stubborn $SD/$name.ready" stop_timeout = "${ms}ms" }
		END
		wait_for "$PATIENCE" file_has "$SD/$name.ready" ready
		wait_state "$name" RUNNING
		before=$(now_ms)
		sctl stop "$name" >"$SD/stop.out" 2>&1 3>&- &
		client=$!
		! dies_while "$name" STOPPING || break
	done
	# It is told that the connection is lost.
	status=0
	wait "$client" || status=$?
	equals "exit status of the waiting superctl" "$status" 1
	matches "$(cat "$SD/stop.out")" 'lost'
	wait_state "$name" STOPPED
	at_least "milliseconds of the stop" $(($(now_ms) - before)) "$ms"
	no_procs family
}

@test "engine: a restart goes on when the engine dies in the middle of it" {
	local ms name

	sd_start
	for ms in $TIMES; do
		name=slow$ms
		stanza slow <<-END
			program "$name" { command = "$SD/bin/stamp $SD/$name.stamps run $ms" stop_timeout = "60s" }
		END
		wait_state "$name" RUNNING
		exits 0 sctl restart --no-wait "$name"
		! dies_while "$name" STOPPING || break
	done
	wait_for "$PATIENCE" has "$name" starts 2
	wait_state "$name" RUNNING
	equals stamps "$(cut -d' ' -f1 "$SD/$name.stamps" | tr '\n' ' ')" "start stop start "
}

@test "engine: a back-off goes on where it was" {
	local ms name gaps

	sd_start
	for ms in $TIMES; do
		name=slow$ms
		stanza slow <<-END
			program "$name" { command = "$SD/bin/stamp $SD/$name.stamps exit 1" restart_delay = "${ms}ms" start_limit = 2 }
		END
		! dies_while "$name" BACKOFF || break
	done
	wait_state "$name" FATAL
	equals starts "$(record "$name" starts)" 2
	mapfile -t gaps < <(start_gaps "$SD/$name.stamps")
	equals "number of delays" "${#gaps[@]}" 1
	at_least delay "${gaps[0]}" "$ms"
}

@test "engine: what is STARTING becomes RUNNING under the next one" {
	local ms name

	sd_start
	for ms in $TIMES; do
		name=slow$ms
		stanza slow <<-END
			program "$name" { command = "$SD/bin/stamp $SD/$name.stamps run" stable_after = "${ms}ms" }
		END
		! dies_while "$name" STARTING || break
	done
	wait_state "$name" RUNNING
	equals starts "$(record "$name" starts)" 1
}

@test "engine: states, counters and last exits are remembered" {
	local before

	cat >"$SD/conf.d/states.conf" <<-END
		program "fatal" { command = "$SD/bin/stamp $SD/f exit 3" start_limit = 2 }
		program "exited" { command = "$SD/bin/stamp $SD/e exit 0" }
		program "stopped" { command = "$SD/bin/stamp $SD/s run" }
		program "idle" { command = "$SD/bin/stamp $SD/i run" autostart = false }
		program "noexec" { command = "/nonexistent/binary" start_limit = 1 }
	END
	sd_start
	wait_state fatal FATAL
	wait_state exited EXITED
	wait_state noexec FATAL
	wait_state stopped RUNNING
	exits 0 sctl stop stopped
	before=$(remembered)
	replace_engine
	equals records "$(remembered)" "$before"
	matches "$before" 'No such file or directory'
}

# What must not change with the engine, a program a line.
remembered() {
	sctl status --json | "$PYTHON" -ISc '
import json, sys
for record in json.load(sys.stdin):
    print(*(json.dumps(record[key]) for key in ("name", "state", "wanted", "starts", "last_exit", "reason", "since")))'
}

@test "engine and logger: both killed at once" {
	local pid engine logger

	cat >"$SD/conf.d/writer.conf" <<-END
		program "writer" { command = "$SD/bin/numbers 20000 50 100" log_max_size = "100KB" log_keep = 100 }
	END
	sd_start
	wait_state writer RUNNING
	pid=$(record writer pid)
	engine=$(role_pid engine)
	logger=$(role_pid logger)
	kill -KILL "$engine" "$logger"
	wait_for "$PATIENCE" has_new_role engine "$engine"
	wait_for "$PATIENCE" has_new_role logger "$logger"
	wait_for "$PATIENCE" sd_serves
	equals pid "$(record writer pid)" "$pid"
	wait_for 60 log_has writer ' 20000 x'
	log_text writer | assert_numbers 20000
	exits 0 sctl logs writer -n 1
	matches "$output" ' 20000 x'
}

# The words behind the name that a program was started with.
words_of() {
	tr '\0' ' ' <"/proc/$(host_pid "$(record "$1" pid)")/cmdline" | cut -d' ' -f3-
}

# apply_round NUMBER: sixty programs; the even ones get new words, every tenth one is gone and another one is new.
apply_round() {
	local number

	for number in {1..60}; do
		[ $((number % 10)) -ne $(($1 % 10)) ] || continue
		echo "program \"p$number\" { command = \"$SD/bin/stamp $SD/p.stamps run $((number % 2 == 0 ? $1 : 0))\" }"
	done
}

applied() {
	local number

	[ "$(sctl status --json | "$PYTHON" -ISc 'import json, sys; print(sum(r["state"] == "RUNNING" for r in json.load(sys.stdin)))')" = 54 ] || return 1
	for number in 2 3 28 39 54; do
		[ $((number % 10)) -eq $(($1 % 10)) ] || [ "$(words_of "p$number")" = "run $((number % 2 == 0 ? $1 : 0)) " ] || return 1
	done
}

@test "engine: kill -9 in the middle of an apply: the next one does the rest, unasked" {
	local round same

	sd_new 'defaults { stable_after = "50ms" }'
	apply_round 1 | stanza_file many
	sd_start
	wait_for "$PATIENCE" applied 1
	# Four rounds: a fifth crash within a minute would mean safe mode.
	for round in 2 3 4 5; do
		same=$(record p57 pid)
		apply_round "$round" >"$SD/conf.d/many.conf"
		# As soon as it has said what it is going to do.
		"$PYTHON" -ISc '
import os, signal, subprocess, sys
with open(sys.argv[1], "rb") as log:
    log.seek(0, os.SEEK_END)
    apply = subprocess.Popen(sys.argv[3:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while b"apply: " not in log.read():
        pass
os.kill(int(sys.argv[2]), signal.SIGKILL)
apply.wait()' "$SD/own.log" "$(role_pid engine)" "$SUPERCTL" -s "$SD/run/control.sock" apply
		wait_for "$PATIENCE" sd_serves
		wait_for "$PATIENCE" applied "$round"
		equals "pid of one that nobody touched" "$(record p57 pid)" "$same"
		equals "stamps without end" "$(count_procs stamp)" 54
	done
	sd_down
}
