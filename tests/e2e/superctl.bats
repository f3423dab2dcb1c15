# SPDX-License-Identifier: ISC
# superctl against the real daemon: exit codes, names, waiting, records, and the interface under it.
# What needs no daemon is in superctl-offline.bats.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "100ms" restart_delay = "50ms" }'
	cat >"$SD/conf.d/programs.conf" <<-END
		program "web" { command = "$SD/bin/stamp $SD/web.stamps run" }
		program "web-2" { command = "$SD/bin/stamp $SD/web-2.stamps run" }
		program "idle" { command = "$SD/bin/stamp $SD/idle.stamps run" autostart = false }
		program "held" {
			command = "/bin/sh -c 'trap \"until [ -e $SD/let-go ]; do sleep 0.05; done; exit\" TERM; >$SD/held; while :; do sleep 0.05; done'"
			autostart = false stop_timeout = "10min"
		}
		program "slow" { command = "$SD/bin/stamp $SD/slow.stamps run 1500" autostart = false }
		program "broken" { command = "/nonexistent/binary" autostart = false start_limit = 1 }
		program "failing" { command = "$SD/bin/stamp $SD/failing.stamps exit 9" autostart = false start_limit = 2 stable_after = "1h" }
	END
	sd_start
}

teardown_file() {
	sd_down_all
}

setup() {
	exits 0 sctl start web web-2
	exits any sctl stop idle slow broken failing
}

teardown() {
	sd_tell_failure
}

@test "superctl: 0, done or nothing to do" {
	exits 0 sctl start web
	exits 0 sctl stop idle
	exits 0 sctl status web
	exits 0 sctl status web web-2
	exits 0 sctl restart web
	exits 0 sctl start idle
	exits 0 sctl stop idle
	exits 0 sctl check
	exits 0 sctl apply
	exits 0 sctl version
	exits 0 sctl help
}

@test "superctl: 1, failed, with the reason" {
	exits 1 sctl start broken
	matches "$output" 'broken.*No such file or directory'
	exits 1 sctl start failing
	matches "$output" 'failing.*9'
	exits 1 sctl start web broken
	equals state "$(record web state)" RUNNING
}

@test "superctl: 2, usage" {
	exits 2 sctl no-such-verb
	exits 2 sctl start
	exits 2 sctl stop --no-such-option web
	exits 2 sctl signal NOSUCHSIGNAL web
}

@test "superctl: 3, a shown program is not running" {
	exits 3 sctl status idle
	exits 3 sctl status
	exits 3 sctl status web idle
}

@test "superctl: 4, no such program, or no daemon" {
	local verb

	for verb in start stop restart status logs; do
		exits 4 sctl "$verb" nosuch
		matches "$output" nosuch
	done
	exits 4 sctl signal HUP nosuch
	exits 4 "$SUPERCTL" -s "$SD/run/nothing.sock" status
	matches "$output" nothing.sock
}

@test "superctl: 4, and nothing done, when one of several names is wrong" {
	exits 4 sctl stop web nosuch
	equals state "$(record web state)" RUNNING
}

@test "superctl: 5, not allowed" {
	[ "$(id -u)" -eq 0 ] || skip "needs two users"
	cp "$SUPERCTL" "$SD/superctl"
	chmod 755 "$SD/superctl"
	exits 5 setpriv --reuid 65534 --regid 65534 --clear-groups "$SD/superctl" -s "$SD/run/control.sock" stop web
	equals state "$(record web state)" RUNNING
}

@test "superctl: 7, a signal for what is not running" {
	exits 7 sctl signal HUP idle
}

@test "superctl: signal reaches the program" {
	local pid

	pid=$(record web pid)
	exits 0 sctl signal KILL web
	wait_for "$PATIENCE" runs_anew web "$pid"
	equals last_exit "$(record web last_exit.signal)" KILL
	pid=$(record web pid)
	exits 0 sctl signal SIGUSR1 web
	wait_for "$PATIENCE" has web last_exit.signal USR1
}

