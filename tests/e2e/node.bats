#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# cluster = …: an application that knows nothing of it, on several workers.

load lib.bash

setup_file() {
	command -v "${NODE:-node}" >/dev/null || skip "there is no node here"
	sd_new 'defaults { stable_after = "50ms" restart_delay = "50ms" stop_timeout = "10s" }'
	# What a test asks for by its port is a worker's that it knows.
	PORT=$("$PYTHON" -ISc 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	export PORT
	cat >"$SD/app.js" <<-END
		const cluster = require('node:cluster');
		require('node:http').createServer((request, response) => {
			response.setHeader('Connection', 'close');
			setTimeout(() => response.end(process.pid + ' ' + cluster.isWorker), request.url === '/slow' ? 300 : 0);
		}).listen($PORT, '127.0.0.1');
		process.on('message', (message) => message === 'leave' ? cluster.worker.disconnect() : process.send({ got: message }));
	END
	sd_start
	stanza web <<-END
		program "web" {
			command        = "${NODE:-node} $SD/app.js"
			instances      = 2
			cluster        = "round-robin"
			cluster_listen = {"tcp:127.0.0.1:$PORT"}
		}
	END
	wait_state web@1 RUNNING
	wait_state web@2 RUNNING
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

get() {
	curl -sS --max-time "$PATIENCE" "http://127.0.0.1:$PORT${1:-/}"
}

# Who answers six requests, each once.
answers() {
	local i

	for ((i = 0; i < 6; i++)); do
		get || return
		echo
	done | sort -u
}

workers() {
	printf '%s true\n%s true\n' "$(record web@1 pid)" "$(record web@2 pid)" | sort
}

# primary [PROGRAM]: the pid of its primary.
primary() {
	host_pid "$(record "${1:-web}+cluster" pid)"
}

# Requests without a pause until the file "enough" is there; their failures are lines of the file "lost".
ask_on() {
	while [ ! -e "$SD/enough" ]; do
		if get >/dev/null 2>>"$SD/lost"; then
			echo >>"$SD/served"
		fi
	done
}

@test "each instance is a worker that listens, and gets its turn" {
	has web@1 reason "ready (listening)"
	equals "who answers" "$(answers)" "$(workers)"
}

@test "messages go both ways by way of the primary" {
	sctl send web@2 '{"a":1}'
	wait_for "$PATIENCE" eval "sctl messages web@2 | grep -qF '{\"got\":{\"a\":1}}'"
}

@test "primary and engine are killed: requests wait or go on, and the workers are the same" {
	local before client
	before=$(workers)
	for victim in primary engine primary; do
		get /slow >"$SD/slow" &
		client=$!
		if [ "$victim" = engine ]; then
			kill_role engine
		else
			kill -KILL "$(primary)"
		fi
		get >/dev/null
		wait "$client"
		wait_for "$PATIENCE" sd_serves
	done
	wait_state web+cluster RUNNING
	equals "who answers" "$(answers)" "$before"
}

@test "restarts of one worker after the other, the primary and the engine killed meanwhile, lose no request" {
	local clients=() i
	rm -f "$SD/enough" "$SD/lost" "$SD/served"
	for i in 1 2; do
		ask_on &
		clients+=($!)
	done
	for i in 1 2 1 2; do
		sctl restart "web@$i"
	done
	kill -KILL "$(primary)"
	sctl restart web@1
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	sctl restart web@2
	wait_for "$PATIENCE" at_least "requests" "$(count_lines "$SD/served")" 20
	touch "$SD/enough"
	wait "${clients[@]}"
	equals "lost" "$(cat "$SD/lost")" ""
	equals "who answers" "$(answers)" "$(workers)"
}

@test "a worker that is killed loses its turn only" {
	local pid
	pid=$(record web@1 pid)
	kill_program web@1
	wait_for "$PATIENCE" runs_anew web@1 "$pid"
	wait_state web@1 RUNNING
	equals "who answers" "$(answers)" "$(workers)"
}

@test "worker.disconnect(): it ends by itself and is started again" {
	local pid
	pid=$(record web@2 pid)
	sctl send web@2 '"leave"'
	wait_for "$PATIENCE" file_has "$SD/own.log" "web@2: disconnects from its cluster of its own accord"
	wait_for "$PATIENCE" has web@2 state EXITED
	sctl start web@2
	wait_state web@2 RUNNING
	equals "who answers" "$(answers)" "$(workers)"
}

@test "all workers stopped: who connects waits for the next one" {
	local client
	sctl stop web
	get >"$SD/waited" &
	client=$!
	sctl start web
	wait "$client"
	matches "$(cat "$SD/waited")" "^[0-9]+ true$"
}

@test "what cluster_listen does not allow is EACCES, and the log says which key" {
	stanza other <<-END
		program "other" {
			command        = {"${NODE:-node}", "-e", "require('http').createServer().listen(1, '127.0.0.1').on('error', e => { console.log(e.code); process.exit(9) })", "x"}
			cluster        = "shared"
			restart        = "never"
		}
	END
	wait_for "$PATIENCE" has other last_exit.status 9
	log_has other EACCES
	wait_for "$PATIENCE" log_has other+cluster "may not listen on port 1 of 127.0.0.1: cluster_listen has no tcp:1"
}

@test "a privileged port: bound for a user who may not, if the stanza names it, and nothing else is" {
	local host=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)) name
	[ "$(id -u)" -eq 0 ] || skip "only root has a privilege to lend"
	[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 1023 ] || skip "no port needs a privilege here"
	# Answers with its uid; tells errors by their names.
	cat >"$SD/port.js" <<-'END'
		for (const place of process.argv.slice(2)) {
			const [host, port] = place.split(' ');
			const words = port ? { host, port: Number(port) } : { path: host };
			require('node:http').createServer((request, response) => response.end(String(process.getuid())))
				.on('error', (error) => console.log(place, error.code)).listen(words);
		}
		setInterval(() => {}, 1000);
	END
	mkdir -m 700 "$SD/closed"
	for name in round-robin shared reuse-port; do
		stanza_file "$name" <<-END
			program "$name" {
				command = {"${NODE:-node}", "$SD/port.js", "$host 1010", "$host 1011", "$SD/closed/web.sock"}
				instances = 2
				user = "nobody"
				stop_timeout = "200ms"
				cluster = "$name"
				cluster_listen = {"tcp:$host:1010", "tcp:*", "unix:*"}
			}
		END
		exits any sctl apply --timeout 60s
		wait_state "$name@1" RUNNING
		wait_state "$name@2" RUNNING
		equals "the uid of who answers" "$(curl -sS --max-time "$PATIENCE" "http://$host:1010/")" "$(id -u nobody)"
		equals "the uid of the primary" "$(awk '/^Uid:/ { print $2, $3 }' "/proc/$(record "$name+cluster" pid)/status")" \
			"$(id -u nobody) $(id -u nobody)"
		wait_for "$PATIENCE" log_has "$name@1" "^$host 1011 EACCES"
		wait_for "$PATIENCE" log_has "$name@2" "^$SD/closed/web.sock EACCES"
		wait_for "$PATIENCE" log_has "$name+cluster" "worker 2 cannot listen on $SD/closed/web.sock.*: Permission denied"
		# Killed, both know it again.
		kill -KILL "$(host_pid "$(record "$name+cluster" pid)")"
		kill_role engine
		wait_for "$PATIENCE" sd_serves
		equals "the uid of who answers" "$(curl -sS --max-time "$PATIENCE" "http://$host:1010/")" "$(id -u nobody)"
		rm "$SD/conf.d/$name.conf"
		exits 0 sctl apply --timeout 60s
		exits 7 curl -sS "http://$host:1010/"
	done
}

