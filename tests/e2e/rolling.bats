# SPDX-License-Identifier: ISC
# Rolling updates: instances are replaced one after the other, the first failure spares the rest, and an engine that is
# killed in the middle is followed by one that goes on.

load lib.bash

setup() {
	sd_new 'defaults { stable_after = "10ms" stop_timeout = "5s" restart_delay = "20ms" start_limit = 1 }'
	cat >"$SD/web.sh" <<-END
		echo "start \$1 \$2" >>$SD/events
		trap "echo end \$1 >>$SD/events; exit 0" TERM
		[ ! -e "$SD/bad.\$1" ] && [ ! -e "$SD/bad.\$1.\$2" ] || {
			echo "end \$1" >>$SD/events
			exit 1
		}
		touch "$SD/up.\$1"
		while :; do sleep 0.05; done
	END
}

teardown() {
	sd_tell_failure
	sd_down
}

# web: ready when $SD/ready is there; each start and end is a line "start NAME GENERATION" in $SD/events.
# web_stanza GENERATION INSTANCES LINE...
web_stanza() {
	local generation=$1 count=$2

	shift 2
	stanza_file web <<-END
		program "web" {
			command = "/bin/sh $SD/web.sh %{name} $generation"
			instances = $count
			ready = "exec:/usr/bin/test -e $SD/up.%{name} -a -e $SD/go"
			ready_interval = "10ms"
			pre_start = "/bin/rm -f $SD/up.%{name}"
			$(printf '%s\n' "$@")
		}
	END
}

# The most instances that were away, and that were there, at a time, as they say themselves: "AWAY THERE".
extremes() {
	awk -v total="$1" '
		$1 == "start" { now++ }
		$1 == "end" { now-- }
		now >= total { full = 1 }
		full && total - now > away { away = total - now }
		now > there { there = now }
		END { print away + 0, there + 0 }' "$SD/events"
}

pids() {
	sctl status --json | "$PYTHON" -ISc '
import json, sys
for record in json.load(sys.stdin):
    print(record["name"], record["pid"])'
}

names() {
	sctl status | awk 'NR > 1 { print $1 }' | tr '\n' ' '
}

has_names() {
	[ "$(names)" = "$1" ]
}

generation() {
	grep "^start $1 " "$SD/events" | tail -n 1 | cut -d' ' -f3
}

is_waiting_for_its_turn() {
	[[ $(record "$1" reason) == *"in its turn"* ]]
}

@test "rolling: apply replaces one after the other, each when the one before is ready" {
	web_stanza 1 3 'update = "rolling"'
	touch "$SD/go"
	sd_start
	for number in 1 2 3; do
		wait_state "web@$number" RUNNING
	done
	web_stanza 2 3 'update = "rolling"'
	run -0 sctl apply
	matches "$output" 'web@3: restart: command changed, in its turn'
	matches "$output" 'web@3: replaced'
	for number in 1 2 3; do
		equals "web@$number" "$(generation "web@$number")" 2
	done
	equals "away and there at most" "$(extremes 3)" "1 3"
	run -0 sctl apply
	[[ $output != *restart* ]]
}

@test "rolling: restart --rolling replaces all, with max_unavailable away and what requires it left alone" {
	web_stanza 1 4 'max_unavailable = 2'
	stanza_file user <<-END
		program "user" { command = "/bin/sleep 1000" requires = {"web"} }
	END
	touch "$SD/go"
	sd_start
	wait_state user RUNNING
	local before user
	before=$(pids | grep web) user=$(record user pid)
	exits 0 sctl restart --rolling web
	[ "$(comm -12 <(echo "$before" | sort) <(pids | grep web | sort) | wc -l)" -eq 0 ]
	equals "who requires it" "$(record user pid)" "$user"
	# A program with one instance is just restarted.
	exits 0 sctl restart --rolling user
	runs_anew user "$user"
	at_most "those away" "$(extremes 4 | cut -d' ' -f1)" 2
}

