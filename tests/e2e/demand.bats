# SPDX-License-Identifier: ISC
# start = "on-demand": the first connection starts a program, idle_stop ends it, and no connection is lost on the way.

load lib.bash

HELLO=$OUT/libexec/supervisord/hello
SETTINGS='defaults { stable_after = "50ms" restart_delay = "20ms" }'

setup_file() {
	export HOST PORT=8080
	HOST=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1))
	sd_new "$SETTINGS"
	sd_start
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
	rm -f "$SD"/conf.d/*.conf
	sctl apply >/dev/null 2>&1 || true
}

# hello on demand: lazy NAME ADDRESS; more keys of the program on standard input.
lazy() {
	{
		echo "socket \"$1\" { listen = \"$2\" }"
		echo "program \"$1\" {"
		echo "	command = \"$HELLO\""
		echo "	sockets = {\"$1\"}"
		echo '	start = "on-demand"'
		cat
		echo "}"
	} | stanza "$1"
}

answers() {
	[ "$(curl -sS --max-time "$PATIENCE" "$@" 2>&1)" = "Hello World" ]
}

waits_for_connection() {
	wait_state "$1" WAITING
	matches "$(record "$1" reason)" "waits for a connection on $1"
}

@test "a program on demand waits, and the first connection starts it and is answered" {
	lazy web "tcp:$HOST:$PORT" </dev/null
	exits 0 sctl apply
	waits_for_connection web
	equals starts "$(record web starts)" 0
	answers "http://$HOST:$PORT/"
	equals starts "$(record web starts)" 1
	wait_state web RUNNING
	told_in_order 0 "web: WAITING -> STARTING: somebody has connected"
	# Without idle_stop it stays.
	answers "http://$HOST:$PORT/"
	equals starts "$(record web starts)" 1
}

@test "idle_stop ends it when nobody is connected any more, and the next connection starts it again" {
	local client starts

	lazy web "unix:$SD/web.sock" <<<'idle_stop = "300ms"'
	waits_for_connection web
	# Somebody who only stays connected keeps it running: the starts of settle take longer than idle_stop.
	"$PYTHON" -IS - "$SD/web.sock" "$SD/connected" <<-'END' 3>&- &
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		open(sys.argv[2], "w").close()
		sys.stdin = open("/dev/null")
		s.settimeout(60)
		try:
		    while s.recv(1): pass
		except OSError: pass
	END
	client=$!
	wait_for "$PATIENCE" test -e "$SD/connected"
	wait_state web RUNNING
	settle_stanza
	settle
	equals state "$(record web state)" RUNNING
	kill "$client"
	wait "$client" || true
	waits_for_connection web
	matches "$(record web reason)" "nobody was connected for .* \(idle_stop\)"
	starts=$(record web starts)
	answers --unix-socket "$SD/web.sock" http://web/
	equals starts "$(record web starts)" $((starts + 1))
}

@test "a program that never takes the connection is given up, with the reason, and can be started by hand" {
	stanza spin <<-END
		socket "spin" { listen = "tcp:$HOST:$PORT" }
		program "spin" {
			command = "/bin/true"
			sockets = {"spin"}
			start = "on-demand"
			trigger_limit = 5
			trigger_limit_interval = "1min"
		}
	END
	waits_for_connection spin
	exec {client}<>"/dev/tcp/$HOST/$PORT"
	wait_state spin FATAL
	matches "$(record spin reason)" "connections started it 5 times in trigger_limit_interval; gave up"
	equals starts "$(record spin starts)" 5
	exits any sctl start spin
	wait_state spin FATAL
	at_least starts "$(record spin starts)" 6
	exec {client}>&-
}

@test "a program on demand that fails is started again after its delay, and given up by start_limit" {
	stanza bad <<-END
		socket "bad" { listen = "tcp:$HOST:$PORT" }
		program "bad" {
			command = "/bin/false"
			sockets = {"bad"}
			start = "on-demand"
			start_limit = 3
		}
	END
	waits_for_connection bad
	exec {client}<>"/dev/tcp/$HOST/$PORT"
	wait_state bad FATAL
	matches "$(record bad reason)" "exited with status 1; gave up after 3 starts"
	exec {client}>&-
}

@test "a datagram and a line in a fifo start a program, too" {
	cat >"$SD/take.py" <<-'END'
		import os, select, socket, stat, sys
		if stat.S_ISFIFO(os.fstat(3).st_mode):
		    text = os.read(3, 100)
		else:
		    text = socket.socket(fileno=3).recv(100)
		open(sys.argv[1], "ab").write(text)
	END
	stanza both <<-END
		socket "dgram" { listen = "udp:$HOST:$PORT" }
		socket "fifo" { listen = "fifo:$SD/fifo" }
		defaults { start = "on-demand" }
		program "dgram" { command = "$PYTHON -IS $SD/take.py $SD/taken" sockets = {"dgram"} }
		program "fifo" { command = "$PYTHON -IS $SD/take.py $SD/taken" sockets = {"fifo"} }
	END
	waits_for_connection dgram
	waits_for_connection fifo
	echo "by datagram" >"/dev/udp/$HOST/$PORT"
	wait_for "$PATIENCE" file_has "$SD/taken" "by datagram"
	echo "by fifo" >"$SD/fifo"
	wait_for "$PATIENCE" file_has "$SD/taken" "by fifo"
	waits_for_connection dgram
	waits_for_connection fifo
}

@test "it is started by hand, and by what requires it; what only comes after it does not wait for it" {
	stanza needs <<-END
		socket "lazy" { listen = "tcp:$HOST:$PORT" }
		program "lazy" { command = "$HELLO" sockets = {"lazy"} start = "on-demand" }
		program "later" { command = "/bin/sleep 1000" after = {"lazy"} }
		program "needs" { command = "/bin/sleep 1000" requires = {"lazy"} autostart = false }
	END
	waits_for_connection lazy
	wait_state later RUNNING
	exits 0 sctl start needs
	equals lazy "$(record lazy state)" RUNNING
	exits 0 sctl stop needs lazy
	equals lazy "$(record lazy state)" STOPPED
	exits 0 sctl start lazy
	matches "$output" "started \(pid"
}

@test "connections that come while the engine is killed are all answered" {
	local first=$SD round client

	sd_new "$SETTINGS"
	sd_start
	lazy web "tcp:$HOST:8090" <<<'idle_stop = "200ms"'
	for round in 1 2 3 4; do
		waits_for_connection web
		answers "http://$HOST:8090/" &
		client=$!
		sleep "0.00$((round * 2))" # about when it is started
		kill -KILL "$(role_pid engine)"
		wait "$client"
		wait_for "$PATIENCE" sd_serves
	done
	waits_for_connection web
	SD=$first
}
