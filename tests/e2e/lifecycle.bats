# SPDX-License-Identifier: ISC
# What becomes of programs beyond the restart: requirements lost and back, conflicts, kinds of programs, steps of a stop,
# on_failure, essential, boot.  Hooks, readiness, health and sd_notify have files of their own.

load lib.bash

setup() {
	sd_new "state_dir = \"$BATS_TEST_TMPDIR/state\"" \
		'defaults { stable_after = "50ms" restart_delay = "20ms" restart_jitter = 0 }'
}

teardown() {
	sd_tell_failure
	sd_down_all
}

# FILE as the daemon's only stanzas, from standard input; start it.
begin() {
	stanza_file life
	sd_start
}

# run NAME [MORE…]: a program that stamps into one file for all and runs until TERM.
run() {
	local name=$1

	shift
	echo "program \"$name\" { command = \"$SD/bin/stamp $SD/stamps run\" $* }"
}

restart_daemon() {
	kill -TERM "$(guardian)"
	wait "$SD_JOB" || true
	sd_start
}

starts_of() {
	record "$1" starts
}

has_starts() {
	[ "$(starts_of "$1")" -ge "$2" ]
}

told() {
	grep -qF "$1" "$SD/own.log"
}

@test "lifecycle: what requires a program is stopped when that ends, waits, and comes back with it" {
	{
		run db 'restart = "never"'
		run app 'requires = {"db"}'
		run web 'requires = {"app"}'
	} | stanza_file life
	sd_start
	wait_state web RUNNING
	kill_program db KILL
	wait_state web WAITING
	wait_state app WAITING
	equals db "$(record db state)" EXITED
	matches "$(record app reason)" 'waits for db'
	matches "$(record web reason)" 'waits for app'
	# In order: web had gone before app was told to.
	told_in_order 0 "web: RUNNING -> STOPPING" "web: STOPPING -> WAITING" "app: STOPPING -> WAITING"
	exits 0 sctl start db
	wait_state web RUNNING
	equals "starts of web" "$(starts_of web)" 2
}

@test "lifecycle: a smooth program may crash without those that require it" {
	{
		run db 'smooth = true'
		run app 'requires = {"db"}'
	} | stanza_file life
	sd_start
	wait_state app RUNNING
	kill_program db KILL
	wait_for "$PATIENCE" has_starts db 2
	wait_state db RUNNING
	exits 0 sctl restart db
	equals state "$(record app state)" RUNNING
	equals "starts of app" "$(starts_of app)" 1
}

@test "lifecycle: a restart of what is required restarts what requires it, in order" {
	{
		run db
		run app 'requires = {"db"}'
	} | stanza_file life
	sd_start
	wait_state app RUNNING
	exits 0 sctl restart db
	wait_for "$PATIENCE" has_starts app 2
	wait_state app RUNNING
	told_in_order 0 "app: RUNNING -> STOPPING" "app: STOPPING -> WAITING" "db: RUNNING -> STOPPING" \
		"db: STOPPING -> STARTING" "app: WAITING -> STARTING"
}

@test "lifecycle: a required program that gives up keeps what requires it waiting, with its name" {
	{
		run app 'requires = {"db"}'
		echo 'program "db" { command = "false" start_limit = 2 stable_after = "1h" }'
	} | stanza_file life
	sd_start
	wait_state db FATAL
	equals app "$(record app state)" WAITING
	matches "$(record app reason)" 'db'
	equals "starts of app" "$(starts_of app)" 0
}

@test "lifecycle: what is only wanted may fail" {
	{
		run app 'wants = {"cache"}'
		echo 'program "cache" { command = "false" autostart = false start_limit = 0 }'
	} | stanza_file life
	sd_start
	wait_state app RUNNING
	wait_for "$PATIENCE" has_starts cache 2
}

@test "lifecycle: a condition of completion waits for the end with success" {
	{
		run app 'requires = {"init:completed"}'
		echo "program \"init\" { type = \"oneshot\" command = \"while ! test -e $SD/go; do sleep 0.02; done\" shell = true }"
	} | stanza_file life
	sd_start
	wait_state app WAITING
	matches "$(record app reason)" 'init to be completed'
	equals init "$(record init state)" STARTING
	touch "$SD/go"
	wait_state app RUNNING
	equals init "$(record init state)" EXITED
}

@test "lifecycle: before is the other side of after" {
	{
		run first 'before = {"second"} stable_after = "200ms"'
		run second
	} | stanza_file life
	sd_start
	wait_state second RUNNING
	told_in_order 0 "first: STARTING -> RUNNING" "second: WAITING -> STARTING"
}

