# SPDX-License-Identifier: ISC
# When STARTING becomes RUNNING: every form of ready but notify (notify.bats), type = "forking", start_timeout.

load lib.bash

# An engine that is killed too often is started after a delay: tests that do it have a daemon of their own.
daemon() {
	sd_new 'defaults { stable_after = "50ms" restart_delay = "20ms" start_limit = 1 stop_timeout = "5s" ready_interval = "30ms" }'
	cp "$OUT/tests/programs/late" "$SD/bin/"
	sd_start
	settle_stanza
}

setup_file() {
	daemon
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# ---- programs that become ready late ------------------------------------------------------------

FORMS=(fd tcp unix http exec log file)

free_port() {
	"$PYTHON" -ISc 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# late PREFIX FORM [KEY = VALUE …]: the stanza of PREFIX-FORM, which is ready once $SD/PREFIX-FORM.go is there.
late() {
	local name=$1-$2 ready action port=

	case $2 in
	fd) ready=fd:7 action="fd 7" ;;
	tcp) port=$(free_port) && ready=tcp:localhost:$port action="tcp $port" ;;
	unix) ready=unix:$SD/$name.sock action="unix $SD/$name.sock" ;;
	http) port=$(free_port) && ready=http://127.0.0.1:$port/ready action="http $port" ;;
	exec) ready="exec:/usr/bin/test -e $SD/$name.go" action="line here" ;;
	log) ready="log:^listening( on [a-z]+)?\$" action="line listening" ;;
	file) ready=file:$SD/$name.file action="file $SD/$name.file" ;;
	esac
	echo "$ready" >"$SD/$name.ready"
	cat <<-END
		program "$name" {
			command = "$SD/bin/late $SD/$name.go $action"
			ready = '$ready'
			${*:3}
		}
	END
}

late_all() {
	local form

	for form in "${FORMS[@]}"; do
		late "$1" "$form" "${@:2}"
	done | stanza "$1"
}

# For each form, on its program: of_all PREFIX COMMAND…, with NAME for its name.
of_all() {
	local form prefix=$1

	shift
	for form in "${FORMS[@]}"; do
		"${@//NAME/$prefix-$form}"
	done
}

is_launched() {
	[ -n "$(record "$1" pid)" ]
}

still_starting() {
	equals "state of $1" "$(record "$1" state)" STARTING
	equals "starts of $1" "$(record "$1" starts)" 1
}

running_since_the_first_start() {
	wait_state "$1" RUNNING
	equals "starts of $1" "$(record "$1" starts)" 1
}

new_engine() {
	local engine

	engine=$(role_pid engine)
	kill_role engine
	wait_for "$PATIENCE" has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
}

# ---- readiness ----------------------------------------------------------------------------------

@test "ready: no form is RUNNING before its condition is there, each is after it" {
	late_all plain
	of_all plain wait_for "$PATIENCE" is_launched NAME
	settle
	of_all plain still_starting NAME
	of_all plain touch "$SD/NAME.go"
	of_all plain running_since_the_first_start NAME
	matches "$(record plain-file reason)" "ready \(file:$SD/plain-file.file\)"
	exits 0 sctl stop 'plain-*'
}

@test "ready: a new engine goes on looking" {
	daemon
	late_all heir
	of_all heir wait_for "$PATIENCE" is_launched NAME
	new_engine
	settle
	of_all heir still_starting NAME
	of_all heir touch "$SD/NAME.go"
	of_all heir running_since_the_first_start NAME
	exits 0 sctl stop 'heir-*'
	sd_down
}

@test "ready: what became ready while no engine looked is found ready" {
	local engine

	daemon
	late_all unseen
	of_all unseen wait_for "$PATIENCE" is_launched NAME
	engine=$(role_pid engine)
	kill -STOP "$engine"
	of_all unseen touch "$SD/NAME.go"
	wait_for "$PATIENCE" test -e "$SD/unseen-file.file"
	wait_for "$PATIENCE" log_has unseen-log listening
	new_engine
	of_all unseen running_since_the_first_start NAME
	exits 0 sctl stop 'unseen-*'
	sd_down
}

