# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# core.bash: the tests that hold wherever supervisord runs; core.bats runs them under an ordinary parent, pid1.bats as
# PID 1 of a namespace.  One daemon a file: each test has programs of its own names.

# The daemon's settings for these tests.
# shellcheck disable=SC2034 # used by the .bats files
CORE_SETTINGS='defaults { stable_after = "100ms" restart_delay = "50ms" stop_timeout = "5s" }'

# After SIGKILL from outside: a new pid, and the record says what happened.
core_kill_restarts() {
	local pid

	stanza killed <<-END
		program "killed" {
			command = "$SD/bin/stamp $SD/killed.stamps run"
		}
	END
	wait_state killed RUNNING
	pid=$(record killed pid)
	kill_program killed
	wait_for "$PATIENCE" runs_anew killed "$pid"
	equals starts "$(record killed starts)" 2
	equals last_exit "$(record killed last_exit.signal)" KILL
	wait_state killed RUNNING
}

# Status 0 is what on-failure, the default, calls done.
core_exit_zero_stays() {
	settle_stanza
	stanza zero <<-END
		program "zero" {
			command = "$SD/bin/stamp $SD/zero.stamps exit 0"
		}
	END
	wait_state zero EXITED
	equals last_exit "$(record zero last_exit.status)" 0
	settle
	equals state "$(record zero state)" EXITED
	equals starts "$(record zero starts)" 1
	equals stamps "$(count_lines "$SD/zero.stamps")" 1
}

# The delays grow as configured, FATAL comes after exactly start_limit starts, and `start` begins anew.
core_crash_loop_is_fatal() {
	local gaps

	stanza loop <<-END
		program "loop" {
			command = "$SD/bin/stamp $SD/loop.stamps exit 1"
			start_limit = 4
			stable_after = "1h"
			restart_delay = "100ms"
			restart_factor = 3
		}
	END
	wait_state loop FATAL
	equals starts "$(record loop starts)" 4
	equals stamps "$(count_lines "$SD/loop.stamps")" 4
	mapfile -t gaps < <(start_gaps "$SD/loop.stamps")
	at_least "first delay" "${gaps[0]}" 100
	at_least "second delay" "${gaps[1]}" 300
	at_least "third delay" "${gaps[2]}" 900
	at_most "all delays" $((gaps[0] + gaps[1] + gaps[2])) 15000

	exits 1 sctl start loop
	wait_for "$PATIENCE" has loop starts 8
	wait_state loop FATAL
	equals stamps "$(count_lines "$SD/loop.stamps")" 8
}

# stop_family MODE PROCESSES STOP_TIMEOUT_MS LEAST_MS: nothing of it is left when `stop` returns, nor was it killed too soon.
stop_family() {
	local name=family-$1 before after

	stanza "$name" <<-END
		program "$name" {
			command = "$SD/bin/family $1 $SD/$name.ready"
			stop_timeout = "$3ms"
		}
	END
	wait_for "$PATIENCE" file_has "$SD/$name.ready" ready
	wait_state "$name" RUNNING
	equals "processes before" "$(count_procs "family $1 ")" "$2"
	before=$(now_ms)
	exits 0 sctl stop "$name"
	after=$(now_ms)
	equals "processes after" "$(count_procs "family $1 ")" 0
	equals state "$(record "$name" state)" STOPPED
	at_least "milliseconds of the stop" $((after - before)) "$4"
	at_most "milliseconds of the stop" $((after - before)) 20000
	wait_for "$PATIENCE" no_zombies
}

core_stop_of_the_stubborn() {
	stop_family stubborn 3 800 800
}

# The escalation follows the set of processes, not the leader.
core_stop_goes_on_after_the_leader() {
	stop_family leader-quits 2 800 800
}

core_stop_finds_orphans() {
	stop_family orphan 2 800 0
}

core_reaps_orphans() {
	stanza orphans <<-END
		program "orphans" {
			command = "$SD/bin/orphans 50 $SD/orphans.done"
		}
	END
	wait_for "$PATIENCE" file_has "$SD/orphans.done" "^done"
	wait_for "$PATIENCE" no_zombies
	wait_state orphans RUNNING
	equals "processes" "$(count_procs orphans)" 1
}

