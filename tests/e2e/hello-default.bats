# SPDX-License-Identifier: ISC
# The main job: the shipped stanza runs hello on its default address, and hello is always there.
# The only test with a fixed port, because that port is what it is about.
#
# tests/run: alone

load lib.bash

PORT=8124

setup_file() {
	if port_is_taken; then
		return
	fi
	sd_new "include = {\"$ROOT/conf.d/hello.conf\"}"
	sed -i '/conf\.d\/\*\.conf/d' "$SD/supervisord.conf"
	sd_start
}

teardown_file() {
	sd_down_all
}

setup() {
	[ -d "${SD:-/nonexistent}" ] || skip "port $PORT is taken"
}

teardown() {
	sd_tell_failure
}

port_is_taken() {
	"$PYTHON" -ISc 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' $PORT 2>/dev/null
}

hello_answers() {
	[ "$(curl -fsS --max-time 5 "http://127.0.0.1:$PORT/")" = "Hello World" ]
}

# When the engine wrote the first line that matches, in milliseconds: own_log_ms PATTERN [after which line].
own_log_ms() {
	local stamp

	stamp=$(tail -n "+$((${2:-0} + 1))" "$SD/own.log" | grep -m 1 -- "$1" | cut -d' ' -f1)
	date -d "$stamp" +%s%3N
}

@test "hello: the default stanza passes the check" {
	exits 0 "$SUPERVISORD" -t -c "$SD/supervisord.conf"
}

@test "hello: answers on 127.0.0.1:8124 by default" {
	wait_for "$PATIENCE" hello_answers
	wait_state hello RUNNING
}

@test "hello: after kill -9 there is a new pid within a second, and it answers" {
	local pid lines down up

	wait_state hello RUNNING
	pid=$(record hello pid)
	lines=$(count_lines "$SD/own.log")
	kill -KILL "$pid"
	wait_for "$PATIENCE" runs_anew hello "$pid"
	wait_for "$PATIENCE" hello_answers
	wait_state hello RUNNING
	# The machine may be busy: how long the supervisor took is read from its own stamps.
	down=$(own_log_ms 'hello: RUNNING ->' "$lines")
	up=$(own_log_ms 'hello: .*-> STARTING' "$lines")
	at_most "milliseconds from the death to the new process" $((up - down)) 1000
	equals last_exit "$(record hello last_exit.signal)" KILL
}
