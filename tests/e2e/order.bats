# SPDX-License-Identifier: ISC
# after: the order of starting, and its reverse at the stop.  a comes after b, and b after c; d is on its own.

load lib.bash

setup() {
	sd_new
	cat >"$SD/conf.d/order.conf" <<-END
		defaults { stable_after = "250ms" }
		program "a" { command = "$SD/bin/stamp $SD/stamps run 200" after = {"b"} }
		program "b" { command = "$SD/bin/stamp $SD/stamps run 200" after = {"c"} }
		program "c" { command = "$SD/bin/stamp $SD/stamps run 200" }
		program "d" { command = "$SD/bin/stamp $SD/other run 200" }
	END
	sd_start
	wait_state a RUNNING
	# RUNNING says that it is there, not that it has got so far as to wait for TERM.
	wait_for "$PATIENCE" has_lines "$SD/stamps" 3
	wait_for "$PATIENCE" has_lines "$SD/other" 1
}

teardown() {
	sd_tell_failure
	sd_down_all
}

# "start c start b …" of the stamps from a line on.
order_from() {
	tail -n "+$1" "$SD/stamps" | cut -d' ' -f1,2 | tr '\n' ' '
}

# Each stop stamp at least the 200 ms that each takes at the stop after the one before it.
assert_stop_gaps() {
	awk '$1 == "stop" { if (last && ($5 - last) / 1000000 < 200) { print "too soon: " $0; exit 1 } last = $5 }' "$SD/stamps"
}

# The start of all after that line of the daemon's messages: one waits until the other is RUNNING, and d for nobody.
assert_start_order() {
	told_in_order "$1" "c: $2 -> STARTING" "c: STARTING -> RUNNING" "b: WAITING -> STARTING" \
		"b: STARTING -> RUNNING" "a: WAITING -> STARTING" "a: STARTING -> RUNNING"
	told_in_order "$1" "d: $2 -> STARTING" "c: STARTING -> RUNNING"
}

@test "order: at the start one waits until the other is RUNNING, at the stop the other way round" {
	local lines

	assert_start_order 0 WAITING

	exits 0 sctl stop all
	equals order "$(order_from 4)" "stop a stop b stop c "
	assert_stop_gaps

	lines=$(count_lines "$SD/own.log")
	exits 0 sctl start all
	assert_start_order "$lines" STOPPED
	wait_for "$PATIENCE" has_lines "$SD/stamps" 9
	equals "started again" "$(order_from 7 | tr ' ' '\n' | grep -v start | sort | tr '\n' ' ')" "a b c "
}

@test "order: at the shutdown too" {
	kill -TERM "$(guardian)"
	wait "$SD_JOB"
	equals order "$(order_from 4)" "stop a stop b stop c "
}

@test "order: after starts nothing by itself" {
	exits 0 sctl stop all
	exits 0 sctl start b
	wait_state b RUNNING
	equals "state of c" "$(record c state)" STOPPED
	equals "state of a" "$(record a state)" STOPPED
}

@test "order: who waits is WAITING and says for whom; the end of the other lets it go" {
	exits 0 sctl stop all
	cat >"$SD/conf.d/slow.conf" <<-END
		program "slow" { command = "$SD/bin/stamp $SD/slow exit 0" stable_after = "1h" autostart = false }
		program "fast" { command = "$SD/bin/stamp $SD/fast run" after = {"slower"} autostart = false }
		program "slower" { command = "$SD/bin/stamp $SD/slower run" stable_after = "1h" autostart = false }
		program "last" { command = "$SD/bin/stamp $SD/last run" after = {"slow"} autostart = false }
	END
	exits 0 sctl apply
	exits 0 sctl start --no-wait slower fast
	wait_state fast WAITING
	matches "$(record fast reason)" slower
	equals pid "$(record fast pid)" ""
	exits 0 sctl stop fast slower
	equals "starts of fast" "$(record fast starts)" 0
	# slow never becomes RUNNING, but it ends.
	exits any sctl start --no-wait slow last
	wait_state last RUNNING
}
