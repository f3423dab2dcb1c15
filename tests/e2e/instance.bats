# SPDX-License-Identifier: ISC
# One instance a run directory: starting twice, at once, after a crash, in the background, side by side, and the end.

# shellcheck disable=SC2030,SC2031 # a test is a subshell, and that is what it is for

load lib.bash

setup() {
	sd_new 'defaults { stable_after = "100ms" }'
	cat >"$SD/conf.d/web.conf" <<-END
		program "web" { command = "$SD/bin/stamp $SD/web.stamps run" }
	END
}

teardown() {
	sd_tell_failure
	sd_down_all
}

@test "instance: a second start says so and leaves the first alone" {
	local pid guardian

	sd_start
	wait_state web RUNNING
	pid=$(record web pid)
	guardian=$(version_field pid)
	status=0
	output=$(timeout 20 "$SUPERVISORD" -n -c "$SD/supervisord.conf" 2>&1 3>&-) || status=$?
	[ "$status" -ne 0 ]
	[ "$status" -ne 124 ]
	matches "$output" 'already running'
	equals "pid of web" "$(record web pid)" "$pid"
	equals "pid of the guardian" "$(version_field pid)" "$guardian"
	equals "stamps" "$(count_lines "$SD/web.stamps")" 1
	equals "processes" "$(count_procs stamp)" 1
}

# How many of the jobs are alive: count_alive PID…
count_alive() {
	local pid count=0

	for pid in "$@"; do
		[ ! -e "/proc/$pid" ] || [ "$(awk '/^State:/ { print $2 }' "/proc/$pid/status" 2>/dev/null)" = Z ] ||
			count=$((count + 1))
	done
	echo "$count"
}

one_is_left() {
	[ "$(count_alive "$@")" -eq 1 ]
}

@test "instance: of twenty starts at once exactly one survives" {
	local pids=() pid

	for _ in {1..20}; do
		"$SUPERVISORD" -n -c "$SD/supervisord.conf" </dev/null >>"$SD/own.out" 2>>"$SD/own.log" 3>&- 4>&- 5>&- &
		pids+=($!)
	done
	wait_for 60 one_is_left "${pids[@]}"
	wait_for "$PATIENCE" sd_serves
	pid=$(version_field pid)
	echo "$pid" >"$SD/guardian"
	[[ " ${pids[*]} " == *" $pid "* ]]
	wait_state web RUNNING
	one_is_left "${pids[@]}"
	equals "processes" "$(count_procs stamp)" 1
	equals "stamps" "$(count_lines "$SD/web.stamps")" 1
}

@test "instance: after SIGKILL of everything the stale socket is replaced" {
	local guardian pids

	sd_start
	wait_state web RUNNING
	guardian=$(guardian)
	pids=$(children_of "$guardian")
	# shellcheck disable=SC2086
	kill -KILL "$guardian" $pids
	wait "$SD_JOB" || true
	for pid in $pids; do
		wait_for "$PATIENCE" is_gone "$pid"
	done
	[ -S "$SD/run/control.sock" ]
	sd_start
	wait_state web RUNNING
	equals "stamps" "$(count_lines "$SD/web.stamps")" 2
}

@test "instance: after SIGKILL of the guardian alone the others end, and a new start is possible" {
	local engine program

	sd_start
	wait_state web RUNNING
	engine=$(role_pid engine)
	program=$(record web pid)
	kill -KILL "$(guardian)"
	wait "$SD_JOB" || true
	wait_for "$PATIENCE" ended "$engine"
	# Nobody is left to end the program; the logger writes for it until it ends.
	kill "$program"
	wait_for "$PATIENCE" no_procs stamp
	sd_start
	wait_state web RUNNING
	equals "processes" "$(count_procs stamp)" 1
}

@test "instance: -d returns when the engine serves" {
	local pid

	exits 0 timeout 30 "$SUPERVISORD" -d -c "$SD/supervisord.conf" 3>&- 4>&-
	exits 0 sctl version
	pid=$(version_field pid)
	echo "$pid" >"$SD/guardian"
	equals "parent's session" "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid"
	equals stdin "$(readlink "/proc/$pid/fd/0")" /dev/null
	wait_state web RUNNING
	# Its own messages are a log like any other.
	wait_for "$PATIENCE" own_log_is_served
	exits 0 sctl shutdown
	wait_for "$PATIENCE" is_gone "$pid"
	no_procs stamp
}

own_log_is_served() {
	sctl logs supervisord | grep 'web: '
}

@test "instance: two daemons side by side know nothing of each other" {
	local first=$SD pid

	sd_start
	wait_state web RUNNING
	pid=$(record web pid)
	sd_new 'defaults { stable_after = "100ms" }'
	cat >"$SD/conf.d/web.conf" <<-END
		program "web" { command = "$SD/bin/stamp $SD/web.stamps run" }
	END
	sd_start
	wait_state web RUNNING
	[ "$(record web pid)" != "$pid" ]
	exits 0 sctl stop web
	sd_down
	SD=$first
	equals state "$(record web state)" RUNNING
	equals pid "$(record web pid)" "$pid"
}

