# SPDX-License-Identifier: ISC
# A hundred programs that crash at once and are started at once: the daemon still answers and still stops them.

load lib.bash

PROGRAMS_IN_STORM=100

setup_file() {
	local number

	sd_new 'defaults { start_limit = 0 restart_delay = "0ms" restart_delay_max = "0ms" restart_factor = 1 }'
	for ((number = 1; number <= PROGRAMS_IN_STORM; number++)); do
		echo "program \"storm-$number\" { command = \"$SD/bin/looper $SD/storm.runs\" autostart = false stdout = \"null\" }"
	done >"$SD/conf.d/storm.conf"
	echo "program \"calm\" { command = \"$SD/bin/stamp $SD/calm.stamps run\" stable_after = \"100ms\" }" >"$SD/conf.d/calm.conf"
	sd_start
	wait_state calm RUNNING
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

count_records() {
	"$PYTHON" -ISc 'import json, sys; print(len(json.load(sys.stdin)))'
}

@test "storm: status answers within its deadline, and stop ends it" {
	local pid

	pid=$(record calm pid)
	exits any sctl start --no-wait 'storm-*'
	wait_for "$PATIENCE" has_lines "$SD/storm.runs" 500
	for _ in {1..20}; do
		timeout "$PATIENCE" "$SUPERCTL" -s "$SD/run/control.sock" status --json >"$SD/status.json" || [ $? -eq 3 ]
		equals records "$(count_records <"$SD/status.json")" $((PROGRAMS_IN_STORM + 1))
	done
	equals "pid of calm" "$(record calm pid)" "$pid"
	exits 0 timeout "$PATIENCE" "$SUPERCTL" -s "$SD/run/control.sock" stop 'storm-*'
	no_procs looper
	wait_for "$PATIENCE" no_zombies
	exits 0 sctl restart calm
}

@test "storm: shutdown ends it" {
	exits any sctl start --no-wait 'storm-*'
	wait_for "$PATIENCE" has_lines "$SD/storm.runs" $(($(count_lines "$SD/storm.runs") + 300))
	kill -TERM "$(guardian)"
	wait_for 30 is_gone "$(guardian)"
	no_procs ""
}
