# SPDX-License-Identifier: ISC
# accept = true: each connection is given to a run of its own, up to a limit, and none is lost without a word.

load lib.bash

CLIENT=$BATS_TEST_DIRNAME/accept_client.py
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

# An echo for each connection: echoes NAME ADDRESS; more keys of the program on standard input.
echoes() {
	{
		echo "socket \"$1\" { listen = \"$2\" }"
		echo "program \"$1\" {"
		echo '	command = "/bin/cat"'
		echo "	sockets = {\"$1\"}"
		echo '	socket_as = "stdin"'
		echo '	accept = true'
		cat
		echo "}"
	} | stanza "$1"
}

# Connect descriptor 7, 8 or 9 and see that its run answers.
join() {
	eval "exec $1<>/dev/tcp/$HOST/$PORT"
	echo "from $1" >&"$1"
	hears "$1" "from $1"
}

hears() {
	local line=

	IFS= read -r -t "$PATIENCE" line <&"$1" || true
	equals "answer to $1" "$line" "$2"
}

# What the program's end of the connection says when it is closed.
hears_the_end() {
	local line=

	if IFS= read -r -t "$PATIENCE" line <&"$1"; then
		echo "there is more: $line" >&2
		return 1
	fi
	[ -z "$line" ]
}

leave() {
	eval "exec $1>&-"
}

# One place of several.
place_is() {
	[ "$(sctl status --json "$1@$2" | json_field 0 state)" = "$3" ]
}

all_free() {
	! sctl status --json "$1" | grep -o '"state":"[A-Z]*"' | grep -qv WAITING
}

@test "each connection is the standard input and output of a run of its own, stderr goes to one log" {
	stanza who <<-END
		socket "who" { listen = {"tcp:$HOST:$PORT", "unix:$SD/who.sock"} }
		program "who" {
			command = {"/bin/sh", "-c", "read word; echo \$word \$SUPERVISORD_NAME \$REMOTE_ADDR \$REMOTE_PORT \$REMOTE_UID \$REMOTE_GID \$REMOTE_PID; echo \$word >&2"}
			sockets = {"who"}
			socket_as = "stdin"
			accept = true
			max_connections = 2
		}
	END
	wait_for "$PATIENCE" all_free who
	"$PYTHON" -IS - "$HOST" "$PORT" "$SD/who.sock" <<-'END'
		import os, socket, sys
		def ask(s, word):
		    s.settimeout(30)
		    s.sendall(word + b"\n")
		    return s.makefile("rb").read().decode()
		s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
		port = s.getsockname()[1]
		answer = ask(s, b"one")
		assert answer == "one who@1 127.0.0.1 %d\n" % port, answer
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[3])
		answer = ask(s, b"two").split(" ", 2)
		assert answer[2] == "%d %d %d\n" % (os.getuid(), os.getgid(), os.getpid()), answer
	END
	wait_for "$PATIENCE" log_has who two
	equals log "$(log_text who)" $'one\ntwo'
	matches "$(<"$SD/own.log")" "who@1: WAITING -> STARTING: 127\.0\.0\.1:[0-9]+ has connected"
	matches "$(<"$SD/own.log")" "WAITING -> STARTING: uid $(id -u), pid [0-9]+ has connected"
}

@test "as a descriptor it is number 3, called connection, as systemd's Accept=yes gives it" {
	stanza three <<-END
		socket "three" { listen = "unix-seqpacket:@$HOST" fd_name = "other" }
		program "three" {
			command = {"/bin/sh", "-c", "echo \$LISTEN_FDS \$LISTEN_FDNAMES \$((LISTEN_PID == \$\$)) >&3; ls -l /proc/self/fd/0 >&3"}
			sockets = {"three"}
			accept = true
		}
	END
	wait_for "$PATIENCE" all_free three
	"$PYTHON" -IS - "$HOST" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		s.settimeout(30)
		s.connect("\0" + sys.argv[1])
		first, second = s.recv(4096).decode(), s.recv(4096).decode()
		assert first == "1 connection 1\n", first
		assert second.endswith("-> /dev/null\n"), second
		assert s.recv(1) == b""
	END
}

@test "what comes beyond max_connections waits, and is served when a place is free" {
	echoes few "tcp:$HOST:$PORT" <<<'max_connections = 2'
	wait_for "$PATIENCE" all_free few
	join 7
	join 8
	matches "$(sctl status few)" "few@1 .*few@2 "
	# A third is connected to the backlog, and nothing answers it yet.
	exec 9<>"/dev/tcp/$HOST/$PORT"
	echo "from 9" >&9
	told_in_order 0 "few: has 2 connections: those that come now wait until one ends"
	equals runs "$(record few@1 starts) $(record few@2 starts)" "1 1"
	leave 8
	hears 9 "from 9"
	echo again >&7
	hears 7 again
	leave 7
	leave 9
	wait_for "$PATIENCE" all_free few
	matches "$(sctl status few)" "few +WAITING .* 3 .* waits for a connection on few; 0 of 2 connections"
	exits 0 sctl status few
}

