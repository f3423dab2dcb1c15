# SPDX-License-Identifier: ISC
# The tests of core.bash with supervisord as PID 1 of a pid namespace, as in a container.

load lib.bash
load core.bash

setup_file() {
	can_be_pid1 || return 0
	sd_new "$CORE_SETTINGS"
	sd_start_pid1
}

teardown_file() {
	sd_down_all
}

setup() {
	can_be_pid1 || skip "no pid namespace is permitted here"
}

teardown() {
	sd_tell_failure
}

@test "pid 1: supervisord is" {
	equals "pid of the guardian" "$(version_field pid)" 1
}

@test "pid 1: a killed program is running again, with a new pid" {
	core_kill_restarts
}

@test "pid 1: exit 0 under on-failure is not restarted" {
	core_exit_zero_stays
}

@test "pid 1: a crash loop gets its delays, then FATAL after start_limit starts; start tries again" {
	core_crash_loop_is_fatal
}

@test "pid 1: stop ends a program that ignores TERM, with a setsid grandchild" {
	core_stop_of_the_stubborn
}

@test "pid 1: stop goes on after the leader has left while a child ignores TERM" {
	core_stop_goes_on_after_the_leader
}

@test "pid 1: stop ends a double-forked grandchild in its own session" {
	core_stop_finds_orphans
}

@test "pid 1: orphans are reaped" {
	core_reaps_orphans
}

@test "pid 1: kill -9 of the engine changes no pid, and an exit meanwhile is acted on once" {
	core_engine_dies
}

@test "pid 1: kill -9 of the logger loses no line" {
	core_logger_dies 2 6000
}

@test "pid 1: shutdown ends everything and exits 0" {
	core_shutdown_is_clean sd_start_pid1
}