failed_as_not_ready() {
	wait_state "$1" FATAL
	matches "$(record "$1" reason)" "not ready"
	[[ "$(record "$1" reason)" == *"($(cat "$SD/$1.ready"))"* ]] || [[ $1 == *-log || $1 == *-exec ]] || {
		echo "$1: $(record "$1" reason)" >&2
		return 1
	}
	equals "pid of $1" "$(record "$1" pid)" ""
	equals "processes of $1" "$(count_procs "late $SD/$1.go")" 0
}

@test "ready: what is not ready within start_timeout is stopped as a failed run, and the reason names what it waited for" {
	late_all never 'start_timeout = "400ms"'
	of_all never failed_as_not_ready NAME
	file_has "$SD/own.log" "never-tcp: the last look found: connect: Connection refused"
	file_has "$SD/own.log" "never-http: the last look found: HTTP status 503"
	file_has "$SD/own.log" "never-exec: the last look found: /usr/bin/test exited with status 1"
	file_has "$SD/own.log" "never-file: the last look found: stat: No such file or directory"
}

@test "ready: a failed start is tried again like any other" {
	late again tcp 'start_timeout = "200ms"' 'start_limit = 3' | stanza again
	wait_state again-tcp FATAL
	equals starts "$(record again-tcp starts)" 3
}

@test "ready: a file, a line or a pid of an earlier run does not count" {
	echo old >"$SD/stale-file.file"
	{
		late stale file
		late stale log
	} | stanza stale
	touch "$SD/stale-log.go"
	running_since_the_first_start stale-log
	exits 0 sctl stop stale-log
	rm "$SD/stale-log.go"
	exits 0 sctl start --no-wait stale-log
	wait_for "$PATIENCE" is_launched stale-log
	wait_for "$PATIENCE" is_launched stale-file
	settle
	still_starting stale-file
	equals "state of stale-log" "$(record stale-log state)" STARTING
	touch "$SD/stale-log.go" "$SD/stale-file.go"
	running_since_the_first_start stale-file
	wait_state stale-log RUNNING
	exits 0 sctl stop 'stale-*'
}

@test "ready: a line is found through rotations, and with engine and logger killed on the way" {
	local line

	daemon
	line="rotated %g $(printf 'x%.0s' {1..80})"
	stanza rotated <<-END
		program "rotated" {
			command = "seq -f '$line' 1000; until [ -e $SD/rotated.go ]; do sleep 0.05; done; seq -f '$line' 1001 3000; exec sleep 1000"
			shell = true
			log_max_size = "10KB"
			log_keep = 20
			ready = 'log:^[^ ]+ 2500 x+$'
			ready_interval = "100ms"
		}
	END
	kill_role logger
	wait_for "$PATIENCE" log_has rotated " 1000 x"
	equals state "$(record rotated state)" STARTING
	new_engine
	touch "$SD/rotated.go"
	running_since_the_first_start rotated
	log_has rotated " 2500 x"
	at_least archives "$(find "$SD/log" -name 'rotated.log.*' | wc -l)" 15
	exits 0 sctl stop rotated
	sd_down
}

# A daemon in a mount namespace of its own, with a file system at $SD/dead that answers nothing; skips where that cannot be had.
start_beside_dead_fs() {
	local status=0

	if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
		skip "needs a mount namespace"
	fi
	mkdir "$SD/dead"
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -m --propagation private "$SD/bin/hangfs" "$SD/dead" "$SD/dead.ready" 3>&- &
	echo $! >"$SD/dead.pid"
	while [ ! -s "$SD/dead.ready" ]; do
		kill -0 $! 2>/dev/null || { wait $! || status=$?; break; }
		sleep 0.02
	done
	[ "$status" -ne 77 ] || skip "cannot mount a FUSE file system"
	equals "exit status of hangfs" "$status" 0
	sd_start nsenter -m -t "$(cat "$SD/dead.pid")"
}

