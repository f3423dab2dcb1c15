#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The primary with other versions of Node, and with Bun and Deno, as far as they speak its protocol.  What `make check-node`
# runs, after tests/e2e/node/fetch: not a part of `make check`.

BATS_TEST_DIRNAME=${BATS_TEST_DIRNAME%/node} # lib.bash lives there
load lib.bash

setup_file() {
	export SCRATCH=$BATS_FILE_TMPDIR MODULES=$OUT/npm/node_modules
	export CLUSTER=$OUT/libexec/supervisord/cluster KEY=$SCRATCH/key CERT=$SCRATCH/cert
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$KEY" -out "$CERT" -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost 2>/dev/null
}

teardown_file() {
	sd_down_all
}

# node_is VERSION NAME...: each part of cluster_engine.py with that version.
node_is() {
	local version=$1 name

	shift
	[ -x "$MODULES/node$version/bin/node" ] || skip "node $version is not there: tests/e2e/node/fetch node$version"
	for name in "$@"; do
		NODE=$MODULES/node$version/bin/node "$PYTHON" -S "$ROOT/tests/e2e/cluster_engine.py" "$name" || {
			echo "with Node $version: $name" >&2
			return 1
		}
	done
}

# rolling_is VERSION: noderolling.bats with that version.
rolling_is() {
	[ -x "$MODULES/node$1/bin/node" ] || skip "node $1 is not there: tests/e2e/node/fetch node$1"
	NODE=$MODULES/node$1/bin/node bats "$ROOT/tests/e2e/noderolling.bats"
}

readonly PARTS=(round_robin other_modes port_0 errors path path_for_all udp tickets killed_unanswered refusals disconnect leaving slot_left_empty replaced
	ready_when_all_listen closed_by_itself listening_again messages too_much primary_killed primary_killed_shared exclusive)

@test "Node 16" { node_is 16 "${PARTS[@]}"; }
@test "Node 18" { node_is 18 "${PARTS[@]}"; }
@test "Node 22" { node_is 22 "${PARTS[@]}"; }
@test "Node 24" { node_is 24 "${PARTS[@]}"; }
@test "Node 26" { node_is 26 "${PARTS[@]}"; }
@test "Node 16: rolling updates lose nothing" { rolling_is 16; }
@test "Node 18: rolling updates lose nothing" { rolling_is 18; }
@test "Node 22: rolling updates lose nothing" { rolling_is 22; }
@test "Node 24: rolling updates lose nothing" { rolling_is 24; }
@test "Node 26: rolling updates lose nothing" { rolling_is 26; }

# What supervisord.conf(5) says of Deno: connections that are dealt out, and nothing else.
@test "Deno: round-robin" {
	local name

	[ -x "$MODULES/deno/deno" ] || skip "deno is not there: tests/e2e/node/fetch deno"
	for name in round_robin port_0 path killed_unanswered disconnect leaving ready_when_all_listen primary_killed; do
		NODE="$MODULES/deno/deno run -A" "$PYTHON" -S "$ROOT/tests/e2e/cluster_engine.py" "$name" || {
			echo "with Deno: $name" >&2
			return 1
		}
	done
}

# ipc_is COMMAND: an IPC channel both ways, and ready = ipc.
ipc_is() {
	sd_new
	cat >"$SD/app.cjs" <<-'END_OF_APP'
		process.on('message', (message) => process.send({ answer: message }));
		process.send('ready');
	END_OF_APP
	stanza_file app <<-END_OF_STANZA
		program "app" { command = "$1 $SD/app.cjs" ipc = true ready = "ipc" }
	END_OF_STANZA
	sd_start
	wait_state app RUNNING
	sctl send app '{"ü":[true]}'
	wait_for "$PATIENCE" eval "sctl messages app | grep -qF '{\"answer\":{\"ü\":[true]}}'"
	sd_down
}

@test "Deno: an IPC channel" {
	[ -x "$MODULES/deno/deno" ] || skip "deno is not there: tests/e2e/node/fetch deno"
	ipc_is "$MODULES/deno/deno run -A"
}

@test "Bun: an IPC channel" {
	[ -x "$MODULES/bun/bin/bun" ] || skip "bun is not there: tests/e2e/node/fetch bun"
	ipc_is "$MODULES/bun/bin/bun"
}