# 400 descriptors: more than the link to a primary has room for at once.
@test "a primary that is killed gets all that a hundred workers have with three sockets each" {
	local pid
	# Says blindly what Node would, and reads nothing.
	cat >"$SD/worker.sh" <<-'END'
		{
			echo '{"cmd":"NODE_CLUSTER","act":"online","seq":1}'
			for i in 1 2 3; do
				echo '{"cmd":"NODE_CLUSTER","act":"queryServer","address":"127.0.0.1","port":0,"addressType":4,"index":'$i',"seq":'$i'}'
				echo '{"cmd":"NODE_HANDLE_ACK"}'
				echo '{"cmd":"NODE_CLUSTER","act":"listening","address":"127.0.0.1","port":0,"addressType":4,"index":'$i'}'
			done
		} >&3 # NODE_CHANNEL_FD; a variable cannot stand here
		exec sleep 1000000
	END
	stanza many <<-END
		program "many" { command = "sh $SD/worker.sh" instances = 100 cluster = "reuse-port" stop_signal = "KILL" stop_timeout = "200ms" }
	END
	wait_state many@100 RUNNING
	wait_state many+cluster RUNNING
	pid=$(record many+cluster pid)
	kill -KILL "$(primary many)"
	wait_for "$PATIENCE" runs_anew many+cluster "$pid"
	# Ready only if the primary knows it, and the sockets of the run before.
	exits 0 sctl restart --timeout 60s many@1 many@100
	rm "$SD/conf.d/many.conf"
	exits 0 sctl apply --timeout 60s
}