@test "ready: a file system that does not answer holds up nobody but who waits for it" {
	local engine

	sd_new 'defaults { autostart = false stable_after = "50ms" start_limit = 1 stop_timeout = "5s" }'
	start_beside_dead_fs
	stanza dead <<-END
		program "dead" { command = "$SD/bin/stamp $SD/dead.stamps run" ready = "file:$SD/dead/file" }
		program "sick" {
			command = "$SD/bin/stamp $SD/sick.stamps run"
			health { check = "file:$SD/dead/file" interval = "50ms" timeout = "100ms" failures = 2 on_failure = "none" }
		}
		program "deaf" {
			command = "$SD/bin/stamp $SD/deaf.stamps run"
			ready = "unix:$SD/dead/socket"
			start_timeout = "300ms"
		}
		program "lost" {
			type = "forking"
			command = "$SD/bin/stamp $SD/lost.stamps run & exit 0"
			shell = true
			pid_file = "$SD/dead/pid"
			start_timeout = "500ms"
		}
		program "mute" { command = "$SD/bin/stamp $SD/mute.stamps run" stdout = "append:$SD/dead/log" }
		program "blind" {
			command = "$SD/bin/stamp $SD/blind.stamps run"
			log_file = "$SD/dead/log"
			ready = "log:x"
		}
		program "well" { command = "$SD/bin/stamp $SD/well.stamps run" }
	END
	exits 1 sctl start dead
	matches "$output" '^dead: FATAL: ready: Connection timed out'
	exits 1 sctl start mute
	matches "$output" '^mute: FATAL: .*stdout.*: Connection timed out'
	exits 1 sctl start blind
	matches "$output" '^blind: FATAL: ready: Connection timed out'
	exits 1 sctl start deaf
	matches "$output" '^deaf: FATAL: .*not ready'
	exits 1 sctl start lost
	matches "$output" '^lost: FATAL: its command left no main process'
	exits 0 sctl start sick well
	wait_for "$PATIENCE" has sick health bad
	exits 0 sctl restart well
	exits 0 sctl stop sick

	# Threads that hang do not keep a killed engine.
	engine=$(role_pid engine)
	kill -KILL "$engine"
	wait_for "$PATIENCE" is_gone "$engine"
	wait_for "$PATIENCE" sd_serves
	exits 0 sctl restart well
	# Nor one that ends.
	exits 0 sctl shutdown
	wait_for "$PATIENCE" is_gone "$(guardian)"
	kill "$(cat "$SD/dead.pid")"
	wait_for "$PATIENCE" is_gone "$(cat "$SD/dead.pid")"
	sd_down
}

@test "ready: a directory or a command on a file system that does not answer fails the start, and holds up nobody else" {
	sd_new 'defaults { autostart = false stable_after = "50ms" start_limit = 1 }'
	echo "state_dir = \"$SD/dead/state\"" >>"$SD/supervisord.conf"
	start_beside_dead_fs
	ln -s dead "$SD/link"
	stanza dead <<-END
		program "there" { command = "$SD/bin/stamp $SD/there.stamps run" directory = "$SD/link" }
		program "from" { command = "$SD/dead/program" }
		program "path" { command = "program" environment = {"PATH=/nonexistent:$SD/dead"} }
		program "hook" { command = "$SD/bin/stamp $SD/hook.stamps run" pre_start = "$SD/dead/hook" }
		program "well" {
			command = "stamp $SD/well.stamps run"
			environment = {"PATH=/nonexistent:$SD/bin:$SD/dead"}
		}
		program "kept" { command = "$SD/bin/stamp $SD/kept.stamps run" boot = "last-state" }
	END
	# What it was told last is tried again until it is written down.
	exits 0 sctl start kept
	file_has "$SD/own.log" "kept: cannot note its last state in $SD/dead/state .*Connection timed out"
	exits 0 sctl stop kept
	exits 0 sctl start kept
	exits 1 sctl start there
	matches "$output" "^there: FATAL: chdir $SD/link: Connection timed out"
	exits 1 sctl start from
	matches "$output" "^from: FATAL: exec $SD/dead/program: Connection timed out"
	exits 1 sctl start path
	matches "$output" '^path: FATAL: exec program: Connection timed out'
	exits 1 sctl start hook
	matches "$output" '^hook: FATAL: pre_start: Connection timed out'
	exits 0 sctl start well
	[ ! -e "$SD/there.stamps" ]
	[ ! -e "$SD/hook.stamps" ]
	kill "$(cat "$SD/dead.pid")"
	wait_for "$PATIENCE" is_gone "$(cat "$SD/dead.pid")"
	exits 0 sctl start there
	wait_for "$PATIENCE" file_has "$SD/dead/state/last-state" '^kept up$'
	sd_down
}

