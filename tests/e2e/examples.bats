#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The programs that supervisord.conf(5) shows do what it says: taken out of the page, compiled and run.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" restart_delay = "50ms" stop_timeout = "5s" }'
	sd_start
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# example SECTION BEGINNING: the display of that section of the page that begins so.
example() {
	awk -v section=".Ss $1" -v beginning="$2" '
		/^\.S[sh] / { inside = $0 == section }
		/^\.Bd / { text = ""; display = inside; next }
		/^\.Ed/ { if (display && index(text, beginning) == 1) { printf "%s", text; found = 1 } display = 0 }
		display { gsub(/\\e/, "\\"); gsub(/\\&/, ""); text = text $0 "\n" }
		END { exit !found }' "$ROOT/man/supervisord.conf.5.in"
}

# Two workers of a command on one socket: each answers, and a rolling update loses nobody.
serve() {
	local name=$1 command=$2 host=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)) i
	stanza "$name" <<-END
		socket "$name" { listen = "tcp:$host:8080" }
		program "$name" {
			command = "$command"
			sockets = {"$name"}
			instances = 2
			directory = "$SD/served"
			update = "start-first"
		}
	END
	wait_state "$name@1" RUNNING
	wait_state "$name@2" RUNNING
	for ((i = 0; i < 20; i++)); do
		equals "the answer" "$(ask "$host")" hello
	done
	sctl restart --rolling --no-wait "$name"
	while [[ $(sctl status) == *"in its turn"* ]] || exits 0 sctl status "$name@3"; do
		equals "the answer" "$(ask "$host")" hello
	done
	equals "the answer" "$(ask "$host")" hello
}

# The last line of what a server says to a request.
ask() {
	"$PYTHON" -ISc '
import socket, sys
sock = socket.create_connection((sys.argv[1], 8080), float(sys.argv[2]))
sock.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
text = b""
while True:
    try:
        got = sock.recv(4096)
    except ConnectionResetError:  # it has not read what it was asked
        break
    if not got:
        break
    text += got
print(text.decode().splitlines()[-1])' "$1" "$PATIENCE"
}

@test "a worker in C" {
	example Workers '#define _GNU_SOURCE' >"$SD/worker.c"
	${CC:-cc} -Wall -Wextra -Wno-unused-result -Werror -o "$SD/bin/worker" "$SD/worker.c"
	mkdir -p "$SD/served"
	# Without sockets it says so by its status.
	exits 2 "$SD/bin/worker"
	serve c "$SD/bin/worker"
}

@test "a worker in Python" {
	example Workers 'import http.server' >"$SD/worker.py"
	mkdir -p "$SD/served"
	echo hello >"$SD/served/hello"
	exits 1 "$PYTHON" "$SD/worker.py"
	serve python "$PYTHON $SD/worker.py"
}

@test "a Node application on all processors" {
	local port
	command -v "${NODE:-node}" >/dev/null || skip "there is no node here"
	port=$("$PYTHON" -ISc 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	echo "require('node:http').createServer((q, r) => r.end('worker ' + require('node:cluster').worker.id)).listen($port)" \
		>"$SD/app.js"
	# As it is printed, but for what this machine may not have.
	example "Node clusters" 'program "web" {' |
		sed -e "s/443/$port/; s|\"node app.js\"|\"${NODE:-node} $SD/app.js\"|; /user /d" >"$SD/node.conf"
	matches "$(cat "$SD/node.conf")" 'instances *= "cpus"'
	matches "$(cat "$SD/node.conf")" 'cluster *= "round-robin"'
	stanza node <"$SD/node.conf"
	wait_for "$PATIENCE" eval "curl -sS --max-time $PATIENCE http://127.0.0.1:$port/ | grep -q '^worker [1-9]'"
}

@test "a program with an IPC channel in Python" {
	example "IPC channels" 'import json' >"$SD/channel.py"
	stanza channel <<-END
		program "channel" { command = "$PYTHON $SD/channel.py" ipc = true }
	END
	wait_state channel RUNNING
	sctl send channel '{"please":1}'
	wait_for "$PATIENCE" eval "sctl messages channel | grep -qF '\"thanks\"'"
}

@test "each stanza that the page shows is understood" {
	local page=$ROOT/man/supervisord.conf.5.in number
	# Displays that begin with a stanza; what they name and is not here is made up.
	awk '
		/^\.Bd / { text = ""; display = 1; next }
		/^\.Ed/ { if (display && text ~ /^(program|socket|group|on_event|override|defaults|control) *("|\{)/) { count++; printf "%s", text >directory "/stanza." count } display = 0 }
		display { gsub(/\\e/, "\\"); gsub(/\\&/, ""); text = text $0 "\n" }' directory="$SD" "$page"
	at_least "stanzas" "$(find "$SD" -name 'stanza.*' | wc -l)" 8
	for number in "$SD"/stanza.*; do
		run "$SUPERCTL" check "$number"
		# Whom it requires, users and commands of other machines may be missing here; what is unknown is our page's error.
		[[ $output != *unknown* && $output != *"is not known"* && $output != *syntax* ]] || {
			cat "$number"
			echo "$output"
			return 1
		}
	done
}
