# SPDX-License-Identifier: ISC
# Sockets that the daemon opens: who gets them and how, that they outlive worker and engine, and what an apply makes of them.

load lib.bash

HELLO=$OUT/libexec/supervisord/hello

setup_file() {
	export HOST PORT
	sd_new 'defaults { stable_after = "50ms" restart_delay = "20ms" }'
	# An address of the loopback network that nobody else uses: its ports are free.
	HOST=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1))
	PORT=8080
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

# A program that has the sockets and tells of them in a file.
context() {
	echo "program \"$1\" {"
	echo "	command = \"$SD/bin/context $SD/$1.context\""
	echo '	type = "oneshot"'
	cat
	echo "}"
}

# hello with one socket: web NAME ADDRESS…; more keys of the socket on standard input.
web() {
	local name=$1 list

	shift
	list=$(printf ', "%s"' "$@")
	{
		echo "socket \"$name\" {"
		echo "	listen = {${list#, }}"
		cat
		echo "}"
		echo "program \"$name\" {"
		echo "	command = \"$HELLO\""
		echo "	sockets = {\"$name\"}"
		echo "}"
	} | stanza "$name"
}

answers() {
	[ "$(curl -sS --max-time 20 "$@" 2>&1)" = "Hello World" ]
}

# Is somebody listening there?
is_open() {
	(exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

is_closed() {
	! is_open "$@"
}

# The sockets that the guardian holds and that listen on $HOST, as ports in order.
held_ports() {
	local hex

	hex=$(awk -F. '{ printf "%02X%02X%02X%02X", $4, $3, $2, $1 }' <<<"$HOST")
	find "/proc/$(guardian)/fd" -printf '%l\n' 2>/dev/null | sed -n 's/^socket:\[\([0-9]*\)\]$/\1/p' |
		"$PYTHON" -ISc '
import sys
ours = set(sys.stdin.read().split())
for line in list(open("/proc/net/tcp"))[1:]:
    words = line.split()
    host, port = words[1].split(":")
    if host == sys.argv[1] and words[3] == "0A" and words[9] in ours:
        print(int(port, 16))' "$hex" | sort -n | xargs
}

holds() {
	[ "$(held_ports)" = "$1" ]
}

new_engine() {
	local engine

	engine=$(role_pid engine)
	kill_role engine
	wait_for "$PATIENCE" has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
}

@test "a program gets its sockets as LISTEN_FDS, in its order, and LISTEN_PID is its own pid" {
	{
		echo "socket \"one\" { listen = {\"tcp:$HOST:$PORT\", \"unix:$SD/one.sock\"} }"
		echo "socket \"two\" { listen = \"udp:$HOST:$PORT\" fd_name = \"dgrams\" }"
		context ctx <<<'sockets = {"two", "one"}'
	} | stanza ctx
	wait_for "$PATIENCE" file_has "$SD/ctx.context" "^end"
	file_has "$SD/ctx.context" "LISTEN_FDS=3$"
	file_has "$SD/ctx.context" "LISTEN_FDNAMES=dgrams:one:one$"
	equals LISTEN_PID "$(sed -n 's/.*LISTEN_PID=//p' "$SD/ctx.context")" "$(sed -n 's/^pid //p' "$SD/ctx.context")"
	# Nothing but its three streams and these.
	equals descriptors "$(sed -n 's/^fd \([0-9]*\).*/\1/p' "$SD/ctx.context" | xargs)" "0 1 2 3 4 5"
}

@test "hello serves on the sockets it gets, and a stop, a start and a restart refuse nobody" {
	local client

	web web "tcp:$HOST:$PORT" "unix:$SD/web.sock" <<<''
	wait_for "$PATIENCE" answers "http://$HOST:$PORT/"
	answers --unix-socket "$SD/web.sock" http://web/
	exits 0 sctl stop web
	# It waits in the socket until there is somebody again.
	curl -sS --max-time 60 "http://$HOST:$PORT/" >"$SD/queued" 2>&1 &
	client=$!
	wait_for "$PATIENCE" is_open "$HOST" "$PORT"
	exits 0 sctl start web
	wait "$client"
	equals "answer to who has waited" "$(cat "$SD/queued")" "Hello World"
	for _ in 1 2 3 4 5; do
		sctl restart --no-wait web
		answers "http://$HOST:$PORT/"
	done
}

@test "a socket outlives engine and worker, also when both are killed" {
	local pid

	web web "tcp:$HOST:$PORT" <<<''
	wait_for "$PATIENCE" answers "http://$HOST:$PORT/"
	pid=$(record web pid)
	new_engine
	answers "http://$HOST:$PORT/"
	equals "pid after the engine was killed" "$(record web pid)" "$pid"
	kill_program web
	wait_for "$PATIENCE" runs_anew web "$pid"
	answers "http://$HOST:$PORT/"
	equals "ports that are held" "$(held_ports)" "$PORT"
}

@test "an address that somebody has is an error that names the process, and nothing is applied" {
	local pid

	web web "tcp:$HOST:$PORT" <<<''
	wait_for "$PATIENCE" answers "http://$HOST:$PORT/"
	"$HELLO" --listen "$HOST:8081" >/dev/null 2>&1 3>&- &
	pid=$!
	wait_for "$PATIENCE" is_open "$HOST" 8081
	cat >"$SD/conf.d/other.conf" <<-END
		socket "free" { listen = "tcp:$HOST:8082" }
		socket "taken" {
			listen = "tcp:$HOST:8081"
		}
		program "new" { command = "/bin/sleep 1000" }
	END
	exits 0 sctl check
	matches "$output" "note: .*other.conf:3: listen: 'tcp:$HOST:8081' is in use by hello \(process $pid\)"
	exits 1 sctl apply
	matches "$output" "other.conf:3: listen: 'tcp:$HOST:8081' is in use by hello \(process $pid\)"
	equals "program of a refused apply" "$(record new state)" ""
	holds "$PORT"
	kill "$pid"
	wait "$pid" || true
	exits any sctl apply --no-wait
	wait_for "$PATIENCE" holds "$PORT 8081 8082"
}

@test "a new address is opened before the program is restarted, and the old one is closed" {
	web web "tcp:$HOST:$PORT" "unix:$SD/web.sock" <<<''
	wait_for "$PATIENCE" answers "http://$HOST:$PORT/"
	web web "tcp:$HOST:8083" <<<'backlog = 7'
	matches "$(cat "$SD/apply.out")" "socket web: open: listen changed, backlog changed"
	matches "$(cat "$SD/apply.out")" "web: restart: sockets changed"
	wait_for "$PATIENCE" answers "http://$HOST:8083/"
	wait_for "$PATIENCE" is_closed "$HOST" "$PORT"
	[ ! -e "$SD/web.sock" ]
	holds 8083
	# What can be changed in place restarts nobody.
	web web "tcp:$HOST:8083" <<<'backlog = 9 nodelay = true'
	[[ $(cat "$SD/apply.out") != *restart* ]]
	matches "$(cat "$SD/apply.out")" "socket web: live: backlog changed, nodelay changed"
	rm "$SD/conf.d/web.conf"
	exits 0 sctl apply
	matches "$output" "socket web: close: its stanza is gone"
	holds ""
	is_closed "$HOST" 8083
}

@test "a socket can be the standard input" {
	cat >"$SD/worker.py" <<-'END'
		import socket, os
		server = socket.socket(fileno=0)
		server.setblocking(True)
		while True:
		    client, _ = server.accept()
		    client.sendall(b"on 0, LISTEN_FDS=%r\n" % os.environ.get("LISTEN_FDS"))
		    client.close()
	END
	stanza inetd <<-END
		socket "in" { listen = "tcp:$HOST:$PORT" }
		program "in" {
			command = "$PYTHON -IS $SD/worker.py"
			sockets = {"in"}
			socket_as = "stdin"
		}
	END
	wait_for "$PATIENCE" is_open "$HOST" "$PORT"
	equals answer "$(timeout 60 cat <"/dev/tcp/$HOST/$PORT")" "on 0, LISTEN_FDS=None"
}

@test "a port below 1024 is opened with the daemon's rights, for a program of nobody" {
	[ "$(id -u)" -eq 0 ] || skip "only root may do both"
	cp "$HELLO" "$SD/bin/hello"
	stanza low <<-END
		socket "low" { listen = {"tcp:$HOST:80", "unix:$SD/low.sock"} owner = "nobody" mode = 0600 }
		program "low" {
			command = "$SD/bin/hello"
			user = "nobody"
			sockets = {"low"}
		}
	END
	wait_for "$PATIENCE" answers "http://$HOST:80/"
	equals owner "$(stat -c '%U %a' "$SD/low.sock")" "nobody 600"
	equals "user of the program" "$(stat -c %U "/proc/$(record low pid)")" nobody
}

@test "a daemon that starts while a port is taken says by whom, serves the rest, and tries again" {
	local first=$SD pid

	"$HELLO" --listen "$HOST:8085" >/dev/null 2>&1 3>&- &
	pid=$!
	wait_for "$PATIENCE" is_open "$HOST" 8085
	sd_new 'defaults { stable_after = "50ms" restart_delay = "100ms" start_limit = 0 }'
	stanza_file web <<-END
		socket "web" { listen = "tcp:$HOST:8085" }
		program "web" { command = "$HELLO" sockets = {"web"} restart_factor = 1 }
		program "other" { command = "/bin/sleep 1000" }
	END
	sd_start
	wait_state other RUNNING
	wait_state web BACKOFF
	matches "$(record web reason)" "socket tcp:$HOST:8085: Address already in use"
	file_has "$SD/own.log" "socket web: 'tcp:$HOST:8085' is in use by hello (process $pid)"
	kill "$pid"
	wait "$pid" || true
	wait_state web RUNNING
	answers "http://$HOST:8085/"
	SD=$first
}

@test "an engine that is killed during applies leaves just the sockets of the configuration" {
	local first=$SD round port

	sd_new 'defaults { stable_after = "50ms" restart_delay = "20ms" }'
	sd_start
	web web "tcp:$HOST:9000" <<<''
	wait_for "$PATIENCE" answers "http://$HOST:9000/"
	for round in 1 2 3 4; do
		port=$((9000 + round))
		sed -i "s/tcp:[0-9.]*:[0-9]*/tcp:$HOST:$port/" "$SD/conf.d/web.conf"
		sctl apply --no-wait >/dev/null 2>&1 &
		sleep "0.00$round" # anywhere in it
		kill -KILL "$(role_pid engine)" || true
		wait $! || true
		wait_for "$PATIENCE" sd_serves
		exits any sctl apply --no-wait
		wait_for "$PATIENCE" holds "$port"
		wait_for "$PATIENCE" answers "http://$HOST:$port/"
	done
	SD=$first
}