@test "ready: what the descriptor of fd:N is closed without a newline can never be ready" {
	stanza closes <<-END
		program "closes" {
			command = "$SD/bin/late - close 5"
			ready = "fd:5"
			start_timeout = "1h"
		}
	END
	wait_state closes FATAL
	file_has "$SD/own.log" "closes: descriptor 5 was closed without the newline"
	no_procs "late - close 5"
}

@test "ready: a program that ends while it is starting says more by its status than by its closed descriptor" {
	stanza quits <<-END
		program "quits" {
			command = "$SD/bin/stamp $SD/quits.stamps exit 7"
			ready = "fd:5"
			start_timeout = "1h"
		}
	END
	wait_state quits FATAL
	matches "$(record quits reason)" "exited with status 7"
}

# A check that hangs, or leaves a process behind.
hanging_check() {
	cat >"$SD/bin/hanging" <<-END
		#!/bin/sh
		"$SD/bin/late" "$SD/never" line "\$1-child" &
		exec "$SD/bin/late" "$SD/never" line "\$1"
	END
	cat >"$SD/bin/leaving" <<-END
		#!/bin/sh
		"$SD/bin/late" "$SD/never" line "\$1" &
		echo "has left \$!"
		exit 1
	END
	chmod +x "$SD/bin/hanging" "$SD/bin/leaving"
}

some_procs() {
	[ "$(count_procs "$1")" -gt 0 ]
}

@test "ready: checks leave no process behind, neither at start_timeout nor at a stop" {
	hanging_check
	stanza checks <<-END
		program "checks-timeout" {
			command = "$SD/bin/late - line up"
			ready = "exec:$SD/bin/hanging hung-timeout"
			start_timeout = "600ms"
		}
		program "checks-stop" {
			command = "$SD/bin/late - line up"
			ready = "exec:$SD/bin/hanging hung-stop"
		}
		program "checks-leave" {
			command = "$SD/bin/late - line up"
			ready = "exec:$SD/bin/leaving left-behind"
		}
	END
	wait_for "$PATIENCE" some_procs "late $SD/never line hung-stop"
	exits 0 sctl stop checks-stop
	no_procs "late $SD/never line hung-stop"
	wait_state checks-timeout FATAL
	no_procs "late $SD/never line hung-timeout"
	wait_for "$PATIENCE" log_has checks-leave "has left"
	exits 0 sctl stop checks-leave
	no_procs "late $SD/never line left-behind"
}

@test "ready: a check that runs when the engine dies is killed, and another one follows" {
	daemon
	hanging_check
	stanza orphaned <<-END
		program "orphaned" {
			command = "$SD/bin/late - line up"
			ready = "exec:$SD/bin/hanging orphaned-check"
		}
	END
	wait_for "$PATIENCE" some_procs "late $SD/never line orphaned-check"
	printf '#!/bin/sh\nexit 0\n' >"$SD/bin/hanging.new"
	chmod +x "$SD/bin/hanging.new"
	mv "$SD/bin/hanging.new" "$SD/bin/hanging"
	new_engine
	running_since_the_first_start orphaned
	wait_for "$PATIENCE" no_procs "late $SD/never line orphaned-check"
	exits 0 sctl stop orphaned
	sd_down
}

# ---- type = "forking" ---------------------------------------------------------------------------

is_pid_of() {
	[ "$(tr '\0' ' ' <"/proc/$(host_pid "$1")/cmdline")" = "$2 " ]
}

@test "forking: the process that the pid file names is the main one" {
	stanza daemon <<-END
		program "daemon" {
			type = "forking"
			command = "$SD/bin/late $SD/daemon.go fork $SD/daemon.pid"
			pid_file = "$SD/daemon.pid"
		}
	END
	wait_for "$PATIENCE" some_procs "late $SD/daemon.go"
	settle
	still_starting daemon
	touch "$SD/daemon.go"
	wait_state daemon RUNNING
	equals pid "$(record daemon pid)" "$(cat "$SD/daemon.pid")"
	equals processes "$(count_procs "late $SD/daemon.go")" 1

	# It is watched: its end is the end of the run, with its status.
	kill_program daemon
	wait_state daemon FATAL
	matches "$(record daemon reason)" "KILL"
	exits any sctl start daemon
	wait_state daemon RUNNING
	equals pid "$(record daemon pid)" "$(cat "$SD/daemon.pid")"
	exits 0 sctl stop daemon
	no_procs "late $SD/daemon.go"
}