@test "one source has at most max_connections_per_source, others are served meanwhile" {
	echoes fair "tcp:$HOST:$PORT" <<<'max_connections_per_source = 2'
	wait_for "$PATIENCE" all_free fair
	join 7
	join 8
	"$PYTHON" -IS - "$HOST" "$PORT" <<-'END'
		import socket, sys
		def ask(source):
		    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 30, (source, 0))
		    try:
		        s.sendall(b"hello")
		        return s.recv(100)
		    except ConnectionError:
		        return b""
		for _ in range(20):
		    assert ask("127.0.0.1") == b"", "it is refused"
		assert ask("127.0.0.2") == b"hello"
	END
	leave 8
	wait_for "$PATIENCE" place_is fair 2 WAITING
	join 9
	leave 7
	leave 9
	matches "$(<"$SD/own.log")" "fair: refused a connection \(127\.0\.0\.1:[0-9]+\): there are 2 of this source already \(max_connections_per_source\)"
	at_most "lines about 20 refused ones" "$(grep -c "fair: refused" "$SD/own.log")" 3
}

@test "stop takes no more and ends those that are there, restart of one place ends its connection" {
	echoes line "tcp:$HOST:$PORT" <<<'max_connections = 5'
	wait_for "$PATIENCE" all_free line
	join 7
	join 8
	exits 0 sctl restart line@2
	hears_the_end 8
	leave 8
	echo still >&7
	hears 7 still
	exits 0 sctl stop line
	equals "what stop says" "$output" "line: stopped"
	hears_the_end 7
	leave 7
	exec 7<>"/dev/tcp/$HOST/$PORT"
	echo "who waits" >&7
	equals state "$(record line@1 state)" STOPPED
	exits 0 sctl start line
	hears 7 "who waits"
	# All of a restart: those that are there end, and it goes on.
	exits 0 sctl restart line
	hears_the_end 7
	leave 7
	join 7
	exits 0 sctl restart --rolling line
	echo left >&7
	hears 7 left
	leave 7
}

@test "a stop that begins with none lets those that are there finish, and takes no more" {
	local stop

	echoes calm "tcp:$HOST:$PORT" <<-'END'
		max_connections = 2
		stop_sequence = {"none:1h", "TERM:10s"}
	END
	wait_for "$PATIENCE" all_free calm
	join 7
	sctl stop calm >/dev/null 2>&1 3>&- 7>&- &
	stop=$!
	wait_for "$PATIENCE" place_is calm 1 STOPPING
	wait_for "$PATIENCE" place_is calm 2 STOPPED
	echo still >&7
	hears 7 still
	[ -e "/proc/$stop" ]
	leave 7
	wait "$stop"
	equals state "$(record calm@1 state)" STOPPED
	equals "its end" "$(record calm@1 last_exit)" '{"status": 0}'
}

@test "an apply leaves connections alone, the next one gets the new command" {
	echoes change "tcp:$HOST:$PORT" <<<'max_connections = 3'
	wait_for "$PATIENCE" all_free change
	join 7
	sed -i 's|"/bin/cat"|{"/bin/sed", "-u", "s/^/new: /"}|; s|= 3|= 2|' "$SD/conf.d/change.conf"
	exits 2 sctl plan
	matches "$output" "change@1: live: command changed"
	[[ $output != *change@2* ]]
	exits 0 sctl apply
	exits 0 sctl plan
	echo old >&7
	hears 7 old
	exec 8<>"/dev/tcp/$HOST/$PORT"
	echo text >&8
	hears 8 "new: text"
	# And a new engine leaves them alone, too.
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	echo old >&7
	hears 7 old
	leave 7
	leave 8
	wait_for "$PATIENCE" all_free change
}

