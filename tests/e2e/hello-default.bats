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
	[ "$(curl -fsS --max-time 60 "http://127.0.0.1:$PORT/")" = "Hello World" ]
}

@test "hello: the default stanza passes the check" {
	exits 0 "$SUPERVISORD" -t -c "$SD/supervisord.conf"
}

@test "hello: answers on 127.0.0.1:8124 by default" {
	wait_for "$PATIENCE" hello_answers
	wait_state hello RUNNING
}

@test "hello: after kill -9 there is a new pid within a second, and it answers" {
	local pid lines

	wait_state hello RUNNING
	pid=$(record hello pid)
	lines=$(count_lines "$SD/own.log")
	kill -KILL "$pid"
	wait_for "$PATIENCE" runs_anew hello "$pid"
	wait_for "$PATIENCE" hello_answers
	wait_state hello RUNNING
	# The machine may be busy: what the supervisor meant to wait is what counts.
	matches "$(tail -n "+$((lines + 1))" "$SD/own.log" | grep -m 1 'hello: RUNNING ->')" 'again in [0-9]{1,3}ms$'
	equals last_exit "$(record hello last_exit.signal)" KILL
}