# The engine dies: no pid changes.  A program that ends while no engine looks is acted on once.
core_engine_dies() {
	local engine steady failing finished

	stanza adopted <<-END
		program "steady" { command = "$SD/bin/stamp $SD/steady.stamps run" }
		program "failing" { command = "$SD/bin/stamp $SD/failing.stamps run" }
		program "finished" {
			command = "$SD/bin/stamp $SD/finished.stamps run"
			success_exit = {"0", "KILL"}
		}
	END
	wait_state steady RUNNING
	wait_state failing RUNNING
	wait_state finished RUNNING
	wait_for "$PATIENCE" has_lines "$SD/failing.stamps" 1
	wait_for "$PATIENCE" has_lines "$SD/finished.stamps" 1
	steady=$(record steady pid)
	failing=$(host_pid "$(record failing pid)")
	finished=$(host_pid "$(record finished pid)")

	# Stopped, it cannot act on what happens now; then it dies without having seen it.
	engine=$(role_pid engine)
	kill -STOP "$engine"
	kill -KILL "$failing" "$finished"
	wait_for "$PATIENCE" is_gone "$failing"
	wait_for "$PATIENCE" is_gone "$finished"
	kill_role engine
	wait_for "$PATIENCE" has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves

	wait_for "$PATIENCE" has failing starts 2
	wait_state failing RUNNING
	wait_state finished EXITED
	equals "last_exit" "$(record finished last_exit.signal)" KILL
	equals "pid of steady" "$(record steady pid)" "$steady"
	equals "starts of steady" "$(record steady starts)" 1
	equals "starts of finished" "$(record finished starts)" 1
	equals "starts of failing" "$(record failing starts)" 2
	wait_for "$PATIENCE" has_lines "$SD/failing.stamps" 2
	equals "stamps of failing" "$(count_lines "$SD/failing.stamps")" 2
	equals "stamps of finished" "$(count_lines "$SD/finished.stamps")" 1
}

# core_logger_dies KILLS LINES: the log has every line once, and no archive ends within a line.
core_logger_dies() {
	local pid logger round file

	stanza writer <<-END
		program "writer" {
			command = "$SD/bin/numbers $2 100 100"
			log_max_size = "20KB"
			log_keep = 1000
		}
	END
	wait_state writer RUNNING
	pid=$(record writer pid)
	for ((round = 1; round <= $1; round++)); do
		wait_for "$PATIENCE" log_has writer " $((round * 500)) x"
		logger=$(role_pid logger)
		kill_role logger
		wait_for "$PATIENCE" has_new_role logger "$logger"
	done
	wait_for 240 log_has_lines writer "$2"
	equals pid "$(record writer pid)" "$pid"
	log_text writer | assert_numbers "$2"
	equals lines "$(log_text writer | wc -l)" "$2"
	at_least archives "$(find "$SD/log" -name 'writer.log.*' | wc -l)" 5
	for file in "$SD"/log/writer.log*; do
		[ ! -s "$file" ] || equals "last byte of $file" "$(tail -c 1 "$file" | od -An -tx1)" " 0a"
	done
	exits 0 sctl stop writer
}

# `superctl shutdown` ends everything, in a daemon of its own.  core_shutdown_is_clean START: by that function.
core_shutdown_is_clean() {
	local guardian roles status=0

	sd_new "$CORE_SETTINGS"
	cat >"$SD/conf.d/some.conf" <<-END
		program "plain" { command = "$SD/bin/stamp $SD/plain.stamps run" }
		program "stubborn" { command = "$SD/bin/family stubborn $SD/ready" stop_timeout = "500ms" }
		program "orphan" { command = "$SD/bin/family orphan $SD/ready" stop_timeout = "500ms" }
	END
	"$1"
	wait_state stubborn RUNNING
	wait_state orphan RUNNING
	wait_for "$PATIENCE" has_lines "$SD/ready" 2
	wait_for "$PATIENCE" has_lines "$SD/plain.stamps" 1
	guardian=$(guardian)
	roles=$(children_of "$guardian")
	exits 0 sctl shutdown
	wait "$SD_JOB" || status=$?
	equals "exit status of supervisord" "$status" 0
	is_gone "$guardian"
	for pid in $roles; do
		ended "$pid"
	done
	no_procs ""
	equals "stamps" "$(cut -d' ' -f1 "$SD/plain.stamps" | tr '\n' ' ')" "start stop "
	sd_down
}
