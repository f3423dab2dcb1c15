#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# tests/run: long
# Clusters of Node workers that are replaced one after the other: under load no request is lost, and what the new ones lack
# is found out before the old ones go.  `make soak-node` has many more restarts.

load lib.bash

setup_file() {
	command -v "${NODE:-node}" >/dev/null || skip "there is no node here"
	sd_new 'defaults { stable_after = "20ms" restart_delay = "20ms" stop_timeout = "10s" cluster_gap = "100ms" }'
	# Says in each answer who it is and of which generation; PORTS are what it listens on; talks to what is upgraded.
	cat >"$SD/app.js" <<-'END'
		const server = () => require('node:http').createServer((request, response) => {
			setTimeout(() => response.end(process.env.GENERATION + ' ' + process.pid + '\n'), request.url === '/slow' ? 200 : 0);
		}).on('upgrade', (request, socket) => {
			socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
			socket.on('data', (data) => socket.write(data)).on('end', () => socket.end()).on('error', () => {});
		});
		for (const port of process.env.PORTS.split(','))
			server().listen(Number(port), '127.0.0.1', () => process.env.SAYS && process.send({ type: 'ready' }));
	END
	sd_start
}

teardown_file() {
	sd_down_all
}

setup() {
	PORT=$(free_port)
	GAP=100ms
	LOAD=()
}

teardown() {
	sd_tell_failure
	[ "${#LOAD[@]}" -eq 0 ] || kill -INT "${LOAD[@]}" 2>/dev/null || true
	rm -f "$SD/conf.d/web.conf"
	exits any sctl apply --timeout 60s
}

