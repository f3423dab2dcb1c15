#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# ipc = true: Node's IPC channel for any program, and superctl send and messages.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" restart_delay = "50ms" }'
	sd_start
	echo="$PYTHON $BATS_TEST_DIRNAME/ipc_program.py $SD/halves"
	stanza echo <<-END
		program "echo" { command = "$echo" ipc = true stop_signal = "KILL" }
		program "plain" { command = "/bin/sleep 1000" }
		program "hello" { command = "$OUT/libexec/supervisord/hello --listen unix:$SD/hello.sock" ipc = true }
	END
	wait_state echo RUNNING
	wait_state hello RUNNING
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# has_message NAME TEXT
has_message() {
	sctl messages -n all "$1" | cut -d' ' -f2- | grep -qxF -- "$2"
}

# Whether a follower of echo, whose output is in that file, has begun: what was sent since has come.
follows() {
	sctl send echo '"probe"'
	file_has "$1" probe
}

@test "what is sent arrives as one line, whatever it looked like, and what comes is shown" {
	sctl send echo '{ "a": [1, "zwei\n\u00fc"],
		"b": null }'
	wait_for "$PATIENCE" has_message echo '{"got": {"a": [1, "zwei\n\u00fc"], "b": null}}'
	sctl messages --json -n 1 echo | json_field message got a 0
	equals "the numbers" "$(sctl messages --json -n all echo | sed -E 's/^\{.number.:([0-9]+),.*/\1/' | tr '\n' ' ')" "1 "
}

@test "what cannot be sent is said" {
	exits 2 sctl send echo '{"a":'
	matches "$output" "is not JSON"
	exits 2 sctl send echo '{"cmd":"NODE_HANDLE_ACK"}'
	exits 1 sctl send plain 1
	matches "$output" "has no IPC channel: ipc = true"
	exits 1 sctl messages plain
	exits 4 sctl send nobody 1
	sctl stop echo
	exits 1 sctl send echo 1
	matches "$output" "not sent: it has no channel"
	sctl start echo
}

@test "hello answers {\"hello\":\"x\"} with {\"hello\":\"X\"}" {
	sctl send hello '{"hello":"world"}'
	sctl send hello '"other"'
	sctl send hello '{"hello":"\u00e4b"}'
	wait_for "$PATIENCE" has_message hello '{"hello":"WORLD"}'
	wait_for "$PATIENCE" has_message hello '{"hello":"äB"}'
	equals "messages" "$(sctl messages -n all hello | wc -l)" 2
}

@test "a channel outlives the engine, half a message too; who follows sees each message once" {
	local follower
	sctl messages -f -n 0 echo >"$SD/follow" &
	follower=$!
	wait_for "$PATIENCE" follows "$SD/follow"
	sctl send echo '"first"'
	wait_for "$PATIENCE" file_has "$SD/follow" first
	sctl send echo '"halves"'
	# Reads no more before it has the file, so this waits in its channel.
	sctl send echo '"second"'
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	touch "$SD/halves"
	wait_for "$PATIENCE" file_has "$SD/follow" '"second"'
	kill "$follower"
	equals "what was followed" "$(grep -v '"probe"' "$SD/follow" | cut -d' ' -f2- | tr '\n' '|')" \
		'{"got": "first"}|{"halves":1}|{"got": "second"}|'
	has_message echo '{"got": "first"}'
}

@test "2000 messages in one breath, with the engine killed meanwhile: none is lost or told twice" {
	sctl send echo '"flood"'
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	wait_for "$PATIENCE" has_message echo 1999
	equals "messages" "$(sctl messages -n 2000 echo | cut -d' ' -f2-)" "$(seq 0 1999)"
}

@test "a full channel refuses, and costs no memory" {
	local count=0
	sctl send echo '"deaf"'
	while [ "$count" -lt 2000 ] && sctl send echo "\"$(printf '%030000d' 0)\"" 2>"$SD/error"; do
		count=$((count + 1))
	done
	matches "$(cat "$SD/error")" "its channel is full"
	at_most "messages that it took" "$count" 100
	sctl restart echo
	sctl send echo '"again"'
	wait_for "$PATIENCE" has_message echo '{"got": "again"}'
}

# Kilobytes of the engine.
engine_kb() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$(role_pid engine)/status"
}

@test "a follower that does not read is dropped, others see every message, and nothing grows" {
	local deaf before
	before=$(engine_kb)
	"$PYTHON" -S "$BATS_TEST_DIRNAME/ipc_follower.py" "$SD/run/control.sock" echo "$SD/read" >"$SD/deaf" 3>&- 4>&- &
	deaf=$!
	wait_for "$PATIENCE" file_has "$SD/deaf" follows
	sctl send echo '"pour"'
	# 90 MB, of which the last 128 KB are kept.
	wait_for "$PATIENCE" has_message echo '"poured"'
	[ -n "${SAN:-}" ] || at_most "KB that the engine has grown" $(($(engine_kb) - before)) 4000
	at_most "messages that are kept" "$(sctl messages -n all echo | wc -l)" 10
	sctl send echo '"delayed?"'
	wait_for "$PATIENCE" has_message echo '{"got": "delayed?"}'
	touch "$SD/read"
	wait "$deaf"
	matches "$(last_line "$SD/deaf")" "^dropped after [0-9]+ bytes"
	at_most "bytes that waited for it" "$(last_line "$SD/deaf" | awk '{ print $3 }')" 1000000
}