@test "lifecycle: of two in conflict the one that is started stops the other one first" {
	{
		run red 'conflicts = {"blue"}'
		run blue 'autostart = false'
	} | stanza_file life
	sd_start
	wait_state red RUNNING
	exits 0 sctl start blue
	equals red "$(record red state)" STOPPED
	equals blue "$(record blue state)" RUNNING
	told_in_order 0 "red: STOPPING -> STOPPED" "blue: WAITING -> STARTING"
	exits 0 sctl start red
	equals blue "$(record blue state)" STOPPED
}

@test "lifecycle: a oneshot that remains is RUNNING without a process until it is stopped" {
	begin <<-END
		program "once" { type = "oneshot" command = "true" remain = true post_stop = "touch $SD/undone" }
	END
	wait_state once RUNNING
	equals pid "$(record once pid)" ""
	exits 0 sctl start once
	equals starts "$(starts_of once)" 1
	kill_role engine
	wait_state once RUNNING
	exits 0 sctl stop once
	equals state "$(record once state)" STOPPED
	test -e "$SD/undone"
}

@test "lifecycle: a oneshot that remains is undone by its stop_command, which is let to end" {
	begin <<-END
		program "once" { type = "oneshot" command = "true" remain = true stop_command = "sh -c 'sleep 0.3 && touch $SD/undone'" }
	END
	wait_state once RUNNING
	exits 0 sctl stop once
	equals state "$(record once state)" STOPPED
	test -e "$SD/undone"
}

@test "lifecycle: a forking program is known by its pid file, and its end is seen" {
	begin <<-END
		program "back" {
			type = "forking"
			shell = true
			command = "sleep 1000 & echo \$! > $SD/pid"
			pid_file = "$SD/pid"
		}
	END
	wait_state back RUNNING
	equals pid "$(record back pid)" "$(cat "$SD/pid")"
	kill_program back KILL
	wait_for "$PATIENCE" has_starts back 2
	wait_state back RUNNING
	equals "pid of the second" "$(record back pid)" "$(cat "$SD/pid")"
	exits 0 sctl stop back
	ended "$(cat "$SD/pid")"
}

@test "lifecycle: the number in a stale pid file is not believed" {
	sleep 1000 3>&- &
	local stranger=$!

	begin <<-END
		program "back" { type = "forking" command = "true" pid_file = "$SD/pid" start_timeout = "500ms" start_limit = 1 }
	END
	echo "$stranger" >"$SD/pid"
	exits 1 sctl restart back
	wait_state back FATAL
	matches "$(record back reason)" 'no main process'
	file_has "$SD/own.log" 'back: the last look found: pid_file names a process that is not of this run'
	kill -0 "$stranger"
	kill "$stranger"
}

stops_step_by_step() {
	rm -f "$SD/log/picky.log"
	exits 0 sctl logs --reopen picky
	exits 0 sctl start picky
	wait_for "$PATIENCE" log_has picky up
	exits 0 sctl stop picky
	# The shell has a word of its own to say about its child.
	[ "$(log_text picky | grep -E '^(up|got)' | tr '\n' ' ')" = "up got TERM got INT got USR1 " ]
}

@test "lifecycle: stop_sequence goes on step by step until the program ends" {
	begin <<-END
		program "picky" {
			command = "trap 'echo got TERM' TERM; trap 'echo got INT' INT; trap 'echo got USR1; exit 0' USR1; echo up; while :; do sleep 0.05; done"
			autostart = false
			shell = true
			stop_sequence = {"TERM:100ms", "INT:100ms", "USR1:30s", "KILL"}
		}
	END
	# A shell that has slept over two steps takes them in another order, or the last one alone.
	wait_for "$PATIENCE" stops_step_by_step
	equals last "$(record picky last_exit)" '{"status": 0}'
}

@test "lifecycle: kill_mode process leaves the others alone" {
	begin <<-END
		program "parent" {
			command = "$SD/bin/stamp $SD/child.stamps run & echo up; wait"
			shell = true
			kill_mode = "process"
		}
	END
	wait_for "$PATIENCE" has_lines "$SD/child.stamps" 1
	exits 0 sctl stop parent
	equals processes "$(count_procs stamp)" 1
	pkill -f "^$SD/bin/stamp"
}

