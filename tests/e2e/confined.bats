# SPDX-License-Identifier: ISC
# What the logger has given up (supervisord/logger/sandbox.h), seen from outside; from within: tests/unit/logger/sandbox_test.c.

load lib.bash

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

# status_of PID FIELD, of /proc/PID/status.
status_of() {
	awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"
}

# The words of the logger that runs, or of the last one.
confined() {
	grep ' logger: confined: ' "$SD/own.log" | tail -n 1
}

uses_landlock() {
	[[ $(confined) == *"(Landlock)" ]]
}

@test "confined: capabilities, privileges and exec are gone, and the own log says so" {
	local pid line capabilities=none

	wait_for "$PATIENCE" confined
	pid=$(role_pid logger)
	line=$(confined)
	equals NoNewPrivs "$(status_of "$pid" NoNewPrivs)" 1
	equals Seccomp "$(status_of "$pid" Seccomp)" 2
	equals CapEff "$(status_of "$pid" CapEff)" "$(status_of "$pid" CapPrm)"
	equals CapInh "$((16#$(status_of "$pid" CapInh)))" 0
	at_most "bits of CapPrm" "$((16#$(status_of "$pid" CapPrm) & ~0xb))" 0
	[ "$((16#$(status_of "$pid" CapPrm)))" -eq 0 ] || capabilities="capabilities chown dac_override fowner"
	[ "$capabilities" != none ] || capabilities="no capabilities"
	[ "$((16#$(status_of "$pid" CapPrm)))" -eq 0 ] || [ "$((16#$(status_of "$pid" CapPrm)))" -eq 11 ] ||
		capabilities="capabilities " # a container that has only some of them
	matches "$line" "confined: $capabilities"
	matches "$line" 'no new privileges, no exec \(seccomp\)'
	# The engine and the programs are not touched.
	equals "NoNewPrivs of the engine" "$(status_of "$(role_pid engine)" NoNewPrivs)" 0
}

@test "confined: a log directory that was deleted is made again by a new logger, which is no crash" {
	local first

	stanza talker <<-END
		program "talker" { command = "$SD/bin/numbers 0 1000 50" }
		program "stamped" { command = "$SD/bin/numbers 0 5000 50" log_format = "stamp" }
	END
	wait_for "$PATIENCE" log_has_lines talker 10
	wait_for "$PATIENCE" log_has_lines stamped 2
	uses_landlock || skip "no Landlock here: $(confined)"
	first=$(role_pid logger)
	mv "$SD/log" "$SD/log.moved"
	rm "$SD/log.moved/talker.log" "$SD/log.moved/stamped.log"
	wait_for "$PATIENCE" has_new_role logger "$first"
	wait_for "$PATIENCE" log_has_lines talker 10
	wait_for "$PATIENCE" log_has_lines stamped 10
	grep -q 'logger: there is a new log directory' "$SD/own.log"
	run ! grep -qE 'guardian: error: logger (exited|was killed)' "$SD/own.log"
	sctl stop talker stamped
	# From the first whole line on, nothing is missing.
	log_text talker | sed 1d | awk 'NR > 1 && $2 != last + 1 { exit 1 } { last = $2 } END { exit NR < 9 }'
}

@test "confined: an apply that names a new directory gets a logger that may write there" {
	local first

	wait_for "$PATIENCE" confined
	uses_landlock || skip "no Landlock here: $(confined)"
	stanza mover <<-END
		program "mover" { command = "$SD/bin/numbers 0 1000 50" }
	END
	wait_for "$PATIENCE" log_has_lines mover 10
	first=$(role_pid logger)
	sed -i "s|^log_dir = .*|log_dir = \"$SD/elsewhere\"|" "$SD/supervisord.conf"
	sctl apply --no-wait >/dev/null
	wait_for "$PATIENCE" has_lines "$SD/elsewhere/mover.log" 20
	has_new_role logger "$first"
	run ! grep -qE 'guardian: error: logger (exited|was killed)' "$SD/own.log"
	sctl stop mover
	wait_for "$PATIENCE" is_state mover STOPPED
	cat "$SD/log/mover.log" "$SD/elsewhere/mover.log" | assert_numbers 30
}