@test "ipc_to a program that does not read: the rest is dropped, which is told once, and the sender goes on" {
	local program="$PYTHON $BATS_TEST_DIRNAME/ipc_program.py"
	stanza pour <<-END
		program "pours" { command = "$program x" ipc = true ipc_to = "program:deaf" stop_signal = "KILL" }
		program "deaf" { command = "$program x" ipc = true stop_signal = "KILL" }
	END
	wait_state deaf RUNNING
	wait_state pours RUNNING
	sctl send deaf '"deaf"'
	sctl send pours '"pour"'
	wait_for "$PATIENCE" has_message pours '"poured"'
	equals "words about it" "$(grep -c 'pours: ipc: a message of it is dropped: the channel of the program in ipc_to is full' "$SD/own.log")" 1
	is_state deaf RUNNING
	# Started anew it hears again.
	sctl restart deaf
	sctl send pours '{"x":1}'
	wait_for "$PATIENCE" has_message deaf '{"got": {"got": {"x": 1}}}'
}

@test "long messages, with little room left, are whole or refused" {
	local length pid
	for length in 40000 50000 60000 65534; do
		sctl restart echo
		rm -f "$SD/halves"
		sctl send echo '"halves"' # reads no more before it has the file
		while sctl send echo "\"$(printf '%0*d' "$length" 0)\"" 2>/dev/null; do :; done
		pid=$(record echo pid)
		touch "$SD/halves"
		wait_for "$PATIENCE" sctl send echo "\"whole? $length\""
		# Half a line would have been a message that is no JSON, and the end of it.
		wait_for "$PATIENCE" has_message echo "{\"got\": \"whole? $length\"}"
		equals "its process" "$(record echo pid)" "$pid"
	done
	exits 2 sctl send echo "\"$(printf '%065536d' 0)\""
	sctl restart echo
}

@test "nonsense is left out, a socket is acknowledged and closed" {
	sctl send echo '"nonsense"'
	wait_for "$PATIENCE" has_message echo '"after"'
	sctl send echo '"socket"'
	wait_for "$PATIENCE" has_message echo '{"answer": {"cmd": "NODE_HANDLE_ACK"}}'
	file_has "$SD/own.log" "echo: ipc: a message of it is dropped: it is not JSON"
	is_state echo RUNNING
}

@test "a program that closes its channel goes on without" {
	sctl send echo '"close"'
	wait_for "$PATIENCE" exits 1 sctl send echo 1
	is_state echo RUNNING
	sctl restart echo
}

@test "ready = ipc: RUNNING is who says so; messages go on to the program of ipc_to" {
	local program="$PYTHON $BATS_TEST_DIRNAME/ipc_program.py"
	stanza ready <<-END
		program "says" { command = "$program x" ipc = true ready = "ipc" ipc_to = "program:hears" stop_signal = "KILL" }
		program "hears" { command = "$program x --ready" ipc = true ready = "ipc" stop_signal = "KILL" }
	END
	wait_state hears RUNNING
	is_state says STARTING
	sctl send says '{"x":1}'
	wait_for "$PATIENCE" has_message hears '{"got": {"got": {"x": 1}}}'
	is_state says STARTING
	sctl send says '"ready"'
	wait_state says RUNNING
	has says ready true
	has says reason "ready (ipc)"
	# One of several instances, as anywhere.
	stanza ready <<-END
		program "says" { command = "$program x" ipc = true ipc_to = "program:hears@2" stop_signal = "KILL" }
		program "hears" { command = "$program x" ipc = true instances = 2 stop_signal = "KILL" }
	END
	wait_state says RUNNING
	wait_state hears@2 RUNNING
	sctl send says '{"x":2}'
	wait_for "$PATIENCE" has_message hears@2 '{"got": {"got": {"x": 2}}}'
	equals "messages of the other" "$(sctl messages -n all hears@1 | grep '"x": 2')" ""
	# The name of the program means both, and "@1" an only one.
	sctl send hears '{"x":3}'
	wait_for "$PATIENCE" has_message hears@1 '{"got": {"x": 3}}'
	wait_for "$PATIENCE" has_message hears@2 '{"got": {"x": 3}}'
	sctl send says@1 '{"x":4}'
	sctl stop hears@2
	exits any sctl send hears '{"x":5}'
	matches "$output" 'hears@2: .*it has no channel'
	wait_for "$PATIENCE" has_message hears@1 '{"got": {"x": 5}}'
}

@test "keys that do not fit are told at the check" {
	stanza_file wrong <<-'END'
		program "a" { command = "x" ready = "ipc" }
		program "b" { command = "x" ipc = true ipc_to = "hello" }
		program "c" { command = "x" ipc = true ipc_to = "program:plain" }
		program "d" { command = "x" ipc = true ipc_to = "program:c@2" }
	END
	exits 1 sctl check
	rm "$SD/conf.d/wrong.conf"
	matches "$output" "wrong.conf:1: ready: 'ipc' is a message on the IPC channel, and ipc is not true"
	matches "$output" "wrong.conf:2: ipc_to: 'hello' is not known: \"program:NAME\" is allowed"
	matches "$output" "wrong.conf:3: ipc_to: 'plain' is no program with ipc = true"
	matches "$output" "wrong.conf:4: ipc_to: there is no 'c@2': program 'c' has 1 instance"
}

@test "Node: process.send, process.on('message'), and a message with pm2's word" {
	command -v node >/dev/null || skip "there is no node here"
	cat >"$SD/app.js" <<-'END'
		process.on('message', (message) => process.send({ answer: message }));
		process.send('ready');
	END
	stanza node <<-END
		program "node" { command = "node $SD/app.js" ipc = true ready = "ipc" }
	END
	wait_state node RUNNING
	sctl send node '{"ü":[true]}'
	wait_for "$PATIENCE" has_message node '{"answer":{"ü":[true]}}'
}