@test "lifecycle: kill_mode mixed signals the main process, and kills the others" {
	begin <<-END
		program "parent" {
			command = "trap 'exit 0' TERM; (trap 'echo child got TERM' TERM; echo up; while :; do sleep 0.05; done) & wait"
			shell = true
			kill_mode = "mixed"
			stop_timeout = "300ms"
		}
	END
	wait_for "$PATIENCE" log_has parent up
	exits 0 sctl stop parent
	equals log "$(log_text parent)" up
}

@test "lifecycle: kill_mode mixed kills the others at once when the main process has ended by itself" {
	local pid

	begin <<-END
		program "parent" {
			command = "(trap '' TERM; exec $SD/bin/stamp $SD/child.stamps run) & echo up; wait"
			shell = true
			kill_mode = "mixed"
			restart_delay = "10ms"
			stop_sequence = {"QUIT:1h", "TERM:1h"}
		}
	END
	wait_for "$PATIENCE" log_has parent up
	pid=$(record parent pid)
	kill_program parent
	wait_for "$PATIENCE" runs_anew parent "$pid"
	wait_for "$PATIENCE" has_lines "$SD/child.stamps" 2
	equals processes "$(count_procs stamp)" 1
	# A stop would wait for it.
	exits 0 sctl stop --no-wait parent
	kill -KILL "$(pgrep -f "^$SD/bin/stamp")"
	wait_state parent STOPPED
}

@test "lifecycle: stop_command stops the program, and a failing one is followed by the signal" {
	begin <<-END
		program "good" {
			command = "trap 'exit 5' USR1; echo up; while :; do sleep 0.05; done"
			shell = true
			stop_command = "sh -c 'kill -USR1 \$MAINPID'"
		}
		program "bad" {
			command = "$SD/bin/stamp $SD/bad.stamps run"
			stop_command = "false"
			stop_timeout = "1h"
		}
	END
	wait_for "$PATIENCE" log_has good up
	wait_for "$PATIENCE" has_lines "$SD/bad.stamps" 1
	exits 0 sctl stop all
	equals good "$(record good last_exit)" '{"status": 5}'
	file_has "$SD/bad.stamps" stop
}

@test "lifecycle: on_failure starts another program, or runs a command" {
	{
		run rescue 'autostart = false'
		run spare 'autostart = false'
		echo 'group "both" { members = {"rescue", "spare"} }'
		echo 'program "one" { command = "false" start_limit = 1 on_failure = "start:both" }'
		echo "program \"two\" { command = \"false\" start_limit = 1 on_failure = \"exec:touch $SD/told\" }"
	} | stanza_file life
	sd_start
	wait_state one FATAL
	wait_state rescue RUNNING
	wait_state spare RUNNING
	matches "$(record rescue reason)" 'on_failure of one|^$'
	wait_for "$PATIENCE" test -e "$SD/told"
}

@test "lifecycle: on_failure retries slowly" {
	begin <<-END
		program "slow" { command = "false" start_limit = 1 on_failure = "retry:200ms" }
	END
	wait_for "$PATIENCE" has_starts slow 3
	told "slow: FATAL -> STARTING: tried again by on_failure"
	exits 0 sctl stop slow
	equals state "$(record slow state)" STOPPED
}

@test "lifecycle: an essential program takes the others with it, in order, and its status is the daemon's" {
	local code=0

	{
		run db
		run other 'requires = {"db"}'
		run never 'requires = {"hangs"}'
		echo 'program "hangs" { command = "sleep 1000" ready = "notify" start_timeout = "1h" }'
		echo "program \"main\" { command = \"while ! test -e $SD/go; do sleep 0.02; done; exit 7\" shell = true restart = \"never\" essential = true }"
	} | stanza_file life
	sd_start
	wait_state other RUNNING
	touch "$SD/go"
	wait "$SD_JOB" || code=$?
	equals code "$code" 7
	told_in_order 0 "other: RUNNING -> STOPPING" "other: STOPPING -> STOPPED" "db: RUNNING -> STOPPING"
}

@test "lifecycle: an essential program that gives up ends the daemon with its status" {
	local code=0

	{
		run other
		echo "program \"main\" { command = \"sh -c 'until [ -e $SD/go ]; do sleep 0.05; done; exit 7'\" stable_after = \"0s\" start_limit = 2 essential = true }"
	} | stanza_file life
	sd_start
	touch "$SD/go"
	wait "$SD_JOB" || code=$?
	equals code "$code" 7
	told_in_order 0 " -> FATAL: exited with status 7" "other: STOPPING -> STOPPED"
}

