# SPDX-License-Identifier: ISC
# The tests of core.bash with supervisord as an ordinary process.

load lib.bash
load core.bash

setup_file() {
	sd_new "$CORE_SETTINGS"
	sd_start
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

@test "core: a killed program is running again, with a new pid" {
	core_kill_restarts
}

@test "core: exit 0 under on-failure is not restarted" {
	core_exit_zero_stays
}

@test "core: a crash loop gets its delays, then FATAL after start_limit starts; start tries again" {
	core_crash_loop_is_fatal
}

@test "core: stop ends a program that ignores TERM, with a setsid grandchild" {
	core_stop_of_the_stubborn
}

@test "core: stop goes on after the leader has left while a child ignores TERM" {
	core_stop_goes_on_after_the_leader
}

@test "core: stop ends a double-forked grandchild in its own session" {
	core_stop_finds_orphans
}

@test "core: orphans are reaped" {
	core_reaps_orphans
}

@test "core: kill -9 of the engine changes no pid, and an exit meanwhile is acted on once" {
	core_engine_dies
}

@test "core: kill -9 of the logger loses no line" {
	core_logger_dies 3 10000
}

@test "core: shutdown ends everything and exits 0" {
	core_shutdown_is_clean sd_start
}
