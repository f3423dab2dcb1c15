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
}

teardown() {
	sd_tell_failure
	sd_down_all
}

# "start c start b …" of the stamps from a line on.
order_from() {
	tail -n "+$1" "$SD/stamps" | cut -d' ' -f1,2 | tr '\n' ' '
}

# Each stamp at least so many milliseconds after the one before it: stable_after at the start (less what the first needed
# to get to its stamp), and the 200 ms that each takes at the stop.
assert_gaps() {
	awk -v kind="$1" -v least="$2" '
		$1 == kind { if (last && ($5 - last) / 1000000 < least) { print "too soon: " $0; exit 1 } last = $5 }' "$SD/stamps"
}

@test "order: at the start one waits until the other is RUNNING, at the stop the other way round" {
	equals order "$(order_from 1)" "start c start b start a "
	assert_gaps start 100
	# Who waits for nobody has not waited.
	[ "$(awk '{ print $5 }' "$SD/other")" -lt "$(awk '$2 == "b" { print $5 }' "$SD/stamps")" ]

	exits 0 sctl stop all
	equals order "$(order_from 4)" "stop a stop b stop c "
	assert_gaps stop 200

	exits 0 sctl start all
	equals order "$(order_from 7)" "start c start b start a "
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