@test "keys that do not fit are told at the check" {
	stanza_file wrong <<-'END'
		program "a" { command = "x" cluster = "shared" cluster_listen = {"8080"} }
		program "b" { command = "x" cluster_listen = {"tcp:80"} }
		program "c" { command = "x" ready = "listening" }
	END
	exits 1 sctl check
	rm "$SD/conf.d/wrong.conf"
	matches "$output" "wrong.conf:1: cluster_listen: '8080' is no place to listen"
	matches "$output" "wrong.conf:2: cluster_listen: is for the workers of a cluster"
	matches "$output" "wrong.conf:3: ready: 'listening' is for the workers of a cluster"
}

@test "an express application" {
	local port
	[ -d "$OUT/npm/node_modules/express" ] || skip "express is not there: tests/e2e/node/fetch gets it"
	cat >"$SD/express.js" <<-END
		const express = require('$OUT/npm/node_modules/express');
		const app = express();
		app.get('/hello/:name', (request, response) => response.json({ hello: request.params.name, pid: process.pid }));
		const server = app.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
	END
	stanza express <<-END
		program "express" { command = "${NODE:-node} $SD/express.js" instances = 2 cluster = "round-robin" }
	END
	wait_state express@1 RUNNING
	wait_state express@2 RUNNING
	wait_for "$PATIENCE" log_has express@1 port
	wait_for "$PATIENCE" log_has express@2 port
	port=$(log_text express@1 | sed -n 's/^port //p')
	equals "the port of the other" "$(log_text express@2)" "port $port"
	equals "workers that answer" "$(for i in 1 2 3 4; do
		curl -sS -H 'Connection: close' "http://127.0.0.1:$port/hello/you" | json_field pid
	done | sort -u | wc -l)" 2
}

@test "websockets: a restart cuts those of its worker after stop_timeout, not those of others" {
	local port client
	[ -d "$OUT/npm/node_modules/ws" ] || skip "ws is not there: tests/e2e/node/fetch gets it"
	port=$("$PYTHON" -ISc 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	cat >"$SD/ws.js" <<-END
		const server = require('node:http').createServer().listen($port, '127.0.0.1');
		new (require('$OUT/npm/node_modules/ws').WebSocketServer)({ server }).on('connection', (socket) => {
			socket.on('message', (text) => socket.send(text + ' ' + process.pid));
		});
	END
	# Two connections, one a worker; says who each is with, and when one is cut; "ping" is for the one that is left.
	cat >"$SD/client.js" <<-END
		const WebSocket = require('$OUT/npm/node_modules/ws');
		for (const name of ['a', 'b']) {
			const socket = new WebSocket('ws://127.0.0.1:$port');
			socket.on('open', () => socket.send(name));
			socket.on('message', (text) => console.log(String(text)));
			socket.on('close', () => console.log('cut', name));
			process.on('SIGUSR2', () => socket.readyState === 1 && socket.send('ping'));
		}
	END
	stanza ws <<-END
		program "ws" { command = "${NODE:-node} $SD/ws.js" instances = 2 cluster = "round-robin" stop_timeout = "500ms" }
	END
	wait_state ws@1 RUNNING
	wait_state ws@2 RUNNING
	"${NODE:-node}" "$SD/client.js" >"$SD/client.out" 3>&- &
	client=$!
	wait_for "$PATIENCE" has_lines "$SD/client.out" 2
	file_has "$SD/client.out" "$(record ws@1 pid)"
	file_has "$SD/client.out" "$(record ws@2 pid)"
	sctl restart ws@1
	wait_for "$PATIENCE" has_lines "$SD/client.out" 3
	kill -USR2 "$client"
	wait_for "$PATIENCE" file_has "$SD/client.out" "ping $(record ws@2 pid)"
	equals "cut" "$(grep -c cut "$SD/client.out")" 1
	kill "$client"
}