@test "superctl: globs and all" {
	exits 0 sctl stop 'web*'
	equals states "$(record web state) $(record web-2 state)" "STOPPED STOPPED"
	exits 0 sctl start 'web*'
	equals states "$(record web state) $(record web-2 state)" "RUNNING RUNNING"
	equals state "$(record idle state)" STOPPED
	exits 4 sctl stop 'nothing*'
	exits 0 sctl status --json 'web*'
	equals records "$("$PYTHON" -ISc 'import json, sys; print(*sorted(r["name"] for r in json.load(sys.stdin)))' <<<"$output")" "web web-2"
	exits 0 sctl stop all
	exits 3 sctl status web
}

@test "superctl: waits for the result" {
	local before

	exits 0 sctl start slow
	equals state "$(record slow state)" RUNNING
	before=$(now_ms)
	exits 0 sctl stop slow
	at_least milliseconds $(($(now_ms) - before)) 1500
	equals state "$(record slow state)" STOPPED
}

@test "superctl: --no-wait and --timeout do not, and the command goes on" {
	local how

	for how in --no-wait --timeout=200ms; do
		rm -f "$SD/held" "$SD/let-go"
		exits 0 sctl start held
		wait_for "$PATIENCE" test -e "$SD/held"
		exits any sctl stop $how held
		equals "state, with $how" "$(record held state)" STOPPING
		touch "$SD/let-go"
		wait_state held STOPPED
	done
}

@test "superctl: restart gives a new process and counts it" {
	local pid starts

	pid=$(record web pid)
	starts=$(record web starts)
	exits 0 sctl restart web
	runs_anew web "$pid"
	equals starts "$(record web starts)" $((starts + 1))
	equals state "$(record web state)" RUNNING
}

@test "superctl: restart starts a stopped program" {
	exits 0 sctl restart idle
	equals state "$(record idle state)" RUNNING
}

@test "superctl: the socket from SUPERCTL_SOCKET" {
	exits 0 env SUPERCTL_SOCKET="$SD/run/control.sock" "$SUPERCTL" status web
	exits 0 env SUPERCTL_SOCKET="$SD/nothing" "$SUPERCTL" -s "$SD/run/control.sock" status web
}

@test "superctl: check tells what is wrong and changes nothing" {
	echo 'program "bad" { colour = 1 }' >"$SD/conf.d/bad.conf"
	exits 1 sctl check
	matches "$output" 'bad\.conf:1:'
	rm "$SD/conf.d/bad.conf"
	exits 0 sctl check
}

@test "superctl: a record has its fields, typed" {
	local pid

	exits any sctl stop idle
	pid=$(pgrep -f "^$SD/bin/stamp $SD/web.stamps")
	sctl status --json >"$SD/status.json" || true
	"$PYTHON" -IS - "$SD/status.json" "$pid" <<-'END'
		import json, re, sys
		records = {r["name"]: r for r in json.load(open(sys.argv[1]))}
		assert list(records) == sorted(records), list(records)
		assert len(records) == 7, records
		web, idle = records["web"], records["idle"]
		fields = {"name": str, "program": str, "instance": int, "state": str, "wanted": str, "pid": int, "since": str,
		    "starts": int, "reason": str, "status_text": str, "ready": bool, "tracking": str, "reloading": bool,
		    "memory_bytes": int, "cpu_ms": int, "files_differ": bool, "enabled": bool, "pending": list}
		for name, kind in fields.items():
		    assert type(web[name]) is kind, (name, web[name])
		assert set(web) == set(fields) | {"last_exit", "health"}, sorted(web)
		assert web["health"] is None and not web["reloading"], web
		assert web["tracking"] in ("cgroup", "session"), web
		assert web["program"] == "web" and web["state"] == "RUNNING" and web["wanted"] == "up", web
		assert web["pid"] == int(sys.argv[2]), web
		assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", web["since"]), web
		assert web["memory_bytes"] > 4096, web
		assert idle["pid"] is None and idle["state"] == "STOPPED" and idle["wanted"] == "down", idle
		assert idle["memory_bytes"] is None, idle
	END
}

