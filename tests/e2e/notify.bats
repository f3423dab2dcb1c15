# SPDX-License-Identifier: ISC
# sd_notify(3): ready = "notify", the watchdog, the descriptor store, and who is believed.
#
# tests/run: long

# shellcheck disable=SC2030,SC2031 # a test is a subshell, and that is what it is for

load lib.bash

# What hangs is not asked for long.
SETTINGS='defaults { stable_after = "100ms" restart_delay = "20ms" stop_timeout = "500ms" }'

setup_file() {
	sd_new "$SETTINGS"
	add_notifier
	sd_start
	settle_stanza
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

add_notifier() {
	cp "$OUT/tests/programs/notifier" "$SD/bin/"
}

# A daemon of its own, for a test that kills the engine.
own_daemon() {
	sd_new "$SETTINGS"
	add_notifier
	sd_start
}

# notifier NAME WORD…: a stanza whose program does these words; keys of the stanza on standard input.
notifier() {
	local name=$1 word words=

	shift
	for word in "$SD/bin/notifier" "$@"; do
		words+=", \"$word\""
	done
	{
		echo "program \"$name\" {"
		echo "	command = {${words#, }}"
		cat
		echo "}"
	} | stanza "$name"
}

replace_engine() {
	local engine

	engine=$(role_pid engine)
	kill_role engine
	wait_for 30 has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
}

# From a process that is none of the program's.
send_from_outside() {
	"$PYTHON" -ISc '
import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(sys.argv[2].encode(), sys.argv[1])' \
		"$SD/run/notify/$1" "$2"
}

# The same, as another user: send_as UID NAME TEXT.
send_as() {
	"$PYTHON" -ISc '
import os, socket, sys
os.setuid(int(sys.argv[1]))
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(sys.argv[3].encode(), sys.argv[2])' \
		"$1" "$SD/run/notify/$2" "$3"
}

has_no_process() {
	[ -z "$(record "$1" pid)" ]
}

last_line_is() {
	[ "$(last_line "$1")" = "$2" ]
}

@test "notify: READY=1 makes it RUNNING, not before, and STATUS is shown" {
	notifier plain "send:STATUS=loading|X_UNKNOWN=1" "await:$SD/plain.go" "send:READY=1|STATUS=3 workers" wait <<-END
		ready = "notify"
	END
	wait_for "$PATIENCE" has plain status_text "loading"
	settle
	equals state "$(record plain state)" STARTING
	touch "$SD/plain.go"
	wait_state plain RUNNING
	equals status_text "$(record plain status_text)" "3 workers"
	exits 0 sctl status plain
	matches "$output" '3 workers'
	equals starts "$(record plain starts)" 1

	# Who has no socket has said nothing: what the run before it said is not its own.
	notifier plain wait </dev/null
	wait_for "$PATIENCE" has plain starts 2
	equals status_text "$(record plain status_text)" ""
	notifier plain "send:READY=1" wait <<-END
		ready = "notify"
	END
	wait_for "$PATIENCE" has plain starts 3
	wait_state plain RUNNING
	equals status_text "$(record plain status_text)" ""
}

@test "notify: the socket is the program's alone" {
	equals "mode of the directory" "$(stat -c %a "$SD/run/notify")" 711
	# One of root may drop its rights before it says anything.
	equals "mode of the socket" "$(stat -c %a "$SD/run/notify/plain")" "$([ "$(id -u)" -eq 0 ] && echo 666 || echo 600)"
	equals "owner of the socket" "$(stat -c %u "$SD/run/notify/plain")" "$(id -u)"
}

@test "notify: a program that never says READY=1 fails with the reason" {
	notifier silent "send:STATUS=x" wait <<-END
		ready = "notify"
		start_timeout = "200ms"
		start_limit = 2
	END
	wait_state silent FATAL
	equals starts "$(record silent starts)" 2
	matches "$(record silent reason)" 'not ready'
}

@test "notify: a child may say it, one that has ended and one that lives" {
	notifier ended "child:READY=1" wait <<-END
		ready = "notify"
	END
	notifier lives "stray:READY=1" wait <<-END
		ready = "notify"
	END
	wait_state ended RUNNING
	wait_state lives RUNNING
}

@test "notify: what a process that is not of the program says is refused" {
	notifier guarded "say:$SD/guarded.up:up" "await:$SD/guarded.go" "send:READY=1" wait <<-END
		ready = "notify"
	END
	wait_for "$PATIENCE" has_lines "$SD/guarded.up" 1
	# It lives until it has been looked at.
	"$PYTHON" -ISc '
import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1\nSTATUS=wrong", sys.argv[1])
sys.stdin.read()' "$SD/run/notify/guarded" < <(wait_for "$PATIENCE" file_has "$SD/own.log" 'guarded: a notification by process .* was refused')
	file_has "$SD/own.log" 'guarded: a notification by process .* was refused: it is not of this program'
	equals state "$(record guarded state)" STARTING
	equals status_text "$(record guarded status_text)" ""
	touch "$SD/guarded.go"
	wait_state guarded RUNNING
}

@test "notify: what another user says is refused" {
	[ "$(id -u)" -eq 0 ] || skip "only root can be another user"
	notifier alien "say:$SD/alien.up:up" "await:$SD/alien.go" "send:READY=1" wait <<-END
		ready = "notify"
	END
	wait_for "$PATIENCE" has_lines "$SD/alien.up" 1
	chmod 666 "$SD/run/notify/alien" # as careless as one can be
	send_as 65534 alien READY=1
	wait_for "$PATIENCE" file_has "$SD/own.log" 'alien: a notification by process .* of user 65534 was refused: that is another user'
	equals state "$(record alien state)" STARTING
	touch "$SD/alien.go"
	wait_state alien RUNNING
}

@test "notify: a process of a root program that has become another user is believed" {
	[ "$(id -u)" -eq 0 ] || skip "only root can be another user"
	notifier dropped "alien:65534:READY=1" wait <<-END
		ready = "notify"
	END
	wait_state dropped RUNNING
}

@test "notify: a program of another user can write to its socket" {
	[ "$(id -u)" -eq 0 ] || skip "only root can be another user"
	getent passwd nobody >/dev/null || skip "there is no user nobody"
	notifier nobody "send:READY=1" wait <<-END
		ready = "notify"
		user = "nobody"
	END
	wait_state nobody RUNNING
	equals "owner of the socket" "$(stat -c %U "$SD/run/notify/nobody")" nobody
}

@test "notify: a barrier is passed" {
	notifier barrier "send:READY=1" barrier "say:$SD/barrier.out:passed" wait <<-END
		ready = "notify"
	END
	wait_for "$PATIENCE" file_has "$SD/barrier.out" passed
	wait_state barrier RUNNING
}

@test "notify: systemd-notify --ready --status --pid, which waits for its barrier" {
	command -v systemd-notify >/dev/null || skip "systemd-notify is not installed"
	cat >"$SD/bin/with-systemd" <<-END
		#!/bin/sh
		systemd-notify --ready --status="as systemd says" --pid=\$\$ || echo "failed: \$?"
		echo sent >>"$SD/systemd.out"
		exec "$SD/bin/notifier" wait
	END
	chmod +x "$SD/bin/with-systemd"
	stanza systemd <<-END
		program "systemd" {
			command = "$SD/bin/with-systemd"
			ready = "notify"
		}
	END
	wait_for "$PATIENCE" file_has "$SD/systemd.out" sent
	wait_state systemd RUNNING
	equals status_text "$(record systemd status_text)" "as systemd says"
	exits 0 sctl status systemd
	matches "$output" 'as systemd says'
	equals log "$(log_text systemd)" ""
}

@test "notify: MAINPID says which process is to be watched" {
	local pid

	notifier handover main "send:MAINPID=@|READY=1" "say:$SD/handover.up:up" wait <<-END
		type = "forking"
		ready = "notify"
	END
	wait_state handover RUNNING
	pid=$(record handover pid)
	equals "command of $pid" "$(tr '\0' ' ' <"/proc/$(host_pid "$pid")/cmdline" | cut -d' ' -f2)" main
	kill_program handover
	wait_for "$PATIENCE" runs_anew handover "$pid"
	equals last_exit "$(record handover last_exit.signal)" KILL
	wait_state handover RUNNING
}

@test "notify: READY of a forking program counts when its command has ended" {
	stanza early <<-END
		program "early" {
			type = "forking"
			ready = "notify"
			shell = true
			command = "$SD/bin/notifier send:READY=1 say:$SD/early.up:up wait & $SD/bin/notifier await:$SD/early.go"
		}
	END
	wait_for "$PATIENCE" file_has "$SD/early.up" up
	equals state "$(record early state)" STARTING
	touch "$SD/early.go"
	wait_state early RUNNING
	equals starts "$(record early starts)" 1
	matches "$(tr '\0' ' ' <"/proc/$(host_pid "$(record early pid)")/cmdline")" 'early.up'
}

@test "notify: a oneshot that is ready, and ends, and remains, is RUNNING all the time" {
	notifier once "send:READY=1" "await:$SD/once.go" exit:0 <<-END
		type = "oneshot"
		remain = true
		ready = "notify"
	END
	wait_state once RUNNING
	touch "$SD/once.go"
	wait_for "$PATIENCE" has_no_process once
	equals state "$(record once state)" RUNNING
	equals starts "$(record once starts)" 1
}

@test "notify: MAINPID of a process that nobody could reap is refused" {
	local pid

	notifier nested spawn "send:MAINPID=@|READY=1" hang <<-END
		ready = "notify"
	END
	wait_state nested RUNNING
	wait_for "$PATIENCE" file_has "$SD/own.log" 'nested: MAINPID=[0-9]*: its parent is another process'
	pid=$(record nested pid)
	notifier thief "send:MAINPID=$(guardian)|READY=1" wait <<-END
		ready = "notify"
	END
	wait_state thief RUNNING
	wait_for "$PATIENCE" file_has "$SD/own.log" 'thief: MAINPID=[0-9]*: that process is not of this program'
	equals pid "$(record nested pid)" "$pid"
}

@test "notify: ERRNO becomes part of the reason" {
	notifier sorry "send:STATUS=cannot|ERRNO=13" exit:1 <<-END
		ready = "notify"
		start_limit = 1
	END
	wait_state sorry FATAL
	matches "$(record sorry reason)" 'Permission denied'
}

@test "notify: READY=1 of a run that has ended does not make the next one ready" {
	notifier stale "say:$SD/stale.runs:run" "send:READY=1" exit:1 <<-END
		ready = "notify"
		start_limit = 5
	END
	wait_state stale FATAL
	# Each is RUNNING for what it said itself: with the words of the one before, one would be early.
	equals runs "$(count_lines "$SD/stale.runs")" 5
	notifier stale "say:$SD/stale.runs:run" wait <<-END
		ready = "notify"
		start_timeout = "10s"
	END
	exits any sctl start --no-wait stale
	wait_for "$PATIENCE" has_lines "$SD/stale.runs" 6
	settle
	equals state "$(record stale state)" STARTING
	exits 0 sctl stop stale
}

@test "notify: RELOADING=1 is shown until READY=1" {
	notifier reloads "send:READY=1" "await:$SD/reloads.go" "send:RELOADING=1|MONOTONIC_USEC=1|STATUS=again" \
		"await:$SD/reloads.on" "send:READY=1" wait <<-END
		ready = "notify"
	END
	wait_state reloads RUNNING
	equals reloading "$(record reloads reloading)" false
	touch "$SD/reloads.go"
	wait_for "$PATIENCE" has reloads reloading true
	equals state "$(record reloads state)" RUNNING
	touch "$SD/reloads.on"
	wait_for "$PATIENCE" has reloads reloading false
	equals starts "$(record reloads starts)" 1
}

@test "notify: STOPPING=1 restarts nothing" {
	notifier stopping "send:READY=1" "send:STOPPING=1|STATUS=bye" "await:$SD/stopping.go" exit:0 <<-END
		ready = "notify"
	END
	wait_for "$PATIENCE" has stopping status_text bye
	settle
	equals state "$(record stopping state)" RUNNING
	touch "$SD/stopping.go"
	wait_state stopping EXITED
	equals starts "$(record stopping starts)" 1
}

@test "notify: the watchdog: who stops to ping gets ABRT and is started again" {
	notifier dog "env:$SD/dog.env:WATCHDOG_USEC" "env:$SD/dog.env:WATCHDOG_PID" "say:$SD/dog.runs:run" \
		"send:READY=1" ping:50:12 "say:$SD/dog.runs:silent" hang <<-END
		ready = "notify"
		watchdog = "400ms"
	END
	wait_for "$PATIENCE" has_lines "$SD/dog.runs" 3
	equals "environment" "$(head -n 2 "$SD/dog.env" | tr '\n' ' ')" "WATCHDOG_USEC=400000 WATCHDOG_PID=own pid "
	# Not before it was silent.
	equals runs "$(head -n 3 "$SD/dog.runs" | tr '\n' ' ')" "run silent run "
	equals last_exit "$(record dog last_exit.signal)" ABRT
	file_has "$SD/own.log" 'dog: .*watchdog'
	exits 0 sctl stop dog
}

@test "notify: WATCHDOG=trigger needs no silence, and WATCHDOG_USEC= sets another time" {
	notifier trigger "say:$SD/trigger.runs:run" "send:READY=1" "send:WATCHDOG=trigger" hang <<-END
		ready = "notify"
		watchdog = "1h"
	END
	notifier shorter "say:$SD/shorter.runs:run" "send:WATCHDOG_USEC=100000|READY=1" hang <<-END
		ready = "notify"
		watchdog = "1h"
	END
	wait_for "$PATIENCE" has_lines "$SD/trigger.runs" 2
	wait_for "$PATIENCE" has_lines "$SD/shorter.runs" 2
	equals last_exit "$(record trigger last_exit.signal)" ABRT
	equals last_exit "$(record shorter last_exit.signal)" ABRT
	exits 0 sctl stop trigger shorter
}

# How long a deadline is that a program has to ask to be moved, in milliseconds.  On a machine that is busy enough it is
# too late with that: then again, longer.
readonly DEADLINES="500 3000 15000"

@test "notify: EXTEND_TIMEOUT_USEC= moves the deadline of a start" {
	local ms name

	# The second one ends when its start_timeout is over, which is that of the first.
	for ms in $DEADLINES; do
		name=extended$ms
		notifier "$name" "send:EXTEND_TIMEOUT_USEC=60000000" "say:$SD/$name.up:up" "await:$SD/$name.go" \
			"send:READY=1" wait <<-END
			ready = "notify"
			start_limit = 1
			start_timeout = "${ms}ms"
		END
		wait_for "$PATIENCE" said_or_fatal "$name"
		notifier "punctual$ms" "send:STATUS=x" wait <<-END
			ready = "notify"
			start_limit = 1
			start_timeout = "${ms}ms"
		END
		wait_state "punctual$ms" FATAL
		! is_state "$name" STARTING || break
	done
	equals state "$(record "$name" state)" STARTING
	touch "$SD/$name.go"
	wait_state "$name" RUNNING
	equals starts "$(record "$name" starts)" 1
}

said_or_fatal() {
	has_lines "$SD/$1.up" 1 || is_state "$1" FATAL
}

is_past() {
	[ "$(now_ms)" -gt "$1" ]
}

@test "notify: READY that came in time counts, however late the engine looks" {
	local ms name engine

	for ms in $DEADLINES; do
		name=timely$ms
		notifier "$name" "say:$SD/$name.up:up" "await:$SD/$name.go" "send:READY=1" "say:$SD/$name.up:sent" wait <<-END
			ready = "notify"
			start_limit = 1
			start_timeout = "${ms}ms"
		END
		wait_for "$PATIENCE" said_or_fatal "$name"
		engine=$(role_pid engine)
		kill -STOP "$engine"
		touch "$SD/$name.go"
		wait_for "$PATIENCE" has_lines "$SD/$name.up" 2 || true
		wait_for "$PATIENCE" is_past $(($(now_ms) + ms))
		kill -CONT "$engine"
		wait_for "$PATIENCE" is_not "$name" STARTING
		! is_state "$name" RUNNING || break
	done
	equals state "$(record "$name" state)" RUNNING
}

is_not() {
	! is_state "$1" "$2"
}

@test "notify: EXTEND_TIMEOUT_USEC= moves the deadline of a stop" {
	local ms name

	for ms in $DEADLINES; do
		name=slow$ms
		cat >"$SD/bin/$name" <<-END
			#!/bin/sh
			trap '"$SD/bin/notifier" send:EXTEND_TIMEOUT_USEC=60000000 say:$SD/$name.term:term await:$SD/$name.go; exit 0' TERM
			"$SD/bin/notifier" send:READY=1
			while :; do sleep 0.05; done
		END
		chmod +x "$SD/bin/$name"
		stanza "$name" <<-END
			program "$name" {
				command = "$SD/bin/$name"
				ready = "notify"
				kill_mode = "process"
				stop_timeout = "${ms}ms"
			}
		END
		notifier "quick$ms" "send:READY=1" hang <<-END
			ready = "notify"
			stop_timeout = "${ms}ms"
		END
		wait_state "$name" RUNNING
		wait_state "quick$ms" RUNNING
		exits 0 sctl stop --no-wait "$name"
		wait_for "$PATIENCE" told_or_stopped "$name"
		# This one's is over when it gets KILL.
		exits any sctl stop "quick$ms"
		equals last_exit "$(record "quick$ms" last_exit.signal)" KILL
		! is_state "$name" STOPPING || break
	done
	equals state "$(record "$name" state)" STOPPING
	touch "$SD/$name.go"
	wait_state "$name" STOPPED
	equals last_exit "$(record "$name" last_exit.status)" 0
}

told_or_stopped() {
	has_lines "$SD/$1.term" 1 || is_state "$1" STOPPED
}

@test "notify: FDSTORE: a restart gets its descriptors back, a stop lets go of them" {
	notifier store "env:$SD/store.env:LISTEN_FDS" "got:$SD/store.got" "listen:$SD/store.sock" "made:$SD/store.made" \
		"give:FDSTORE=1|FDNAME=web" "give:FDSTORE=1|FDNAME=again" "send:READY=1" wait <<-END
		ready = "notify"
	END
	wait_state store RUNNING
	equals "first run" "$(last_line "$SD/store.got")" nothing
	equals "first run" "$(last_line "$SD/store.env")" "LISTEN_FDS is not set"
	exits 0 sctl restart store
	wait_state store RUNNING
	# Once, though it was given twice, under the name it had first.
	equals "second run" "$(last_line "$SD/store.got")" "web=$(sed -n 1p "$SD/store.made")"
	equals "second run" "$(last_line "$SD/store.env")" "LISTEN_FDS=1"
	exits 0 sctl restart store
	wait_state store RUNNING
	equals "third run" "$(last_line "$SD/store.got")" \
		"web=$(sed -n 1p "$SD/store.made") web=$(sed -n 2p "$SD/store.made")"
	exits 0 sctl stop store
	exits 0 sctl start store
	wait_state store RUNNING
	equals "after a stop" "$(last_line "$SD/store.got")" nothing
}

@test "notify: FDSTORE: a crash gets them back, too" {
	local pid

	notifier crash "got:$SD/crash.got" "listen:$SD/crash.sock" "made:$SD/crash.made" "give:FDSTORE=1" "send:READY=1" \
		hang <<-END
		ready = "notify"
		fdstore_max = 1
	END
	wait_state crash RUNNING
	pid=$(record crash pid)
	kill_program crash
	wait_for "$PATIENCE" runs_anew crash "$pid"
	wait_state crash RUNNING
	equals "second run" "$(last_line "$SD/crash.got")" "stored=$(sed -n 1p "$SD/crash.made")"
	# No more than fdstore_max.
	wait_for "$PATIENCE" file_has "$SD/own.log" 'crash: a descriptor was not stored: fdstore_max is 1'
	pid=$(record crash pid)
	kill_program crash
	wait_for "$PATIENCE" runs_anew crash "$pid"
	wait_for "$PATIENCE" has_lines "$SD/crash.got" 3
	equals "third run" "$(last_line "$SD/crash.got")" "stored=$(sed -n 1p "$SD/crash.made")"
	exits 0 sctl stop crash
}

@test "notify: FDSTOREREMOVE lets go of those of a name" {
	notifier remove "got:$SD/remove.got" "listen:$SD/remove.1" "give:FDSTORE=1|FDNAME=one" \
		"listen:$SD/remove.2" "made:$SD/remove.made" "give:FDSTORE=1|FDNAME=two" \
		"send:FDSTOREREMOVE=1|FDNAME=one" "send:READY=1" wait <<-END
		ready = "notify"
	END
	wait_state remove RUNNING
	exits 0 sctl restart remove
	wait_state remove RUNNING
	equals "second run" "$(last_line "$SD/remove.got")" "two=$(sed -n 1p "$SD/remove.made")"
}

# Without those of leaves that the engine has looked at (LIMIT_CGROUP_LOOKS).
count_descriptors() {
	local role

	for role in "$(guardian)" "$(role_pid engine)"; do
		find "/proc/$role/fd" -mindepth 1 ! -lname '*/cgroup.events' | wc -l
	done | tr '\n' ' '
}

has_descriptors() {
	[ "$(count_descriptors)" = "$1" ]
}

@test "notify: no descriptor is left behind, wanted or not" {
	local before

	# Not stored: without FDSTORE, refused because of fdstore_max, given twice, taken away again.
	notifier leaky "listen:$SD/leaky.1" "give:READY=0" "give:FDSTORE=1|FDNAME=kept" "give:FDSTORE=1" \
		"listen:$SD/leaky.2" "give:FDSTORE=1|FDNAME=out" "send:FDSTOREREMOVE=1|FDNAME=out" \
		"give:FDSTORE=1|FDNAME=out" "listen:$SD/leaky.3" "give:FDSTORE=1" barrier \
		"send:FDSTOREREMOVE=1|FDNAME=kept" "send:FDSTOREREMOVE=1|FDNAME=out" "send:READY=1" wait <<-END
		ready = "notify"
		fdstore_max = 2
		pre_start = "/bin/true"
		post_stop = "/bin/true"
	END
	wait_state leaky RUNNING
	before=$(count_descriptors)
	for _ in 1 2 3 4 5 6 7 8; do
		exits 0 sctl restart leaky
		wait_state leaky RUNNING
	done
	# What served the last command may be closed a moment later.
	wait_for "$PATIENCE" has_descriptors "$before" || equals descriptors "$(count_descriptors)" "$before"
}

@test "notify: a program that floods its socket disturbs nobody" {
	notifier flood "send:READY=1" ping:0:100000000 <<-END
		ready = "notify"
		watchdog = "10s"
	END
	wait_state flood RUNNING
	notifier neighbour "send:READY=1" wait <<-END
		ready = "notify"
	END
	wait_state neighbour RUNNING
	for _ in 1 2 3; do
		exits 0 sctl restart neighbour
	done
	equals starts "$(record neighbour starts)" 4
	equals "state of flood" "$(record flood state)" RUNNING
	exits any sctl stop flood
	equals "state of flood" "$(record flood state)" STOPPED
}

@test "notify: a socket that is not wanted any more goes away" {
	notifier leaves "env:$SD/leaves.env:NOTIFY_SOCKET" "send:READY=1" wait <<-END
		ready = "notify"
	END
	wait_state leaves RUNNING
	equals environment "$(last_line "$SD/leaves.env")" "NOTIFY_SOCKET=$SD/run/notify/leaves"
	[ -S "$SD/run/notify/leaves" ]
	notifier leaves "env:$SD/leaves.env:NOTIFY_SOCKET" wait <<<""
	exits 0 sctl restart leaves
	wait_for "$PATIENCE" last_line_is "$SD/leaves.env" "NOTIFY_SOCKET is not set"
	[ ! -e "$SD/run/notify/leaves" ]
	rm "$SD/conf.d/plain.conf"
	exits 0 sctl apply
	wait_for "$PATIENCE" test ! -e "$SD/run/notify/plain"
}

@test "notify: a socket whose name was removed is made again for the next run" {
	notifier again "send:READY=1" wait <<-END
		ready = "notify"
	END
	wait_state again RUNNING
	rm "$SD/run/notify/again"
	exits 0 sctl restart again
	wait_state again RUNNING
	[ -S "$SD/run/notify/again" ]
}

@test "notify: a path that no socket can have is the reason of the failure" {
	local long name

	sd_new "$SETTINGS"
	add_notifier
	long=run-$(printf 'x%.0s' {1..60})
	name=program-$(printf 'y%.0s' {1..40})
	sed -i "s|^run_dir = .*|run_dir = \"$SD/$long\"|" "$SD/supervisord.conf"
	ln -s "$long" "$SD/run" # where the tests look for the control socket
	sd_start
	notifier "$name" "send:READY=1" wait <<-END
		ready = "notify"
		start_limit = 1
	END
	wait_state "$name" FATAL
	matches "$(record "$name" reason)" 'notify socket: File name too long'
}

@test "notify: what is said while the engine is dead is heard by the next one" {
	local engine

	own_daemon
	notifier patient "say:$SD/up:up" "await:$SD/go" "send:STATUS=one" "send:READY=1|STATUS=two" "say:$SD/sent:sent" \
		wait <<-END
		ready = "notify"
	END
	wait_for "$PATIENCE" has_lines "$SD/up" 1
	# It hears nothing of it, and then it dies.
	engine=$(role_pid engine)
	kill -STOP "$engine"
	touch "$SD/go"
	wait_for "$PATIENCE" has_lines "$SD/sent" 1
	kill -KILL "$engine"
	wait_for 30 has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
	wait_state patient RUNNING
	equals status_text "$(record patient status_text)" two
	equals starts "$(record patient starts)" 1
	# And it goes on from there.
	exits 0 sctl restart patient
	wait_state patient RUNNING
}

@test "notify: FDSTORE: descriptors outlive the engine" {
	own_daemon
	notifier keeper "got:$SD/got" "listen:$SD/sock" "made:$SD/made" "give:FDSTORE=1|FDNAME=a b" \
		"listen:$SD/sock2" "made:$SD/made" "give:FDSTORE=1" "send:READY=1" wait <<-END
		ready = "notify"
	END
	wait_state keeper RUNNING
	replace_engine
	replace_engine
	exits 0 sctl restart keeper
	wait_state keeper RUNNING
	equals "second run" "$(last_line "$SD/got")" "a b=$(sed -n 1p "$SD/made") stored=$(sed -n 2p "$SD/made")"
	# And the watchdog of a new engine begins anew: no false alarm.
	equals starts "$(record keeper starts)" 2
}

@test "notify: the watchdog goes on under the next engine" {
	own_daemon
	notifier dog "say:$SD/runs:run" "send:READY=1" ping:50:10 "await:$SD/go" hang <<-END
		ready = "notify"
		watchdog = "1s"
	END
	wait_state dog RUNNING
	replace_engine
	wait_for "$PATIENCE" has_lines "$SD/runs" 2
	equals last_exit "$(record dog last_exit.signal)" ABRT
}

@test "notify: one that sends without end does not fill the daemon's log" {
	local words=() _

	for _ in {1..60}; do
		words+=(send:RELOADING=1 send:READY=1)
	done
	notifier chatty send:READY=1 "${words[@]}" "say:$SD/chatty.said:done" wait <<-END
		ready = "notify"
	END
	wait_for "$PATIENCE" file_has "$SD/chatty.said" done
	wait_state chatty RUNNING
	wait_for "$PATIENCE" file_has "$SD/own.log" 'chatty: sends so many notifications that not all of them are logged'
	at_most lines "$(grep -c 'chatty: reloads' "$SD/own.log")" 59
}

stuck_in_reload() {
	notifier stuck send:READY=1 "await:$SD/stuck.go" send:RELOADING=1 "say:$SD/stuck.said:done" wait <<-END
		ready = "notify"
		reload_command = {"sh", "-c", "touch $SD/stuck.go; until [ -e $SD/stuck.said ]; do sleep 0.05; done"}
		start_timeout = "$1"
	END
}

@test "notify: a reload that the program does not end has failed after start_timeout" {
	stuck_in_reload 1min
	wait_state stuck RUNNING
	stuck_in_reload 300ms
	exits 1 sctl reload stuck
	equals output "$(tail -n 1 <<<"$output")" \
		"stuck: has not said that it is ready again in time (start_timeout)"
	equals reloading "$(record stuck reloading)" false
	equals state "$(record stuck state)" RUNNING
}