@test "rolling: the first that fails spares the rest, also from a new engine; the next apply goes on" {
	web_stanza 1 3 'update = "rolling"'
	touch "$SD/go"
	sd_start
	for number in 1 2 3; do
		wait_state "web@$number" RUNNING
	done
	local second third
	second=$(record web@2 pid) third=$(record web@3 pid)
	web_stanza 2 3 'update = "rolling"'
	touch "$SD/bad.web@1"
	exits 1 sctl apply
	matches "$output" 'web@2: not replaced: the rolling update was given up'
	matches "$(record web@3 reason)" 'not replaced'
	grep -q 'web: the rolling update is given up, 2 instances are left as they are: web@1:' "$SD/own.log"
	wait_state web@1 FATAL
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	exits any sctl start web@2
	equals "the second" "$(record web@2 pid)" "$second"
	equals "the third" "$(record web@3 pid)" "$third"

	# Nothing has changed: the one that failed is in the way, and that is said.
	exits 1 sctl apply
	equals "the third" "$(record web@3 pid)" "$third"

	# Back to what the others run: they have nothing to be replaced for.
	rm "$SD/bad.web@1"
	web_stanza 1 3 'update = "rolling"'
	exits 0 sctl apply
	equals "the first" "$(generation web@1)" 1
	equals "the third" "$(record web@3 pid)" "$third"
	[[ $(record web@3 reason) != *"not replaced"* ]]

	web_stanza 3 3 'update = "rolling"'
	exits 0 sctl apply
	for number in 1 2 3; do
		equals "web@$number" "$(generation "web@$number")" 3
	done
}

is_old() {
	is_state "$1" RUNNING && [ "$(generation "$1")" = 1 ] && [[ $(record "$1" reason) != *turn* ]]
}

# Four instances, of which the third will fail in generation 2: begin_bad_update UPDATE [LINE...].
begin_bad_update() {
	local update=$1

	shift
	web_stanza 1 4 "update = \"$update\"" "$@"
	touch "$SD/go" "$SD/bad.web@3.2"
	sd_start
	for number in 1 2 3 4; do
		wait_state "web@$number" RUNNING
	done
	FOURTH=$(record web@4 pid)
	web_stanza 2 4 "update = \"$update\"" "$@"
}

@test "rolling: with --rollback those that were replaced go back, one after the other, and the text, too" {
	begin_bad_update rolling
	exits 1 sctl apply --rollback
	matches "$output" 'rolled back: web@3: '
	for number in 1 2 3 4; do
		wait_for "$PATIENCE" is_old "web@$number"
	done
	equals "who had not had its turn" "$(record web@4 pid)" "$FOURTH"
	equals "away and there at most" "$(extremes 4)" "1 4"
	exits 2 sctl plan
	[[ $(record web@4 reason) != *"not replaced"* ]]
	# The next one goes through.
	rm "$SD/bad.web@3.2"
	exits 0 sctl apply --rollback
	for number in 1 2 3 4; do
		equals "web@$number" "$(generation "web@$number")" 2
	done
}

@test "start-first: with --rollback they go back, too, and the extra one goes away" {
	begin_bad_update start-first
	exits 1 sctl apply --rollback
	matches "$output" 'rolled back: web@3: '
	for number in 1 2 3 4; do
		wait_for "$PATIENCE" is_old "web@$number"
	done
	wait_for "$PATIENCE" has_names "web@1 web@2 web@3 web@4 "
	equals "who had not had its turn" "$(record web@4 pid)" "$FOURTH"
	exits 2 sctl plan
}

@test "rolling: an engine killed on the way back is followed by one that goes back, too" {
	begin_bad_update rolling 'soak = "50ms"'
	# It is stopped in the middle, as nobody becomes ready, and so is the way back.
	sctl apply --rollback >"$SD/apply.out" 2>&1 3>&- &
	APPLY=$!
	wait_for "$PATIENCE" has_started web@3 2
	rm "$SD/go"
	wait_for "$PATIENCE" has_started web@3 1 2
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	touch "$SD/go"
	wait "$APPLY" && false
	for number in 1 2 3 4; do
		wait_for "$PATIENCE" is_old "web@$number"
	done
	equals "who had not had its turn" "$(record web@4 pid)" "$FOURTH"
	exits 2 sctl plan
}

# NAME GENERATION [TIMES]
has_started() {
	[ "$(grep -c "^start $1 $2\$" "$SD/events")" -ge "${3:-1}" ]
}

@test "rolling: an engine killed at any moment is followed by one that goes on" {
	web_stanza 1 3 'update = "rolling"' 'soak = "50ms"'
	touch "$SD/go"
	sd_start
	for number in 1 2 3; do
		wait_state "web@$number" RUNNING
	done
	rm "$SD/go"
	web_stanza 2 3 'update = "rolling"' 'soak = "50ms"'
	exits any sctl apply --no-wait
	wait_for "$PATIENCE" is_waiting_for_its_turn web@2
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	equals "the second" "$(generation web@2)" 1
	touch "$SD/go"
	for number in 1 2 3; do
		wait_for "$PATIENCE" settled "web@$number"
		equals "web@$number" "$(generation "web@$number")" 2
	done
	equals "away and there at most" "$(extremes 3)" "1 3"
}

settled() {
	[ "$(generation "$1")" = 2 ] && is_state "$1" RUNNING && [[ $(record "$1" reason) != *turn* ]]
}