@test "varlink: the service describes itself" {
	exits 0 varlink org.varlink.service.GetInfo
	matches "$output" 'io\.superctl'
	exits 0 varlink org.varlink.service.GetInterfaceDescription '{"interface": "io.superctl"}'
	equals description "$(json_field parameters.description <<<"$output")" "$(cat "$ROOT/lib/io.superctl.varlink")"
}

@test "varlink: errors are told by name" {
	exits 0 varlink io.superctl.NoSuchMethod
	matches "$output" 'org\.varlink\.service\.MethodNotFound'
	exits 0 varlink io.superctl.Start '{"names": ["nosuch"]}'
	equals error "$(json_field error <<<"$output")" io.superctl.NoSuchProgram
	exits 0 varlink io.superctl.Start '{"names": ["wbe"]}'
	matches "$(json_field parameters.nearest <<<"$output")" '^web'
	exits 0 varlink io.superctl.Start '{"names": "web"}'
	matches "$output" 'InvalidParameter'
	exits 0 varlink io.superctl.Signal '{"names": ["idle"], "signal": "HUP"}'
	equals "ok of a signal to what is not running" "$(json_field parameters.results 0 ok <<<"$output")" false
}

@test "varlink: a client that sends rubbish, too much, or nothing disturbs nobody" {
	"$PYTHON" -IS - "$SD/run/control.sock" <<-'END'
		import socket, sys
		def connection():
		    s = socket.socket(socket.AF_UNIX)
		    s.settimeout(10)
		    s.connect(sys.argv[1])
		    return s
		def is_closed(s):
		    try:
		        while s.recv(65536):
		            pass
		    except ConnectionResetError:
		        pass
		    return True
		idle = [connection() for _ in range(50)]
		s = connection()
		s.sendall(b"this is no JSON\0")
		assert is_closed(s)
		s = connection()
		s.sendall(b"{" * 100000 + b"\0")
		assert is_closed(s)
		s = connection()
		try:
		    for _ in range(64):
		        s.sendall(b"x" * 65536)
		except (BrokenPipeError, ConnectionResetError):
		    pass
		assert is_closed(s)
		s = connection()
		s.sendall(b'{"method": "io.superctl.Status", "parameters": {"names": []}}\0' * 2)
		got = b""
		while got.count(b"\0") < 2:
		    got += s.recv(65536)
	END
	exits 0 sctl status web
}

@test "superctl: config show prints what is applied, as it could stand in a file" {
	exits 0 sctl config show web idle
	matches "$output" "# $SD/conf.d/programs.conf:1"
	matches "$output" 'program "web" \{'
	matches "$output" 'autostart = true  # default'
	matches "$output" 'autostart = false'
	printf '%s\n' "$output" >"$SD/shown.conf"
	exits 0 "$SUPERCTL" check "$SD/shown.conf"
	exits 0 sctl config show
	matches "$output" "run_dir = \"$SD/run\""
	[[ $output != *"# default"* ]]
	# What is applied, not what the files say by now.
	cp "$SD/conf.d/programs.conf" "$SD/kept"
	sed -i 's/idle.stamps run"/& umask = "077"/' "$SD/conf.d/programs.conf"
	exits 0 sctl config show idle
	[[ $output == *"umask = 022  # default"* ]]
	exits 0 sctl apply
	exits 0 sctl config show --json idle
	equals umask "$("$PYTHON" -ISc 'import json, sys; print(*[v["value"] for v in json.load(sys.stdin)[0]["values"] if v["key"] == "umask" and v["given"]])' <<<"$output")" 077
	cp "$SD/kept" "$SD/conf.d/programs.conf"
	exits 0 sctl apply
	exits 4 sctl config show nosuch
}

@test "superctl: --json of commands is one array of results, --quiet is silent" {
	exits 1 sctl start --json web broken
	equals results "$("$PYTHON" -ISc 'import json, sys; print(*sorted((r["name"], r["ok"]) for r in json.load(sys.stdin)))' <<<"$output")" "('broken', False) ('web', True)"
	exits 0 sctl -q stop web
	[ -z "$output" ]
	exits 1 sctl -q start broken
	matches "$output" 'broken'
}