@test "forking: a pid file of an earlier run, or of somebody else, is not believed" {
	stanza other <<-END
		program "other" { command = "$SD/bin/late - line other" }
	END
	wait_state other RUNNING
	record other pid >"$SD/liar.pid"
	stanza liar <<-END
		program "liar" {
			type = "forking"
			command = "$SD/bin/late $SD/liar.go fork $SD/liar.pid"
			pid_file = "$SD/liar.pid"
		}
	END
	wait_for "$PATIENCE" file_has "$SD/own.log" "liar: pid_file names process $(record other pid), which is not of this run"
	settle
	still_starting liar
	touch "$SD/liar.go"
	wait_state liar RUNNING
	[ "$(record liar pid)" != "$(record other pid)" ]
	equals pid "$(record liar pid)" "$(cat "$SD/liar.pid")"
	exits 0 sctl stop liar
	equals "state of the other one" "$(record other state)" RUNNING
	exits 0 sctl stop other
}

@test "forking: a new engine finds the pid file that its predecessor waited for" {
	daemon
	stanza relay <<-END
		program "relay" {
			type = "forking"
			command = "$SD/bin/late $SD/relay.go fork $SD/relay.pid"
			pid_file = "$SD/relay.pid"
		}
	END
	wait_for "$PATIENCE" some_procs "late $SD/relay.go"
	new_engine
	settle
	still_starting relay
	touch "$SD/relay.go"
	running_since_the_first_start relay
	equals pid "$(record relay pid)" "$(cat "$SD/relay.pid")"
	exits 0 sctl stop relay
	no_procs "late $SD/relay.go"
	sd_down
}

@test "forking: without a pid file the only process that is left is the main one" {
	stanza single <<-END
		program "single" {
			type = "forking"
			command = "$SD/bin/late - spawn 1"
		}
	END
	wait_state single RUNNING
	equals processes "$(count_procs "late - spawn 1")" 1
	equals pid "$(host_pid "$(record single pid)")" "$(pgrep -f "^$SD/bin/late - spawn 1")"
	exits 0 sctl stop single
	no_procs "late - spawn 1"
}

@test "forking: without a pid file, several processes are no main process" {
	stanza several <<-END
		program "several" {
			type = "forking"
			command = "$SD/bin/late - spawn 2"
			start_timeout = "400ms"
		}
	END
	wait_state several FATAL
	matches "$(record several reason)" "not ready|no main process"
	no_procs "late - spawn 2"
}

@test "forking: when the command leaves nothing the start has failed" {
	stanza nobody <<-END
		program "nobody" {
			type = "forking"
			command = "$SD/bin/stamp $SD/nobody.stamps exit 0"
			start_timeout = "1h"
		}
	END
	wait_state nobody FATAL
	matches "$(record nobody reason)" "no main process"
}

@test "forking: a command that fails is a failed start" {
	stanza fails <<-END
		program "fails" {
			type = "forking"
			command = "$SD/bin/stamp $SD/fails.stamps exit 4"
			start_timeout = "1h"
		}
	END
	wait_state fails FATAL
	matches "$(record fails reason)" "exited with status 4"
}

@test "forking: with a check it is ready when that says so" {
	daemon
	stanza both <<-END
		program "both" {
			type = "forking"
			command = "$SD/bin/late $SD/both.go fork $SD/both.pid"
			pid_file = "$SD/both.pid"
			ready = "file:$SD/both.file"
		}
	END
	touch "$SD/both.go"
	wait_for "$PATIENCE" test -s "$SD/both.pid"
	wait_for "$PATIENCE" has both pid "$(cat "$SD/both.pid")"
	settle
	still_starting both
	new_engine
	still_starting both
	touch "$SD/both.file"
	running_since_the_first_start both
	exits 0 sctl stop both
	sd_down
}