free_port() {
	"$PYTHON" -ISc 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# web_stanza GENERATION INSTANCES [LINE]...: workers that listen on $PORTS, or else $PORT.
web_stanza() {
	local generation=$1 count=$2

	shift 2
	stanza_file web <<-END
		program "web" {
			command = "${NODE:-node} $SD/app.js"
			environment = {"GENERATION=$generation", "PORTS=${PORTS:-$PORT}", "SAYS=${SAYS:-}"}
			instances = $count
			cluster = "${MODE:-round-robin}"
			cluster_gap = "$GAP"
			$(printf '%s\n' "$@")
		}
	END
}

web_up() {
	local number

	web_stanza "$@"
	sctl apply --timeout 60s
	for ((number = 1; number <= $2; number++)); do
		wait_state "web$([ "$2" -eq 1 ] || echo "@$number")" RUNNING
	done
}

get() {
	curl -sS --max-time "$PATIENCE" "http://127.0.0.1:$PORT/"
}

# The generations that answer, each once.
generations() {
	local i

	for ((i = 0; i < 6; i++)); do
		get || return
	done | cut -d' ' -f1 | sort -u | tr '\n' ' '
}

# load_begin: wrk with connections that are kept and with one for each request, until load_end, which says how many requests
# there were and fails when one was lost.  One that only waits, for a worker to come back, is not.
load_begin() {
	command -v wrk >/dev/null || skip "there is no wrk here"
	wrk -t1 -c8 -d3600s --timeout "$PATIENCE" "http://127.0.0.1:$PORT/" >"$SD/load.keep" 2>&1 3>&- 4>&- &
	LOAD=($!)
	wrk -t1 -c8 -d3600s --timeout "$PATIENCE" -H 'Connection: close' "http://127.0.0.1:$PORT/" >"$SD/load.close" 2>&1 3>&- 4>&- &
	LOAD+=($!)
	wait_for "$PATIENCE" is_under_load
}

is_under_load() {
	[ "$(ss -tnH state established "dport = :$PORT" | wc -l)" -ge 8 ]
}

load_stop() {
	local pid

	for pid in "${LOAD[@]}"; do
		kill -INT "$pid"
		wait "$pid" || true
	done
	LOAD=()
	cat "$SD"/load.*
}

load_end() {
	load_stop
	equals "loads" "$(grep -l '^Requests/sec' "$SD"/load.* | wc -l)" 2
	run -1 grep -E "Socket errors|Non-2xx" "$SD"/load.*
}

# restarts COUNT: so many times all workers of web, each a process of its own every time.
restarts() {
	local i before

	for ((i = 0; i < $1; i++)); do
		before=$(web_pids)
		exits 0 sctl restart --rolling --timeout 120s web
		[ -z "$(comm -12 <(echo "$before") <(web_pids))" ]
	done
}

web_pids() {
	sctl status --json | "$PYTHON" -ISc '
import json, sys
for pid in sorted(str(record["pid"]) for record in json.load(sys.stdin) if record["program"] == "web"):
    print(pid)'
}

# lose_nothing UPDATE: rolling restarts under load.
lose_nothing() {
	web_up 1 2 "update = \"$1\""
	load_begin
	restarts "${SD_RESTARTS:-2}"
	load_end
}

@test "rolling loses no request" { lose_nothing rolling; }
@test "start-first loses no request" { lose_nothing start-first; }
@test "with a shared socket, too" { MODE=shared lose_nothing rolling; }
@test "with a socket each, too" { MODE=reuse-port lose_nothing start-first; }

@test "engine and primary are killed meanwhile: nothing is lost, and all are replaced" {
	local before
	web_up 1 2 'update = "start-first"'
	load_begin
	for victim in engine primary engine primary; do
		before=$(web_pids)
		sctl restart --rolling --no-wait web
		wait_for "$PATIENCE" some_is_replaced "$before"
		if [ "$victim" = engine ]; then
			kill_role engine
			wait_for "$PATIENCE" sd_serves
		else
			kill -KILL "$(host_pid "$(record web+cluster pid)")"
		fi
		wait_for "$PATIENCE" all_are_replaced "$before"
	done
	# What the killed primary had accepted and not handed over is all that may be lost.
	load_stop
	run -1 grep -E 'Non-2xx|connect [1-9]|timeout [1-9]' "$SD"/load.*
	at_most "connections lost" "$(cat "$SD"/load.* | awk '/Socket errors/ { lost += $6 } END { print lost + 0 }')" 4
}

some_is_replaced() {
	[ -n "$(comm -13 <(echo "$1") <(web_pids))" ]
}

all_are_replaced() {
	[ -z "$(comm -12 <(echo "$1") <(web_pids))" ] && [ "$(web_pids | wc -l)" -eq "$(echo "$1" | wc -l)" ] &&
		[[ $(sctl status) != *"in its turn"* ]] && is_state web@1 RUNNING && is_state web@2 RUNNING
}

@test "apply: a new generation, with its environment; then it is all that answers" {
	web_up 1 2 'update = "rolling"'
	equals "who answers" "$(generations)" "1 "
	web_stanza 2 2 'update = "rolling"'
	exits 0 sctl apply --timeout 120s
	equals "who answers" "$(generations)" "2 "
}

@test "a new generation that lacks a listener is not ready: the update is given up, the old one serves, the log says which" {
	local second other
	other=$(free_port)
	PORTS=$PORT,$other web_up 1 2 'update = "rolling"' 'start_timeout = "10s"' 'start_limit = 1' 'stop_timeout = "200ms"'
	second=$(record web@2 pid)
	PORTS=$PORT web_stanza 2 2 'update = "rolling"' 'start_timeout = "1s"' 'start_limit = 1' 'stop_timeout = "200ms"'
	exits 1 sctl apply --timeout 120s
	matches "$output" 'web@2: not replaced: the rolling update was given up'
	equals "the second" "$(record web@2 pid)" "$second"
	equals "who answers" "$(generations)" "1 "
	wait_for "$PATIENCE" log_has web+cluster "worker 1 has never been ready: it did not listen on 127.0.0.1:$other"
	# What has really moved is ready at the second try.
	PORTS=$PORT web_stanza 3 2 'update = "stop-start"' 'start_timeout = "1s"' 'stop_timeout = "200ms"'
	exits any sctl apply --timeout 120s
	wait_state web@1 RUNNING
	wait_state web@2 RUNNING
	equals "who answers" "$(generations)" "3 "
	wait_for "$PATIENCE" log_has web+cluster "127.0.0.1:$other:4: no worker listens on it any more: closed"
}

@test "ready = ipc: the application says so itself, may move to another port, and the old one is closed" {
	local old=$PORT
	SAYS=1 web_up 1 2 'update = "start-first"' 'ready = "ipc"'
	PORT=$(free_port)
	SAYS=1 web_stanza 2 2 'update = "start-first"' 'ready = "ipc"'
	exits 0 sctl apply --timeout 120s
	equals "who answers" "$(generations)" "2 "
	wait_for "$PATIENCE" log_has web+cluster "127.0.0.1:$old:4: no worker listens on it any more: closed"
	exits 7 curl -sS "http://127.0.0.1:$old/"
}

@test "a connection that was upgraded keeps its worker until stop_timeout, new ones are with the new generation" {
	local pid client
	web_up 1 1 'update = "start-first"' 'stop_timeout = "60s"'
	pid=$(record web pid)
	"$PYTHON" -S "$BATS_TEST_DIRNAME/upgraded.py" "$PORT" "$SD/said" >"$SD/heard" 3>&- 4>&- &
	client=$!
	wait_for "$PATIENCE" file_has "$SD/heard" open
	web_stanza 2 1 'update = "start-first"' 'stop_timeout = "60s"'
	exits any sctl apply --no-wait
	# The extra one serves, the old one has only this connection left.
	wait_for "$PATIENCE" has web state STOPPING
	echo during >"$SD/said"
	wait_for "$PATIENCE" file_has "$SD/heard" during
	equals "its worker" "$(record web pid)" "$pid"
	equals "who answers" "$(generations)" "2 "
	# It goes by itself: its worker ends, and the update goes on.
	echo bye >"$SD/said"
	wait "$client"
	wait_state web RUNNING
	wait_for "$PATIENCE" exits 4 sctl status web@2
	equals "who answers" "$(generations)" "2 "

	# One that stays is cut.
	rm -f "$SD/said"
	web_stanza 3 1 'update = "start-first"' 'stop_timeout = "300ms"'
	"$PYTHON" -S "$BATS_TEST_DIRNAME/upgraded.py" "$PORT" "$SD/said" >"$SD/heard" 3>&- 4>&- &
	client=$!
	wait_for "$PATIENCE" file_has "$SD/heard" open
	exits 0 sctl apply --timeout 120s
	wait "$client"
	equals "what it heard last" "$(last_line "$SD/heard")" cut
}

@test "two at once, fewer instances and a stop in the middle: what was wanted last is what is" {
	local before
	web_up 1 3 'update = "rolling"'
	load_begin
	before=$(web_pids)
	sctl restart --rolling --no-wait web
	wait_for "$PATIENCE" some_is_replaced "$before"
	exits 0 sctl restart --rolling --timeout 120s web
	equals "workers that are left" "$(comm -12 <(echo "$before") <(web_pids))" ""
	sctl restart --rolling --no-wait web
	exits 0 sctl scale --timeout 120s web=1
	load_end
	wait_for "$PATIENCE" exits 4 sctl status web@3
	equals "workers" "$(web_pids | wc -l)" 1
	# A worker that crashes while its turn is to come is replaced then, or already is.
	web_stanza 2 2 'update = "rolling"'
	exits 0 sctl apply --timeout 120s
	wait_state web@2 RUNNING
	sctl restart --rolling --no-wait web
	wait_for "$PATIENCE" kill_program web@2
	wait_for "$PATIENCE" eval "[[ \$(sctl status) != *'in its turn'* ]]"
	wait_state web@1 RUNNING
	wait_state web@2 RUNNING
	sctl restart --rolling --no-wait web
	exits 0 sctl stop web
	equals "state" "$(record web@1 state) $(record web@2 state)" "STOPPED STOPPED"
	sctl start web
	equals "who answers" "$(generations)" "2 "
}

@test "NODE_OPTIONS of the stanza stay, the application sees only these, and its children none of ours" {
	stanza_file web <<-END
		program "web" {
			command = {"${NODE:-node}", "$SD/options.js"}
			environment = {"NODE_OPTIONS=--stack-trace-limit=7"}
			cluster = "round-robin"
			ready = "none"
		}
		program "bare" { command = {"${NODE:-node}", "$SD/options.js"} cluster = "round-robin" ready = "none" }
		program "gapless" { command = {"${NODE:-node}", "$SD/options.js"} cluster = "shared" cluster_gap = "0s" ready = "none" }
	END
	cat >"$SD/options.js" <<-'END'
		const options = JSON.stringify(process.env.NODE_OPTIONS);
		const told = process.listenerCount('internalMessage');
		console.log('options', options, Error.stackTraceLimit);
		console.log('listeners', told);
		console.log('child', require('node:child_process').execFileSync(process.execPath,
			['-p', 'Error.stackTraceLimit + " " + process.env.NODE_OPTIONS'], { encoding: 'utf8' }));
	END
	exits any sctl apply --timeout 60s
	wait_for "$PATIENCE" log_has web '^child 7 --stack-trace-limit=7$'
	log_has web '^options "--stack-trace-limit=7" 7$'
	wait_for "$PATIENCE" log_has bare '^child 10 undefined$'
	log_has bare '^options undefined 10$'
	# Without a gap there is nothing to be told.
	wait_for "$PATIENCE" log_has gapless '^options undefined 10$'
	equals "who listens" "$(log_text gapless | grep listeners)" \
		"listeners $(($(log_text bare | sed -n 's/^listeners //p') - 1))"
	rm -f "$SD/conf.d/web.conf"
}
