# SPDX-License-Identifier: ISC
# The whole daemon: engine and logger are killed at random moments, and no program loses a line.  Few times, because the
# guardian waits longer before each new one; the storms are logger.bats'.

load ../e2e/lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "100ms" restart = "never" }'
	sd_start
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# Kill what runs of this name, in whatever it is doing, after a moment; it need not be there.
kill_at_random() {
	local pid

	sleep "0.0$((RANDOM % 90 + 10))"
	if pid=$(role_pid "$1"); then
		kill -KILL "$pid"
	fi
}

@test "fault: kills of engine and logger, while programs write, rotate and are restarted" {
	local i name pids

	# A thousand archives, which is the most, are four minutes and more of each: it is a matter of every line.
	stanza writers <<-END
		program "steady" { command = "$SD/bin/numbers 0 300 100" log_max_size = "100KB" log_keep = 1000 }
		program "wide" { command = "$SD/bin/numbers 0 500 1000" log_max_size = "600KB" log_keep = 1000 }
		program "restless" { command = "$SD/bin/numbers 0 2000 80" log_max_size = "10KB" log_keep = 1000 }
	END
	wait_for "$PATIENCE" log_has_lines steady 10
	wait_for "$PATIENCE" log_has_lines wide 10
	pids="$(record steady pid) $(record wide pid)"
	for ((i = 0; i < 3; i++)); do
		kill_at_random logger
		kill_at_random engine
		wait_for "$PATIENCE" role_pid logger
		wait_for "$PATIENCE" sd_serves
		sctl restart --no-wait restless
	done
	equals "pids of steady and wide" "$(record steady pid) $(record wide pid)" "$pids"
	sctl stop steady wide restless
	for name in steady wide restless; do
		wait_state "$name" STOPPED
		log_text "$name" | assert_numbers 100
	done
	at_least "archives of restless" "$(find "$SD/log" -name 'restless.log.*' | wc -l)" 3
}