@test "instance: TERM and INT end everything, exit status 0" {
	local signal status guardian roles pid

	for signal in TERM INT; do
		cat >"$SD/conf.d/more.conf" <<-END
			program "stubborn" { command = "$SD/bin/family stubborn $SD/ready.$signal" stop_timeout = "300ms" }
		END
		sd_start
		wait_for "$PATIENCE" file_has "$SD/ready.$signal" ready
		guardian=$(guardian)
		roles=$(children_of "$guardian")
		kill "-$signal" "$guardian"
		status=0
		wait "$SD_JOB" || status=$?
		equals "exit status" "$status" 0
		for pid in $roles; do
			ended "$pid"
		done
		no_procs ""
		exits 4 sctl version
	done
}

@test "instance: shutdown_timeout bounds the shutdown" {
	local before status=0

	cat >"$SD/conf.d/settings.conf" <<-END
		shutdown_timeout = 500ms
		program "stubborn" { command = "$SD/bin/family stubborn $SD/ready" stop_timeout = "10min" }
	END
	sd_start
	wait_for "$PATIENCE" file_has "$SD/ready" ready
	before=$(now_ms)
	kill -TERM "$(guardian)"
	wait "$SD_JOB" || status=$?
	at_most milliseconds $(($(now_ms) - before)) 300000
	no_procs ""
}

@test "instance: a shutdown names whom it waits for, to superctl and in its log" {
	local pid status=0

	cat >"$SD/conf.d/more.conf" <<-END
		program "slow-db" { command = "$SD/bin/stamp $SD/slow.stamps run 6000" stop_timeout = "40s" }
		program "slow-app" { command = "$SD/bin/stamp $SD/slow.stamps run 4000" stop_timeout = "50s" requires = {"slow-db"} }
	END
	sd_start
	wait_state slow-app RUNNING
	pid=$(record slow-app pid)
	exits 0 sctl shutdown
	wait "$SD_JOB" || status=$?
	equals "exit status" "$status" 0
	matches "$output" "waiting for slow-app: still there: stamp \($pid\), KILL in 4[0-9] s"
	matches "$output" "waiting for slow-db: RUNNING: .*to be stopped after slow-app"
	file_has "$SD/own.log" "waiting for slow-app: still there: stamp ($pid), KILL in 4[0-9] s"
	file_has "$SD/own.log" "waiting for slow-db: .*to be stopped after slow-app"
	matches "$output" "waiting for slow-db: still there: stamp"
}

@test "instance: kill -9 of the engine in the middle of the shutdown does not stop it" {
	local status=0 engine

	cat >"$SD/conf.d/more.conf" <<-END
		shutdown_timeout = "1h"
		program "stubborn" { command = "$SD/bin/family stubborn $SD/ready" stop_timeout = "1h" }
	END
	sd_start
	wait_for "$PATIENCE" file_has "$SD/ready" ready
	engine=$(role_pid engine)
	kill -TERM "$(guardian)"
	wait_for "$PATIENCE" no_procs stamp
	kill -KILL "$engine"
	wait_for "$PATIENCE" has_new_role engine "$engine"
	# Only now does the last one end; one that forgot the shutdown would start it again.
	# shellcheck disable=SC2046 # each is a word
	kill -KILL $(pgrep -f "^$SD/bin/family")
	wait "$SD_JOB" || status=$?
	equals "exit status" "$status" 0
	no_procs ""
}

@test "instance: tells the service manager when it serves and when it stops" {
	"$PYTHON" -ISc '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], "w", buffering=1) as out:
    while True:
        out.write(s.recv(4096).decode() + "\n")
' "$SD/notify" "$SD/notified" 3>&- &
	local listener=$!

	wait_for "$PATIENCE" test -S "$SD/notify"
	sd_start env NOTIFY_SOCKET="$SD/notify"
	wait_for "$PATIENCE" file_has "$SD/notified" '^READY=1'
	wait_state web RUNNING
	exits 0 sctl shutdown
	wait "$SD_JOB"
	wait_for "$PATIENCE" file_has "$SD/notified" '^STOPPING=1'
	kill "$listener"
}

@test "instance: -V, -h and unknown options" {
	exits 0 "$SUPERVISORD" -V
	matches "$output" 'supervisord [0-9]'
	exits 0 "$SUPERVISORD" -h
	matches "$output" '[Uu]sage'
	exits any "$SUPERVISORD" --no-such-option
	exits 2 "$SUPERVISORD" --no-such-option
	exits 2 "$SUPERVISORD" unexpected
}
