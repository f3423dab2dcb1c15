#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# superctl without a supervisord: its command line, and its talk with a daemon that answers from a table.

bats_require_minimum_version 1.5.0

setup_file() {
	local root

	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	O=${O:-build}
	[[ $O == /* ]] || O=$root/$O
	export SUPERCTL=$O/bin/superctl
	export FAKE=$BATS_TEST_DIRNAME/fake_daemon.py
}

setup() {
	unset SUPERCTL_SOCKET NO_COLOR
	WORK=$(mktemp -d /tmp/superctl.XXXXXX)
	SOCKET=$WORK/control.sock
	FAKE_PID=
	CTL_PID=
}

teardown() {
	[ -z "$CTL_PID" ] || kill "$CTL_PID" 2>/dev/null || true
	[ -z "$FAKE_PID" ] || kill "$FAKE_PID" 2>/dev/null || true
	rm -rf "$WORK"
}

# Until a command succeeds; a test that fails waits long.
wait_for() {
	local end=$((SECONDS + ${SD_PATIENCE:-60}))

	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# The table is read from stdin.
start_fake() {
	cat >"$WORK/table.json"
	python3 "$FAKE" "$SOCKET" "$WORK/table.json" 3>&- &
	FAKE_PID=$!
	wait_for test -e "$SOCKET.ready"
}

ctl() {
	"$SUPERCTL" -s "$SOCKET" "$@"
}

# record NAME STATE PID REASON
record() {
	printf '{"name":"%s","program":"%s","instance":0,"state":"%s","wanted":"up","pid":%s,' "$1" "$1" "$2" "$3"
	printf '"since":"2026-01-31T12:00:00.000Z","starts":1,"last_exit":null,"reason":"%s",' "$4"
	printf '"status_text":"","ready":true,"health":null,"tracking":"cgroup","reloading":false,"memory_bytes":null,"cpu_ms":null}'
}

# result NAME OK MESSAGE [PID [CHANGED]]
result() {
	printf '{"name":"%s","ok":%s,"changed":%s,"message":"%s","program":%s}' \
		"$1" "$2" "${5:-$2}" "$3" "$(record "$1" STOPPED "${4:-null}" "")"
}

@test "usage: nothing given exits 2 with the list of commands on stderr" {
	run -2 --separate-stderr "$SUPERCTL"
	[ -z "$output" ]
	[[ $stderr == "usage: superctl "* ]]
}

@test "help: -h, --help and help print all commands and exit 0" {
	for words in -h --help help; do
		run -0 --separate-stderr "$SUPERCTL" $words
		[ -z "$stderr" ]
		for verb in start stop restart reload status logs signal apply check shutdown version help; do
			[[ $output == *$'\n'"  $verb "* ]]
		done
	done
}

@test "help VERB: each verb has its own, with its options" {
	run -0 "$SUPERCTL" help start
	[[ $output == *--no-wait* && $output == *"--timeout DURATION"* && $output == *--force* && $output != *--lines* ]]
	run -0 "$SUPERCTL" help reload
	[[ $output == *--no-wait* && $output != *--force* ]]
	run -0 "$SUPERCTL" logs --help
	[[ $output == *"-f, --follow"* && $output == *"-n, --lines LINES"* ]]
	run -2 "$SUPERCTL" help nonsense
}

@test "-V prints the version of superctl and asks nobody" {
	run -0 "$SUPERCTL" -V
	[[ $output =~ ^superctl\ [0-9]+\.[0-9] ]]
}

@test "an unknown verb exits 2 and suggests the nearest" {
	run -2 "$SUPERCTL" statsu
	[ "$output" = "superctl: statsu: no such command: did you mean status?" ]
	run -2 "$SUPERCTL" retsart web
	[[ $output == *"did you mean restart?" ]]
	run -2 "$SUPERCTL" xyzzy
	[[ $output == *"superctl help lists them" ]]
}

@test "words of supervisorctl get a hint" {
	run -2 "$SUPERCTL" reread
	[[ $output == *"superctl apply"* ]]
	run -2 "$SUPERCTL" update
	[[ $output == *"superctl apply"* ]]
	run -2 "$SUPERCTL" tail -f web
	[[ $output == *"superctl logs NAME"* ]]
	run -2 "$SUPERCTL" pid
	[[ $output == *"superctl status"* ]]
}

@test "wrong options and arguments exit 2 and say which" {
	run -2 "$SUPERCTL" start
	[[ $output == *"needs the name of a program or a group"*"all" ]]
	run -2 "$SUPERCTL" reload
	[[ $output == *"needs a program's name; superctl apply"* ]]
	run -2 "$SUPERCTL" reload --force web
	[[ $output == *"--force is not an option of it"* ]]
	run -2 "$SUPERCTL" signal HUP
	[[ $output == *"superctl signal HUP web" ]]
	run -2 "$SUPERCTL" --nonsense status
	[[ $output == "superctl: --nonsense: no such option" ]]
	run -2 "$SUPERCTL" status -x
	[[ $output == "superctl: -x: no such option" ]]
	run -2 "$SUPERCTL" start --lines 5 web
	[[ $output == *"--lines is not an option of it"* ]]
	run -2 "$SUPERCTL" start web --timeout never
	[[ $output == *"not a duration"* ]]
	run -2 "$SUPERCTL" start web --timeout
	[[ $output == *"needs a value" ]]
	run -2 "$SUPERCTL" logs -n many web
	[[ $output == *"not a number of lines"* ]]
	run -2 "$SUPERCTL" status --json=yes
	[[ $output == *"takes no value" ]]
	run -2 "$SUPERCTL" version a
	[[ $output == *"too many arguments: a" ]]
}

@test "check FILE: all errors of all files, without a daemon" {
	mkdir "$WORK/conf.d"
	cat >"$WORK/main.conf" <<-END
		run_dir = "$WORK/run"
		include = {"conf.d/*.conf"}
		program "one" { command = "true" restrat = "never" }
	END
	echo 'program "two" { command = "true" requires = {"three"} umask = "9" }' >"$WORK/conf.d/two.conf"
	echo 'program "three" { command = "true" }' >"$WORK/three.conf"
	run -1 --separate-stderr "$SUPERCTL" check "$WORK/main.conf" "$WORK/three.conf"
	[ -z "$output" ]
	[[ $stderr == *"$WORK/main.conf:3: "*restrat* ]]
	[[ $stderr == *"$WORK/conf.d/two.conf:1: umask: "* ]]
	[[ $stderr != *three* ]]
	run -1 "$SUPERCTL" check --json "$WORK/main.conf"
	[ "$(python3 -c 'import json, sys; print(*sorted((r["line"], r["key"]) for r in json.load(sys.stdin)))' <<<"$output" | grep -c umask)" -eq 1 ]
	run -0 "$SUPERCTL" check "$WORK/three.conf"
	[ "$output" = "the configuration is correct" ]
	run -0 "$SUPERCTL" check --json "$WORK/three.conf"
	[ "$output" = "[]" ]
	run -0 "$SUPERCTL" check -q "$WORK/three.conf"
	[ -z "$output" ]
	run -1 "$SUPERCTL" check "$WORK/none.conf"
	[[ $output == *"$WORK/none.conf: "*"No such file"* ]]
}

@test "config keys and defaults need no daemon" {
	run -0 "$SUPERCTL" config keys
	[[ ${lines[0]} == "KEY "*" WHAT IT IS" ]]
	[[ $output == *$'\n'"restart_delay "*" program "*" 200ms "*" live "* ]]
	[[ $output == *$'\n'"health.check "* && $output == *$'\n'"run_dir "*" settings "* ]]
	run -0 "$SUPERCTL" config keys restart members
	[[ $output == *"restart (program)"*"Value: never, "*"Default: on-failure."*"members (group)"* ]]
	run -0 "$SUPERCTL" config keys --json umask
	[ "$(python3 -c 'import json, sys; print(*[(r["stanza"], r["default"], r["change"]) for r in json.load(sys.stdin)])' <<<"$output")" = "('program', '022', 'restart')" ]
	run -2 "$SUPERCTL" config keys restrat
	[[ $output == *"restrat: no such key: did you mean restart?" ]]
	run -2 "$SUPERCTL" config
	run -2 "$SUPERCTL" config nonsense
	[[ $output == *"show, keys or defaults is allowed" ]]
	# What it prints is a stanza that changes nothing.
	"$SUPERCTL" config defaults >"$WORK/defaults.conf"
	run -0 "$SUPERCTL" check "$WORK/defaults.conf"
}

@test "no daemon: one line names the sockets that were tried, exit 4" {
	run -4 "$SUPERCTL" -s "$WORK/none" status
	[ "$output" = "superctl: no supervisord answers: $WORK/none: not there" ]
	SUPERCTL_SOCKET=$WORK/other run -4 "$SUPERCTL" status
	[[ $output == *"$WORK/other"* ]]
	SUPERCTL_SOCKET=$WORK/other run -4 "$SUPERCTL" -s "$WORK/none" stop all
	[[ $output == *"$WORK/none"* && $output != *other* ]]
}

@test "no daemon: a user without one has both places named" {
	[ "$(id -u)" -ne 0 ] || command -v setpriv >/dev/null || skip "needs setpriv as root"
	local drop=()

	[ "$(id -u)" -ne 0 ] || drop=(setpriv --reuid 54321 --regid 54321 --clear-groups)
	chmod 755 "$WORK"
	cp "$SUPERCTL" "$WORK/superctl"
	[ ! -e /run/supervisord/supervisord.lock ] || flock -n /run/supervisord/supervisord.lock true ||
		skip "a supervisord runs here"
	XDG_RUNTIME_DIR=$WORK run -4 "${drop[@]}" "$WORK/superctl" status
	[[ $output == *"$WORK/supervisord/control.sock: not there; "*"/supervisord/control.sock: not there" ]]
}

@test "a socket that nobody listens at exits 4" {
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$SOCKET"
	run -4 ctl status
	[[ $output == *"$SOCKET: nobody listens" ]]
}

@test "a socket that the user may not open exits 5" {
	local drop=()

	[ "$(id -u)" -ne 0 ] || command -v setpriv >/dev/null || skip "needs setpriv as root"
	start_fake <<<'{}'
	if [ "$(id -u)" -eq 0 ]; then
		cp "$SUPERCTL" "$WORK/superctl"
		chmod 755 "$WORK"
		drop=(setpriv --reuid 54321 --regid 54321 --clear-groups "$WORK/superctl")
	else
		drop=("$SUPERCTL")
	fi
	chmod 000 "$SOCKET"
	run -5 "${drop[@]}" -s "$SOCKET" status
	[[ $output == "superctl: not allowed: $SOCKET: "* ]]
}

@test "a socket's path that does not fit exits 2" {
	run -2 "$SUPERCTL" -s "$WORK/$(printf 'x%.0s' {1..120})" status
	[[ $output == *"at most 107 bytes" ]]
	run -2 "$SUPERCTL" -s "" status
}

@test "status: a table, plain and uncut when not on a terminal; 0 when all run" {
	start_fake <<-END
		{"io.superctl.Status": [[{"parameters": {"programs": [
			$(record db RUNNING 7 "$(printf 'very %.0s' {1..60})long"), $(record web@10 STARTING 12345 up)]}}]]}
	END
	run -0 ctl status
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[0]} =~ ^NAME\ +STATE\ +PID\ +FOR\ +STARTS\ +REASON$ ]]
	[[ ${lines[1]} =~ ^db\ +RUNNING\ +7\ .*very\ long$ ]]
	[[ ${lines[2]} =~ ^web@10\ +STARTING\ +12345\ .*1\ +up$ ]]
	[[ $output != *$'\033'* ]]
	[ "$(cat "$SOCKET.requests")" = '{"method": "io.superctl.Status", "parameters": {"names": []}}' ]
}

@test "status: 3 when a shown program does not run, and names are passed on" {
	start_fake <<-END
		{"io.superctl.Status": [[{"parameters": {"programs": [
			$(record db RUNNING 7 ok), $(record web FATAL null "exited with status 1")]}}]]}
	END
	run -3 ctl status db 'w*'
	[[ $output == *"exited with status 1"* ]]
	[[ $(cat "$SOCKET.requests") == *'{"names": ["db", "w*"]}'* ]]
}

@test "status --json: the records as received, and detail is asked for" {
	start_fake <<-END
		{"io.superctl.Status": [[{"parameters": {"programs": [
			$(record db RUNNING 7 'a \"quote\" \u00e9'), $(record web STOPPED null "")]}}]]}
	END
	run -3 ctl status --json
	[ "${lines[0]}" = '[' ]
	[ "${lines[1]}" = "$(record db RUNNING 7 'a \"quote\" é')," ]
	[ "${lines[3]}" = ']' ]
	python3 -c 'import json, sys; assert [r["name"] for r in json.load(sys.stdin)] == ["db", "web"]' <<<"$output"
	[[ $(cat "$SOCKET.requests") == *'"detail": true'* ]]
}

@test "status without programs says so, and --json is an empty array" {
	start_fake <<<'{"io.superctl.Status": [[{"parameters": {"programs": []}}]]}'
	run -0 ctl status
	[ "$output" = "superctl: there are no programs" ]
	run -0 ctl status --json
	[ "$output" = "[]" ]
}

@test "status -l NAME: every field of one program" {
	start_fake <<-'END'
		{"io.superctl.Status": [[{"parameters": {"programs": [{"name": "web", "program": "web", "instance": 0,
			"state": "BACKOFF", "wanted": "up", "pid": null, "since": "2026-01-31T12:00:00Z", "starts": 3,
			"last_exit": {"status": null, "signal": "SEGV"}, "reason": "killed by SEGV", "status_text": "at work",
			"ready": false, "health": "good", "tracking": "session", "reloading": false,
			"memory_bytes": 1572864, "cpu_ms": 1500}]}}]]}
	END
	run -3 ctl status -l web
	[ "${lines[0]}" = web ]
	[[ $output == *"State: BACKOFF for "*"since 2026-01-31T12:00:00Z"* ]]
	[[ $output == *"Last exit: signal SEGV"* && $output == *"Says: at work"* && $output == *"Memory: 1.5M"* ]]
	[[ $output == *"Health: good"* && $output == *"Tracked by: session"* ]]
}

@test "status: what a program says of itself stands beside the reason, and bad health before it" {
	start_fake <<-'END'
		{"io.superctl.Status": [[{"parameters": {"programs": [
			{"name": "db", "state": "RUNNING", "reason": "ready (notify)", "status_text": "12 clients\n", "health": "good"},
			{"name": "web", "state": "RUNNING", "reason": "ready (tcp:80)", "status_text": "", "health": "bad"},
			{"name": "old", "state": "RUNNING", "reason": "autostart"}]}}]]}
	END
	run -0 ctl status
	[[ ${lines[1]} == *'  ready (notify); says: 12 clients\x0a' ]]
	[[ ${lines[2]} == *'  unhealthy; ready (tcp:80)' ]]
	[[ ${lines[3]} == *'  autostart' ]]
}

@test "status on a terminal: colour, cut to the width; NO_COLOR and TERM=dumb turn colour off" {
	command -v script >/dev/null || skip "needs script(1)"
	start_fake <<-END
		{"io.superctl.Status": [[{"parameters": {"programs": [
			$(record db RUNNING 7 "$(printf 'very %.0s' {1..60})long"), $(record web FATAL null "")]}}]]}
	END
	on_terminal() {
		script -qec "stty cols 60; $* '$SUPERCTL' -s '$SOCKET' status" /dev/null </dev/null 3>&-
	}
	export TERM=xterm
	run on_terminal env
	[[ $output == *$'\033[32mRUNNING\033[0m'* && $output == *$'\033[31mFATAL'* ]]
	[[ $output == *"..."* && $output != *"very long"* ]]
	[[ $output == *'see: superctl why web'* ]]
	run on_terminal env NO_COLOR=1
	[[ $output != *$'\033'* ]]
	while IFS= read -r line; do
		line=${line%$'\r'}
		[ "${#line}" -le 60 ]
	done <<<"$output"
	run on_terminal env TERM=dumb
	[[ $output != *$'\033'* ]]
}

@test "control characters in names and reasons are shown, not obeyed" {
	start_fake <<-END
		{"io.superctl.Status": [[{"parameters": {"programs": [
			$(record 'w\u001b[2Jb' RUNNING 7 'one\ntwo \u009b31m \u007f')]}}]]}
	END
	run -0 ctl status
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[1]} == 'w\x1b[2Jb '*'one\x0atwo \x9b31m \x7f' ]]
}

@test "status: an engine that is being restarted is waited for" {
	start_fake <<-END
		{"io.superctl.Status": [["@close"], ["@close"], [{"parameters": {"programs": [$(record db RUNNING 7 ok)]}}]]}
	END
	run -0 ctl status
	[[ $output == *RUNNING* ]]
	[ "$(wc -l <"$SOCKET.requests")" -eq 3 ]
}

@test "status: gives up after two seconds without an answer" {
	start_fake <<<'{"io.superctl.Status": [["@close"]]}'
	run -1 ctl status
	[ "$output" = "superctl: connection to supervisord lost" ]
}

@test "start: each result as it comes, failures on stderr, exit 1" {
	start_fake <<-END
		{"io.superctl.Start": [[
			{"continues": true, "parameters": {"results": [$(result web true "started (pid 1234)" 1234)]}},
			{"parameters": {"results": [$(result db false "failed: exited with status 1")]}}]]}
	END
	run -1 --separate-stderr ctl start web db
	[ "$output" = "web: started (pid 1234)" ]
	[ "$stderr" = "db: failed: exited with status 1" ]
	[[ $(cat "$SOCKET.requests") == *'"more": true'*'"names": ["web", "db"], "wait": true'* ]]
}

@test "start: the first result is printed while the second is waited for" {
	start_fake <<-END
		{"io.superctl.Start": [[
			{"continues": true, "parameters": {"results": [$(result web true "started (pid 1234)" 1234)]}}, "@hang"]]}
	END
	ctl start web db >"$WORK/out" 2>&1 3>&- &
	CTL_PID=$!
	wait_for grep -q 'web: started' "$WORK/out"
	kill -0 "$CTL_PID"
}

@test "why: when an apply was stands where it is the reason, and not behind the end of a process" {
	local change='{"keys": ["user"], "time": "2026-01-31T12:00:00.000Z", "by": "hup", "uid": null}'
	local event='"number": 1, "name": "web", "run": 1, "exit": null, "uid": null, "log": null'

	start_fake <<-END
		{"io.superctl.Why": [[{"parameters": {"stories": [{"program": $(record web RUNNING 12 ""),
			"events": [
				{$event, "time": "2026-01-31T12:00:09.000Z", "kind": "exit", "from": null, "state": "STOPPING",
				 "text": "its main process was killed", "change": $change},
				{$event, "time": "2026-01-31T12:00:09.000Z", "kind": "state", "from": "STOPPING", "state": "STARTING",
				 "text": "user changed", "change": $change}],
			"earlier": false, "because_of": null, "next": null, "next_ms": null, "left": null,
			"last_words": null, "advice": null}]}}]]}
	END
	run -0 ctl why web
	[[ ${lines[1]} == *"STOPPING: its main process was killed" ]]
	[[ ${lines[2]} == *"STOPPING -> STARTING: user changed at "* ]]
}

@test "start, stop: nothing to do is success" {
	start_fake <<-END
		{"io.superctl.Start": [[{"parameters": {"results": [
			{"name": "web", "ok": true, "changed": false, "message": "already running (pid 5)"}]}}]],
		 "io.superctl.Stop": [[{"parameters": {"results": [
			{"name": "web", "ok": true, "changed": false, "message": "already stopped"}]}}]]}
	END
	run -0 ctl start web
	[ "$output" = "web: already running (pid 5)" ]
	run -0 ctl stop web
}

@test "stop: what is still waited for is named on stderr, and is no result" {
	start_fake <<-END
		{"io.superctl.Stop": [[
			{"continues": true, "parameters": {"results": [], "waiting": [
				{"name": "web", "state": "STOPPING", "reason": "stopped by uid 0", "left": "sleep (123), sh (124)", "kill_ms": 6001},
				{"name": "db", "state": "RUNNING", "reason": "to be stopped after web", "left": null},
				{"name": "odd", "state": "WAITING", "reason": "", "left": null}]}},
			{"parameters": {"results": [$(result web true stopped), $(result db true stopped)]}}]]}
	END
	run -0 --separate-stderr ctl stop web db
	[ "$output" = $'web: stopped\ndb: stopped' ]
	[ "$stderr" = $'web: still there: sleep (123), sh (124), KILL in 7 s\ndb: RUNNING: to be stopped after web\nodd: WAITING' ]
}

@test "stop, start: refused when others require it, with their names and the way out" {
	start_fake <<-'END'
		{"io.superctl.Stop": [
			[{"error": "io.superctl.RequiredBy", "parameters": {"name": "web", "by": ["app", "worker"]}}],
			[{"error": "io.superctl.RequiredBy", "parameters": {"name": "web", "by": ["app"]}}],
			[{"parameters": {"results": []}}],
			[{"error": "io.superctl.RequiredBy", "parameters": {"name": "web", "by":
				["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]}}]],
		 "io.superctl.Start": [[{"error": "io.superctl.RequiredBy", "parameters": {"name": "old", "by": ["app"]}}]]}
	END
	run -1 ctl stop web
	[ "$output" = "superctl: web is required by app, worker (stop them too with --force)" ]
	run -1 ctl stop web
	[ "$output" = "superctl: web is required by app (stop it too with --force)" ]
	run -0 ctl stop --force web
	[[ $(sed -n 1p "$SOCKET.requests") != *force* ]]
	[[ $(sed -n 3p "$SOCKET.requests") == *'"wait": true, "force": true}'* ]]
	run -1 ctl stop web
	[ "$output" = "superctl: web is required by a, b, c, d, e, f, g, h, i, j and 2 more (stop them too with --force)" ]
	run -1 ctl start new
	[ "$output" = "superctl: old would have to be stopped, and is required by app (stop it too with --force)" ]
}

@test "reload: waits, and a program that does not run exits 7" {
	start_fake <<-END
		{"io.superctl.Reload": [
			[{"parameters": {"results": [$(result web true reloaded 5)]}}],
			[{"parameters": {"results": [$(result web false "is not running")]}}],
			[{"parameters": {"results": [$(result web false "reload_command exited with status 3" 5)]}}],
			[{"parameters": {"results": [$(result web false "EXITED: killed by KILL" null true)]}}]]}
	END
	run -0 ctl reload web --timeout 3s
	[ "$output" = "web: reloaded" ]
	[[ $(cat "$SOCKET.requests") == *'"more": true'*'"names": ["web"], "wait": true, "timeout_ms": 3000}'* ]]
	run -7 ctl reload web
	run -1 ctl reload web
	[ "$output" = "web: reload_command exited with status 3" ]
	run -1 ctl reload web
	[ "$output" = "web: EXITED: killed by KILL" ]
}

@test "--no-wait, --wait and --timeout are passed on" {
	start_fake <<<'{"io.superctl.Stop": [[{"parameters": {"results": []}}]]}'
	run -0 ctl stop --wait --no-wait all
	run -0 ctl stop all --timeout 1min30s
	run -0 ctl stop all --timeout=1us
	run -0 ctl stop all --no-wait --wait
	run -2 ctl status --wait
	[[ $(sed -n 1p "$SOCKET.requests") == *'"wait": false}'* ]]
	[[ $(sed -n 2p "$SOCKET.requests") == *'"wait": true, "timeout_ms": 90000}'* ]]
	[[ $(sed -n 3p "$SOCKET.requests") == *'"timeout_ms": 1}'* ]]
	[[ $(sed -n 4p "$SOCKET.requests") == *'"wait": true}'* ]]
}

@test "--timeout ends the waiting even when supervisord does not answer" {
	start_fake <<<'{"io.superctl.Stop": [["@hang"]]}'
	run -1 ctl stop web --timeout 100ms
	[ "$output" = "superctl: supervisord is not done in time; it goes on" ]
}

@test "Ctrl-C while waiting says that the command goes on, exit 130" {
	local code=0

	start_fake <<<'{"io.superctl.Stop": [["@hang"]]}'
	# A shell without job control starts its background jobs with SIGINT ignored.
	python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$SUPERCTL" -s "$SOCKET" stop web >"$WORK/out" 2>&1 3>&- &
	CTL_PID=$!
	wait_for grep -qs Stop "$SOCKET.requests"
	kill -INT "$CTL_PID"
	wait "$CTL_PID" || code=$?
	CTL_PID=
	[ "$code" -eq 130 ]
	[[ $(cat "$WORK/out") == "superctl: interrupted; the stop goes on, see superctl status" ]]
}

@test "status --watch: Ctrl-C ends it also while supervisord does not answer" {
	start_fake <<<'{"io.superctl.Status": [["@hang"]], "org.varlink.service.GetInfo": [["@hang"]]}'
	TERM=xterm python3 -IS "$BATS_TEST_DIRNAME/terminal.py" "$SUPERCTL" -s "$SOCKET" status --watch <<-'END'
		raw \x1b\[\?25l
		send \x03
		raw \x1b\[\?25h
		end 0
	END
}

@test "a daemon that says nothing for a while: that is told, and waited for" {
	start_fake <<<'{"io.superctl.Version": [["@hang"]], "org.varlink.service.GetInfo": [["@hang"]]}'
	"$SUPERCTL" -s "$SOCKET" version >"$WORK/out" 2>&1 3>&- &
	CTL_PID=$!
	wait_for grep -qs 'does not answer now.*still waiting' "$WORK/out"
	kill "$CTL_PID"
	wait "$CTL_PID" || true
	CTL_PID=
}

@test "help fits on a terminal of 80 columns" {
	local verb

	for verb in '' $(ctl help | awk '/^  [a-z]/ { print $1 }'); do
		[ "$(ctl help ${verb:+"$verb"} | awk 'length > 79' | wc -l)" -eq 0 ]
	done
}

@test "a command is never sent twice: a lost connection exits 1 and says what to do" {
	start_fake <<<'{"io.superctl.Restart": [["@close"]]}'
	run -1 ctl restart web
	[[ $output == "superctl: connection to supervisord lost; the command may have been done or not: superctl status"* ]]
	[ "$(wc -l <"$SOCKET.requests")" -eq 1 ]
}

@test "signal: the signal comes first; a program that does not run exits 7" {
	start_fake <<-END
		{"io.superctl.Signal": [
			[{"parameters": {"results": [$(result web true "sent HUP" 5)]}}],
			[{"parameters": {"results": [$(result web false "not running")]}}],
			[{"error": "io.superctl.NotRunning", "parameters": {"name": "web"}}],
			[{"error": "org.varlink.service.InvalidParameter", "parameters": {"parameter": "signal"}}]]}
	END
	run -0 ctl signal HUP web
	[[ $(cat "$SOCKET.requests") == *'"names": ["web"], "signal": "HUP"'* ]]
	run -7 ctl signal HUP web
	run -7 ctl signal HUP web
	[[ $output == "superctl: web: not running"* ]]
	run -2 ctl signal SYS web
	[ "$output" = "superctl: signal: supervisord does not accept this signal" ]
	run -2 ctl signal NONSENSE web
	[ "$output" = "superctl: signal: NONSENSE: no signal: a name such as HUP or SIGHUP, or a number, is needed" ]
}

@test "errors of the daemon: each has its exit code and one line" {
	start_fake <<-'END'
		{"io.superctl.Start": [
			[{"error": "io.superctl.NoSuchProgram", "parameters": {"name": "wbe", "nearest": "web"}}],
			[{"error": "io.superctl.NoSuchProgram", "parameters": {"name": "wbe", "nearest": null}}],
			[{"error": "io.superctl.NotAllowed", "parameters": {"method": "Start"}}],
			[{"error": "io.superctl.ShuttingDown"}],
			[{"error": "io.superctl.SafeMode", "parameters": {"reason": "5 crashes"}}],
			[{"error": "io.superctl.Busy", "parameters": {"reason": "too many clients"}}],
			[{"error": "org.varlink.service.MethodNotFound", "parameters": {"method": "Start"}}],
			[{"error": "com.example.Odd\u001b"}]]}
	END
	run -4 ctl start wbe
	[ "$output" = "superctl: wbe: no such program: did you mean web?" ]
	run -4 ctl start wbe
	[ "$output" = "superctl: wbe: no such program: superctl status lists them" ]
	run -5 ctl start web
	[ "$output" = "superctl: start: not allowed for this user" ]
	run -1 ctl start web
	[ "$output" = "superctl: supervisord is shutting down" ]
	run -1 ctl start web
	[ "$output" = "superctl: supervisord is in safe mode, it starts nothing new: 5 crashes" ]
	run -1 ctl start web
	[ "$output" = "superctl: supervisord is busy: too many clients" ]
	run -1 ctl start web
	[[ $output == *"does not know start"* ]]
	run -1 ctl start web
	[ "$output" = 'superctl: supervisord refused: com.example.Odd\x1b' ]
}

@test "rubbish instead of a reply exits 1" {
	start_fake <<-END
		{"io.superctl.Status": [["@raw {\"parameters\":"], ["@raw []"], ["@raw "],
			["@raw {\"parameters\":{\"programs\":$(printf '[%.0s' {1..40})$(printf ']%.0s' {1..40})}}"],
			[{"parameters": {}}], [{"parameters": {"programs": [{"name": "x"}]}}]]}
	END
	for _ in 1 2 3 4; do
		run -1 ctl status
		[[ $output == "superctl: cannot understand the reply: it is not Varlink" ]]
	done
	for _ in 5 6; do
		run -1 ctl status
		[[ $output == "superctl: cannot show the programs: "* ]]
	done
}

# What Status says of these programs, as a member of the table.
known() {
	printf '"io.superctl.Status": [[{"parameters": {"programs": [%s]}}]]' "$(
		for name in "$@"; do
			printf '{"name": "%s", "program": "%s", "state": "RUNNING"}\n' "$name" "${name%@*}"
		done | paste -sd,
	)"
}

@test "logs: bytes as they are, options on the wire, and what follows is asked for by its place" {
	start_fake <<-END
		{$(known web), "io.superctl.Logs": [
			[{"continues": true, "parameters": {"data": "one\n\u001b[31mtw", "format": "raw", "next": "p1"}},
			 {"parameters": {"data": "o\u0000\n", "format": "raw", "next": "p2"}}],
			[{"parameters": {"data": "three\n", "format": "raw", "next": "p3"}}],
			[{"parameters": {"data": "own\n", "format": "own", "next": "p4"}}]]}
	END
	ctl logs web -n 5 -f --stderr >"$WORK/out"
	printf 'one\n\033[31mtwo\0\nthree\n' | cmp - "$WORK/out"
	[[ $(sed -n 2p "$SOCKET.requests") == *'{"name": "web", "lines": 5, "stderr": true}'* ]]
	[[ $(sed -n 3p "$SOCKET.requests") == *'{"name": "web", "from": "p2", "follow": true, "stderr": true}'* ]]
	ctl logs supervisord -n all >"$WORK/out"
	[[ $(sed -n 4p "$SOCKET.requests") == *'{"name": "supervisord", "lines": -1}'* ]]
}

@test "logs -f: what comes is shown at once, and it ends when nobody reads it any more" {
	start_fake <<-END
		{$(known web), "io.superctl.Logs": [[{"parameters": {"data": "", "next": "p1"}}],
			[{"continues": true, "parameters": {"data": "line\n", "next": "p2"}}, "@hang"]]}
	END
	# shellcheck disable=SC2016 # expanded by the inner shell
	run -0 timeout 60 bash -c '"$1" -s "$2" logs -f web | head -n 1' - "$SUPERCTL" "$SOCKET"
	[ "$output" = line ]
}

@test "logs: a lost connection is made again, and goes on where it was, half a line or not" {
	start_fake <<-END
		{$(known web), "io.superctl.Logs": [
			["@close"],
			[{"continues": true, "parameters": {"data": "one\nt", "next": "p1"}}, "@close"],
			[{"parameters": {"data": "wo\n", "next": "p2"}}],
			[{"continues": true, "parameters": {"data": "thr", "next": "p3"}}, "@close"],
			[{"error": "io.superctl.Busy", "parameters": {"reason": "128 log readers are being served"}}],
			[{"parameters": {"data": "ee\n", "next": "p4"}}]]}
	END
	run -0 --separate-stderr ctl logs -f web
	[ "$output" = $'one\ntwo\nthree' ]
	[ "$stderr" = "" ]
	[ "$(grep -o '"from": "[^"]*"' "$SOCKET.requests" | tr '\n' ' ')" = \
		'"from": "p1" "from": "p2" "from": "p3" "from": "p3" ' ]
}

@test "logs: a connection that is lost for good exits 1; so does one that nobody can go on with" {
	start_fake <<-END
		{$(known web), "io.superctl.Logs": [
			[{"continues": true, "parameters": {"data": "line\n"}}, "@close"],
			[{"parameters": {"data": "line\n"}}],
			[{"parameters": {"data": "line\n", "next": "p1"}}],
			[{"continues": true, "parameters": {"data": "last\n", "next": "p2"}}, "@exit"]]}
	END
	run -1 --separate-stderr ctl logs web
	[ "$output" = line ]
	[ "$stderr" = "superctl: web: connection to supervisord lost" ]
	run -1 --separate-stderr ctl logs -f web
	[ "$output" = line ]
	[ "$stderr" = "superctl: web: this supervisord is older than superctl, and cannot be followed" ]
	run -1 --separate-stderr ctl logs -f web
	[ "$output" = $'line\nlast' ]
	[ "$stderr" = "superctl: web: connection to supervisord lost" ]
}

@test "logs: several are merged by time; lines without one stay behind the line before them" {
	start_fake <<-END
		{$(known a bb c),
		 "io.superctl.Logs a": [[{"parameters": {"format": "stamp", "next": "p", "data":
			"2026-01-31T12:00:01.000000Z a 1 out one\n2026-01-31T12:00:03.000000Z a 1 err three\n"}}]],
		 "io.superctl.Logs bb": [[{"parameters": {"format": "json", "next": "p", "data":
			"{\"time\":\"2026-01-31T12:00:02.000000Z\",\"program\":\"bb\",\"name\":\"bb\",\"run\":2,\"stream\":\"out\",\"text\":\"two\"}\nraw\n"}}]],
		 "io.superctl.Logs c": [[{"parameters": {"format": "raw", "next": "p", "data": "no time\nno end"}}]]}
	END
	run -0 ctl logs a bb c
	[ "$output" = "$(printf '%s\n' 'c  | no time' 'c  | no end' \
		'a  | 2026-01-31T12:00:01.000000Z one' 'bb | 2026-01-31T12:00:02.000000Z two' 'bb | raw' \
		'a  | 2026-01-31T12:00:03.000000Z three')" ]
}

@test "logs: of a file that programs share, each line is shown for its own program only" {
	local both='2026-01-31T12:00:01.000000Z web 1 out of web\n2026-01-31T12:00:02.000000Z web2 1 out of web2\n2026-01-31T12:00:03.000000Z web:filter 1 out of its filter\n'

	start_fake <<-END
		{"io.superctl.Status": [[{"parameters": {"programs": [$(record web RUNNING 7 ""), $(record web2 RUNNING 8 "")]}}],
			[{"parameters": {"programs": [$(record web RUNNING 7 "")]}}]],
		 "io.superctl.Logs": [[{"parameters": {"format": "stamp", "next": "p", "data": "$both"}}]]}
	END
	run -0 ctl logs web web2
	[ "$output" = "$(printf '%s\n' 'web  | 2026-01-31T12:00:01.000000Z of web' \
		'web2 | 2026-01-31T12:00:02.000000Z of web2' 'web  | 2026-01-31T12:00:03.000000Z of its filter')" ]
	run -0 ctl logs web
	[ "$output" = "$(printf '%b' "$both" | grep -v web2)" ]
}

@test "logs: a note that lines are missing is a line of its own, ends the one before, and passes every filter" {
	start_fake <<-END
		{$(known web), "io.superctl.Logs": [
			[{"continues": true, "parameters": {"data": "one\ntw", "next": "p1"}},
			 {"parameters": {"data": "[lines are missing]\nfour\n", "next": "p2", "lost": true}}]]}
	END
	run -0 ctl logs web --json
	[ "${#lines[@]}" -eq 4 ]
	[ "${lines[2]}" = '{"time":null,"program":"web","name":"web","run":null,"stream":"log","text":"[lines are missing]"}' ]
	run -0 ctl logs web --grep o
	[ "$output" = $'one\n[lines are missing]\nfour' ]
}

@test "logs: with a filter, -n counts the lines that pass it" {
	start_fake <<-END
		{$(known web), "io.superctl.Logs": [
			[{"parameters": {"format": "stamp", "next": "p", "data": "$(
				for i in {1..9}; do
					printf '2026-01-31T12:00:0%d.000000Z web %d out line %d\\n' "$i" $((i / 4)) "$i"
				done)"}}]]}
	END
	run -0 ctl logs web --grep '[2468]$' -n 2
	[ "$(grep -o 'line .' <<<"$output" | tr '\n' ,)" = "line 6,line 8," ]
	run -0 ctl logs web --run 1
	[ "$(grep -o 'line .' <<<"$output" | tr '\n' ,)" = "line 4,line 5,line 6,line 7," ]
	run -0 ctl logs web --since 2026-01-31T12:00:07Z
	[ "$(grep -o 'line .' <<<"$output" | tr '\n' ,)" = "line 7,line 8,line 9," ]
	[[ $(tail -n 1 "$SOCKET.requests") == *'{"name": "web", "since": "2026-01-31T12:00:07.000000Z"}'* ]]
	run -0 ctl logs web --since 2026-01-31T12:00:02Z --run 1 --grep 'line [1-6]' -n 2
	[ "$(grep -o 'line .' <<<"$output" | tr '\n' ,)" = "line 5,line 6," ]
}

@test "logs: what a raw log cannot answer is said" {
	start_fake <<-END
		{$(known web db),
		 "io.superctl.Logs web": [[{"parameters": {"format": "raw", "data": "of web\n", "next": "p"}}]],
		 "io.superctl.Logs db": [[{"parameters": {"format": "stamp", "next": "p", "data": "2026-01-31T12:00:01.000000Z db 1 out of db\n"}}]]}
	END
	run -1 --separate-stderr ctl logs web db --run 1
	[ "$output" = "db | 2026-01-31T12:00:01.000000Z of db" ]
	[[ $stderr == "superctl: web: its lines do not say of which run they are"* ]]
	run -0 --separate-stderr ctl logs web db --since 2026-01-31
	[ "$output" = $'web | of web\ndb  | 2026-01-31T12:00:01.000000Z of db' ]
	[[ $stderr == "superctl: web: its lines have no time"* ]]
}

@test "logs: wrong times, runs and expressions exit 2 before anybody is asked" {
	run -2 ctl logs web --since yesterday
	[[ $output == "superctl: yesterday: not a time, such as "* ]]
	run -2 ctl logs web --run 0
	[[ $output == "superctl: 0: not the number of a run" ]]
	run -2 ctl logs web --grep 'a(b'
	[[ $output == "superctl: a(b: not a regular expression: "* ]]
}

@test "logs: of many programs those without a log are left out, of one that is named it is an error" {
	start_fake <<-END
		{$(known web db),
		 "io.superctl.Logs web": [[{"error": "io.superctl.NoLog", "parameters": {"name": "web"}}]],
		 "io.superctl.Logs db": [[{"parameters": {"data": "of db\n", "next": "p"}}],
			[{"parameters": {"data": "of db\n", "next": "p"}}],
			[{"error": "io.superctl.NoLog", "parameters": {"name": "db"}}]]}
	END
	run -0 ctl logs '*'
	[ "$output" = "db | of db" ]
	run -1 --separate-stderr ctl logs web db
	[ "$output" = "db | of db" ]
	[[ $stderr == "superctl: web: this output does not go to a log"* ]]
	run -1 ctl logs '*'
	[ "$output" = "superctl: none of these programs writes to a log" ]
}

@test "logs: an unknown name exits 4 and says what may have been meant" {
	start_fake <<-'END'
		{"io.superctl.Status": [
			[{"error": "io.superctl.NoSuchProgram", "parameters": {"name": "wbe", "nearest": "web"}}],
			[{"error": "io.superctl.NoSuchProgram", "parameters": {"name": "supervisrod", "nearest": null}}]]}
	END
	run -4 ctl logs wbe
	[ "$output" = "superctl: wbe: no such program: did you mean web?" ]
	run -4 ctl logs supervisrod
	[ "$output" = "superctl: supervisrod: no such program: did you mean supervisord?" ]
}

@test "apply: steps, then results; nothing to do says so; bad files are listed and nothing is done" {
	start_fake <<-END
		{"io.superctl.Apply": [
			[{"continues": true, "parameters": {"results": [], "steps": [
				{"name": "web", "action": "restart", "reason": "command changed"},
				{"name": "db", "action": "none", "reason": ""}]}},
			 {"parameters": {"steps": [], "results": [$(result web true "restarted (pid 9)" 9)]}}],
			[{"parameters": {"steps": [], "results": []}}],
			[{"error": "io.superctl.ConfigInvalid", "parameters": {"errors": [
				{"file": "conf.d/web.conf", "line": 3, "key": "comand", "message": "unknown key: did you mean command?"},
				{"file": "conf.d/db.conf", "line": 0, "key": null, "message": "is a directory"}]}}]]}
	END
	run -0 ctl apply
	[ "$output" = $'web: restart: command changed\nweb: restarted (pid 9)' ]
	run -0 ctl apply
	[ "$output" = "nothing changed" ]
	run -1 ctl apply
	[ "${lines[0]}" = "conf.d/web.conf:3: comand: unknown key: did you mean command?" ]
	[ "${lines[1]}" = "conf.d/db.conf: is a directory" ]
	[ "${lines[2]}" = "superctl: the configuration has errors: nothing was changed" ]
}

@test "check: correct exits 0, errors exit 1" {
	start_fake <<-'END'
		{"io.superctl.Check": [[{"parameters": {"errors": []}}],
			[{"parameters": {"errors": [{"file": "a.conf", "line": 1, "key": null, "message": "unclosed section"}]}}]]}
	END
	run -0 ctl check
	[ "$output" = "the configuration is correct" ]
	run -1 ctl check
	[ "$output" = "a.conf:1: unclosed section" ]
}

@test "version: both versions" {
	start_fake <<-'END'
		{"io.superctl.Version": [[{"parameters": {"version": "9.9", "pid": 42, "since": "2026-01-31T12:00:00Z",
			"safe_mode": true, "engine_starts": 2, "logger_starts": 1, "config": "/etc/x.conf",
			"tracking": "session", "tracking_reason": "no cgroup2 file system is mounted"}}],
			[{"parameters": {"version": "9.9", "pid": 42, "tracking": "cgroup", "tracking_reason": ""}}],
			[{"parameters": {"version": "9.8", "pid": 42}}]]}
	END
	run -0 ctl version
	[[ ${lines[0]} == "superctl "* && ${lines[1]} == "supervisord 9.9, pid 42, since 2026-01-31T12:00:00Z" ]]
	[[ ${lines[2]} == *"/etc/x.conf" && ${lines[3]} == "engine started 2 times, logger 1 time" ]]
	[ "${lines[4]}" = "processes are tracked by session: no cgroup2 file system is mounted" ]
	[[ ${lines[5]} == "in safe mode"* ]]
	run -0 ctl version
	[ "${lines[4]}" = "processes are tracked by cgroup" ]
	run -0 ctl version
	[ "${#lines[@]}" -eq 4 ]
}

@test "shutdown: waits until nobody listens any more, --no-wait does not" {
	start_fake <<<'{"io.superctl.Shutdown": [[{"parameters": {}}], [{"parameters": {}}, "@exit"]]}'
	run -0 ctl shutdown --no-wait
	kill -0 "$FAKE_PID"
	run -0 ctl shutdown
	[ ! -e "$SOCKET" ]
}

@test "shutdown: whom it waits for is named, and the end of the connection is not an error" {
	start_fake <<-END
		{"io.superctl.Shutdown": [[
			{"continues": true, "parameters": {}},
			{"continues": true, "parameters": {"results": [$(result web true stopped)], "waiting": [
				{"name": "db", "state": "STOPPING", "reason": "", "left": "sleep (123)", "kill_ms": 7000}]}},
			"@exit"]]}
	END
	run -0 --separate-stderr ctl shutdown
	[ -z "$output" ]
	[ "$stderr" = "waiting for db: still there: sleep (123), KILL in 7 s" ]
}

@test "shutdown: --timeout bounds the waiting" {
	start_fake <<<'{"io.superctl.Shutdown": [[{"parameters": {}}]]}'
	run -1 ctl shutdown --timeout 100ms
	[[ $output == *"not done in time"* ]]
}

@test "a full disk is told and exits 1" {
	[ -c /dev/full ] || skip "needs /dev/full"
	# shellcheck disable=SC2016 # expanded by the inner shell
	run -1 --separate-stderr bash -c '"$1" help >/dev/full' - "$SUPERCTL"
	[[ $stderr == "superctl: cannot write: "* ]]
}
