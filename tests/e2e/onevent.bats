# SPDX-License-Identifier: ISC
# on_event: programs that are run because something has happened.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" restart_delay = "20ms" start_limit = 2 }'
	stanza_file programs <<-END
		program "broken" { command = "/bin/sh -c 'exit 3'" autostart = false }
		program "steady" { command = "sleep 1000" }
		on_event "alarm" {
			match = {"state:FATAL", "program:broken"}
			exec = "/bin/sh -c 'env >>$SD/alarm; echo \$EVENT_NUMBER >>$SD/alarms'"
		}
		on_event "busy" {
			match = {"kind:command"}
			exec = "/bin/sh -c 'echo \$EVENT_NUMBER >>$SD/busy; while [ -e $SD/hold ]; do sleep 0.02; done'"
		}
		on_event "all-ends" {
			match = {"exit:failure"}
			exec = "/bin/sh -c 'echo \$EVENT_PROGRAM >>$SD/ends; exit 1'"
		}
	END
	sd_start
	wait_state steady RUNNING
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

engine_pid() {
	local pid

	for pid in $(children_of "$(guardian)"); do
		if [ "$(comm_of "$pid")" = engine ]; then
			echo "$pid"
			return
		fi
	done
	return 1
}

engine_is_new() {
	local pid

	pid=$(engine_pid) && [ "$pid" != "$1" ] && sd_serves
}

# lines FILE NUMBER: the file has so many.
lines() {
	[ -e "$1" ] && [ "$(wc -l <"$1")" -eq "$2" ]
}

# The numbers of the events of a kind.
numbers() {
	sctl events --json -n all | sed -n "s/^{\"number\":\([0-9]*\),.*\"kind\":\"$1\".*/\1/p"
}

@test "an event that matches starts the program, and tells it of itself" {
	local number

	exits any sctl start broken
	wait_for "$PATIENCE" lines "$SD/alarms" 1
	number=$(cat "$SD/alarms")
	sctl events --json -n all broken | grep "\"number\":$number," | grep -q '"state":"FATAL"'
	grep -qx 'EVENT_PROGRAM=broken' "$SD/alarm"
	grep -qx 'EVENT_STATE=FATAL' "$SD/alarm"
	grep -qx 'EVENT_FROM=STARTING' "$SD/alarm"
	grep -qx 'EVENT_REASON=exited with status 3; gave up after 2 starts' "$SD/alarm"
	wait_state alarm EXITED
	sctl why alarm | grep -q "STARTING: event $number$"
}

@test "what such a program does starts none, and each end starts it once" {
	wait_for "$PATIENCE" lines "$SD/ends" 2
	wait_state all-ends EXITED
	exits any sctl start broken
	wait_for "$PATIENCE" lines "$SD/ends" 4
	wait_state all-ends EXITED
	[ "$(sort -u "$SD/ends")" = broken ]
}

@test "what comes while it runs waits, and starts it once each, also over the death of the engine" {
	local engine

	: >"$SD/hold"
	sctl signal CONT steady
	wait_for "$PATIENCE" lines "$SD/busy" 1
	sctl signal CONT steady
	sctl signal CONT steady
	sctl signal CONT steady
	engine=$(engine_pid)
	kill -KILL "$engine"
	wait_for "$PATIENCE" engine_is_new "$engine"
	lines "$SD/busy" 1
	rm "$SD/hold"
	wait_for "$PATIENCE" lines "$SD/busy" 4
	numbers command | diff - "$SD/busy"
}

@test "one that is new is not asked about what was before" {
	stanza new <<-END
		on_event "newcomer" {
			match = {"kind:daemon", "kind:removed"}
			exec = "/bin/sh -c 'echo \$EVENT_KIND >>$SD/newcomer'"
		}
		program "passing" { command = "sleep 1000" }
	END
	wait_state passing RUNNING
	stanza new <<-END
		on_event "newcomer" {
			match = {"kind:daemon", "kind:removed"}
			exec = "/bin/sh -c 'echo \$EVENT_KIND >>$SD/newcomer'"
		}
	END
	wait_for "$PATIENCE" lines "$SD/newcomer" 1
	[ "$(cat "$SD/newcomer")" = removed ]
	rm "$SD/conf.d/new.conf"
	sctl apply
}

@test "what is wrong in a stanza is said with what is allowed" {
	cat >"$SD/conf.d/bad.conf" <<-END
		on_event "one" { match = {"state:DEAD"} exec = "true" }
		on_event "two" { exec = "true" }
		on_event "three" { match = {"state:FATAL"} command = "true" }
		on_event "four" { match = {"state:FATAL"} exec = "true" restart = "always" }
		program "five" { command = "true" match = {"state:FATAL"} }
	END
	exits 1 sctl check
	rm "$SD/conf.d/bad.conf"
	[[ $output == *"bad.conf:1: match: "*"state:DEAD"*"is no state: STOPPED,"* ]]
	[[ $output == *'bad.conf:2: match: is missing in on_event "two"'* ]]
	[[ $output == *"bad.conf:3: command: "* ]]
	[[ $output == *"bad.conf:4: restart: is not allowed in on_event"* ]]
	[[ $output == *"bad.conf:5: match: is a key of on_event"* ]]
}