@test "a program that becomes one for connections, and back" {
	stanza both <<-END
		socket "both" { listen = "tcp:$HOST:$PORT" }
		program "both" { command = "/bin/sleep 1000" sockets = {"both"} socket_as = "stdin" }
	END
	wait_state both RUNNING
	sed -i 's|"/bin/sleep 1000"|"/bin/cat" accept = true|' "$SD/conf.d/both.conf"
	exits 0 sctl apply
	wait_for "$PATIENCE" all_free both
	join 7
	sed -i 's|"/bin/cat" accept = true|"/bin/sleep 1000"|' "$SD/conf.d/both.conf"
	exits 0 sctl apply
	hears_the_end 7
	leave 7
	wait_state both RUNNING
	equals instances "$(sctl status --json | grep -o '"name":"both[^"]*"' | sort -u)" '"name":"both"'
}

@test "beyond trigger_limit connections wait, and all are served" {
	echoes slow "tcp:$HOST:$PORT" <<-'END'
		trigger_limit = 10
		trigger_limit_interval = "4s"
	END
	wait_for "$PATIENCE" all_free slow
	exits 0 env PATIENCE="$PATIENCE" "$PYTHON" -IS "$CLIENT" flood "$HOST:$PORT" 20 20
	equals "what clients say" "$output" "served 20 closed 0"
	told_in_order 0 "slow: 10 connections in trigger_limit_interval: those that come now wait until it is over"
}

@test "an address that somebody else has is told with his process, by check and by apply" {
	local other

	"$PYTHON" -IS - "$HOST" "$PORT" "$SD/taken" <<-'END' 3>&- &
		import socket, sys
		s = socket.create_server((sys.argv[1], int(sys.argv[2])))
		open(sys.argv[3], "w").close()
		s.accept()
	END
	other=$!
	wait_for "$PATIENCE" test -e "$SD/taken"
	stanza_file late <<-END
		socket "late" { listen = "tcp:$HOST:$PORT" }
		program "late" { command = "/bin/cat" sockets = {"late"} socket_as = "stdin" accept = true }
	END
	exits any "$SUPERCTL" check "$SD/supervisord.conf"
	matches "$output" "late.conf:1: listen: 'tcp:$HOST:$PORT' is in use by .*\\(process $other\\)"
	exits 1 sctl apply
	matches "$output" "late.conf:1: listen: 'tcp:$HOST:$PORT' is in use by .*\\(process $other\\)"
	exits 4 sctl status late
	kill "$other"
	wait "$other" || true
	exits 0 sctl apply
	join 7
	leave 7
}

@test "a command that cannot be run closes the connection, with the reason, and is not given up" {
	stanza broken <<-END
		socket "broken" { listen = "tcp:$HOST:$PORT" }
		program "broken" { command = "$SD/nothing" sockets = {"broken"} accept = true max_connections = 1 }
	END
	wait_state broken WAITING
	for _ in 1 2 3 4 5 6 7; do
		exec 7<>"/dev/tcp/$HOST/$PORT"
		hears_the_end 7
		leave 7
	done
	wait_state broken WAITING
	# What it is in all its keys can be read again.
	echo "socket \"broken\" { listen = \"tcp:$HOST:$PORT\" }" >"$SD/shown.conf"
	sctl config show broken >>"$SD/shown.conf"
	exits 0 "$SUPERCTL" check "$SD/shown.conf"
	matches "$(record broken reason)" "exec $SD/nothing: No such file or directory.*waits for a connection"
}

@test "max_runtime ends a connection that takes too long" {
	echoes brief "tcp:$HOST:$PORT" <<-'END'
		max_connections = 1
		max_runtime = "300ms"
	END
	wait_state brief WAITING
	join 7
	hears_the_end 7
	leave 7
	wait_state brief WAITING
	matches "$(record brief reason)" "max_runtime"
}

@test "hundreds of connections at once have their turn at a few places, and control has its, too" {
	local clients

	echoes many "tcp:$HOST:$PORT" <<<'max_connections = 8'
	wait_for "$PATIENCE" all_free many
	PATIENCE=$PATIENCE "$PYTHON" -IS "$CLIENT" flood "$HOST:$PORT" 400 100 >"$SD/clients" 3>&- &
	clients=$!
	while [ -e "/proc/$clients" ]; do
		exits 0 sctl version
	done
	wait "$clients"
	equals "what clients say" "$(cat "$SD/clients")" "served 400 closed 0"
	wait_for "$PATIENCE" all_free many
	matches "$(sctl status many)" "many +WAITING .* 400 .* waits for a connection on many; 0 of 8 connections"
}

@test "while the engine is killed each client is served or closed, none hangs, and few are lost" {
	local first=$SD round clients served closed

	sd_new "$SETTINGS"
	sd_start
	echoes hit "unix:$SD/hit.sock" <<<'max_connections = 8'
	wait_for "$PATIENCE" all_free hit
	PATIENCE=$PATIENCE "$PYTHON" -IS "$CLIENT" storm "$SD/hit.sock" 100000 6 "$SD/enough" >"$SD/clients" 3>&- &
	clients=$!
	for round in 1 2 3 4; do
		wait_for "$PATIENCE" sd_serves
		sleep "0.0$((round * 7))" # somewhere in the middle of them
		kill -KILL "$(role_pid engine)"
	done
	wait_for "$PATIENCE" sd_serves
	touch "$SD/enough"
	wait "$clients" || cat "$SD/clients"
	read -r _ served _ closed <"$SD/clients"
	at_least served "$served" 20
	at_most "closed by 4 kills" "$closed" 4
	wait_for "$PATIENCE" all_free hit
	SD=$first
}