@test "start-first: an extra instance is there before any other goes, and goes at the end" {
	web_stanza 1 2 'update = "start-first"' 'log_filter = "exec:/bin/cat"'
	touch "$SD/go"
	sd_start
	wait_state web@1 RUNNING
	wait_state web@2 RUNNING
	has_names "web@1 web@2 web+filter@1 web+filter@2 " || names
	rm "$SD/go"
	web_stanza 2 2 'update = "start-first"' 'log_filter = "exec:/bin/cat"'
	exits any sctl apply --no-wait
	wait_state web@3 STARTING
	equals "the first" "$(generation web@1)" 1
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	wait_state web@3 STARTING
	equals "the first" "$(generation web@1)" 1
	touch "$SD/go"
	wait_for "$PATIENCE" is_unknown web@3
	wait_for "$PATIENCE" is_unknown web+filter@3
	for number in 1 2; do
		equals "web@$number" "$(generation "web@$number")" 2
	done
	equals "away and there at most" "$(extremes 2)" "0 3"
}

is_unknown() {
	exits 4 sctl status "$1" 2>/dev/null
}

@test "one that is being removed is not meant by the name of its program" {
	web_stanza 1 3 "pre_stop = {\"/bin/sh\", \"-c\", \"while [ -e $SD/hold.%{name} ]; do sleep 0.05; done\"}"
	touch "$SD/go" "$SD/hold.web@3"
	sd_start
	wait_state web@3 RUNNING
	wait_state web@1 RUNNING
	sctl scale web=2 --no-wait
	wait_state web@3 STOPPING
	exits 0 sctl restart web
	exits 0 sctl start web
	# By its own name it is, and cannot be had.
	exits 1 sctl restart web@3
	rm "$SD/hold.web@3"
	wait_for "$PATIENCE" is_unknown web@3
}

@test "start-first: an extra instance that fails costs nothing; one instance is enough" {
	web_stanza 1 1 'update = "start-first"'
	touch "$SD/go"
	sd_start
	wait_state web RUNNING
	local before
	before=$(record web pid)
	web_stanza 2 1 'update = "start-first"'
	touch "$SD/bad.web@2"
	exits 1 sctl apply
	wait_for "$PATIENCE" is_unknown web@2
	equals "the only one" "$(record web pid)" "$before"
	rm "$SD/bad.web@2"
	exits 0 sctl apply
	equals "the only one" "$(generation web)" 2
	wait_for "$PATIENCE" is_unknown web@2
}

# ---- hello behind one socket, under load ----

# wrk_begin HEADER...: load that goes on until wrk_end, which says how many requests there were and fails if one was lost.
wrk_begin() {
	wrk -t1 -c16 -d600s "$@" "http://$HOST:8080/" >"$SD/wrk.out" 2>&1 3>&- &
	WRK=$!
	wait_for "$PATIENCE" is_under_load
}

is_under_load() {
	[ "$(ss -tnH state established "dst $HOST:8080" | wc -l)" -ge 8 ]
}

wrk_end() {
	kill -INT "$WRK"
	wait "$WRK" || true
	cat "$SD/wrk.out"
	grep -q '^Requests/sec' "$SD/wrk.out"
	! grep -E 'Socket errors|Non-2xx' "$SD/wrk.out"
}

# hello_stanza UPDATE [LINE...]
hello_stanza() {
	local update=$1

	shift
	stanza_file web <<-END
		socket "http" { listen = "tcp:$HOST:8080" }
		program "web" {
			command = "$OUT/libexec/supervisord/hello"
			sockets = "http"
			instances = 2
			update = "$update"
			stable_after = "50ms"
			$(printf '%s\n' "$@")
		}
	END
}

# Rolling restarts under load, RESTARTS of them (make soak has more).
lose_nothing() {
	local update=$1 count=${SD_RESTARTS:-5} pid i

	shift
	if ! command -v wrk >/dev/null || ! command -v ss >/dev/null; then
		skip "needs wrk and ss"
	fi
	HOST=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1))
	hello_stanza "$update"
	sd_start
	wait_state web@1 RUNNING
	wait_state web@2 RUNNING
	wrk_begin "$@"
	for ((i = 0; i < count; i++)); do
		pid=$(record web@2 pid)
		exits 0 sctl restart --rolling --timeout 60s web
		runs_anew web@2 "$pid"
	done
	wrk_end
}

@test "hello: rolling restarts under load lose no request: connections that are kept" {
	lose_nothing rolling
}

@test "hello: rolling restarts under load lose no request: a connection for each request" {
	lose_nothing rolling -H 'Connection: close'
}

@test "hello: start-first under load loses no request" {
	lose_nothing start-first
}