@test "lifecycle: conditions say how far another one must be, and a group means each of its members" {
	{
		echo "program \"slow\" { command = \"$SD/bin/stamp $SD/stamps run\" ready = \"file:$SD/slow.ready\" start_timeout = \"0s\" }"
		echo "program \"sick\" { command = \"$SD/bin/stamp $SD/stamps run\""
		echo "	health { check = \"file:$SD/sick.good\" interval = \"50ms\" failures = 1 on_failure = \"none\" } }"
		echo 'group "both" { members = {"slow", "sick"} }'
		run begun 'requires = {"both:started"}'
		run there 'requires = {"slow:ready"}'
		run whole 'requires = {"sick:healthy"}'
		run every 'requires = {"both"}'
	} | stanza_file life
	sd_start
	wait_state begun RUNNING
	wait_for "$PATIENCE" has sick health bad
	equals state "$(record sick state)" RUNNING
	equals states "$(record slow state) $(record there state) $(record whole state) $(record every state)" \
		"STARTING WAITING WAITING WAITING"
	matches "$(record whole reason)" "waits for sick to be healthy"
	touch "$SD/sick.good"
	wait_state whole RUNNING
	equals state "$(record every state)" WAITING
	touch "$SD/slow.ready"
	wait_state there RUNNING
	wait_state every RUNNING
	# Not healthy any more is a matter of its own policy, not of those that required it to be once.
	rm "$SD/sick.good"
	wait_for "$PATIENCE" has sick health bad
	equals state "$(record whole state)" RUNNING
}

@test "lifecycle: on_failure = shutdown ends the daemon with the status of the program" {
	local code=0

	begin <<-END
		program "fails" { command = "sh -c 'until [ -e $SD/now ]; do sleep 0.05; done; exit 9'" stable_after = "0s" start_limit = 1 on_failure = "shutdown" }
	END
	touch "$SD/now"
	wait "$SD_JOB" || code=$?
	equals code "$code" 9
}

@test "lifecycle: on_failure = reboot ends what PID 1 rules over, after the programs" {
	local code=0

	can_be_pid1 || skip "no PID namespace can be made here"
	{
		run other
		echo "program \"fails\" { command = \"sh -c 'until [ -e $SD/go ]; do sleep 0.05; done; exit 9'\" stable_after = \"0s\" start_limit = 1 on_failure = \"reboot\" }"
	} | stanza_file life
	sd_start_pid1
	touch "$SD/go"
	wait "$SD_JOB" || code=$?
	# reboot(2) in a namespace ends its init by HUP; that is what the caller sees.
	equals code "$code" 129
	told_in_order 0 "fails: RUNNING -> FATAL" "other: STOPPING -> STOPPED"
	file_has "$SD/own.log" "the machine is started again"
}

@test "lifecycle: boot = last-state remembers what the operator said" {
	{
		run kept 'boot = "last-state"'
		run plain
	} | stanza_file life
	sd_start
	wait_state plain RUNNING
	exits 0 sctl stop kept plain
	restart_daemon
	wait_state plain RUNNING
	equals kept "$(record kept state)" STOPPED
	exits 0 sctl start kept
	restart_daemon
	wait_state kept RUNNING
}

@test "lifecycle: what the operator said is written down when that becomes possible" {
	run kept 'boot = "last-state"' | stanza_file life
	rm -rf "$BATS_TEST_TMPDIR/state"
	touch "$BATS_TEST_TMPDIR/state"
	sd_start
	wait_state kept RUNNING
	exits 0 sctl stop kept
	file_has "$SD/own.log" "kept: cannot note its last state in $BATS_TEST_TMPDIR/state"
	rm "$BATS_TEST_TMPDIR/state"
	wait_for "$PATIENCE" file_has "$BATS_TEST_TMPDIR/state/last-state" 'kept down'
}

@test "lifecycle: max_runtime ends a run as a failed one" {
	begin <<-END
		program "long" { command = "sleep 1000" max_runtime = "300ms" start_limit = 2 }
		program "job" { type = "oneshot" command = "sleep 1000" max_runtime = "300ms" start_limit = 1 }
		program "slow" {
			command = "sleep 1000"
			ready = "file:$SD/never"
			start_timeout = "0s"
			max_runtime = "300ms"
			start_limit = 1
		}
	END
	wait_state long FATAL
	matches "$(record long reason)" 'max_runtime'
	wait_state job FATAL
	matches "$(record job reason)" 'max_runtime'
	wait_state slow FATAL
	matches "$(record slow reason)" 'max_runtime'
}
