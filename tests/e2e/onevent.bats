# SPDX-License-Identifier: ISC
# on_event: programs that are run because something has happened.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" restart_delay = "20ms" start_limit = 2 }'
	stanza_file programs <<-END
		program "broken" { command = "/bin/sh -c 'exit 3'" autostart = false stable_after = "1h" }
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
	[ ! -e "$SD/mounted" ] || umount "$SD/small" 2>/dev/null || true
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

@test "what is run because of events stands apart in status, and all and globs do not mean it" {
	wait_state steady RUNNING
	equals hooks "$(sctl status | sed -n '/^on_event:$/,$p' | sed 1d | awk '{ print $1 }' | sort | tr '\n' ' ')" "alarm all-ends busy "
	equals flag "$(record busy on_event)" true
	equals missed "$(record busy missed_events)" 0
	equals nothing "$(record steady missed_events)" ""
	exits any sctl start broken
	before=$(record busy starts)
	exits any sctl start all
	lacks_name "$output" busy
	exits any sctl stop 'b*'
	lacks_name "$output" busy
	equals starts "$(record busy starts)" "$before"
	# By its name it is.
	exits any sctl start busy
	[ "$(record busy starts)" -gt "$before" ]
	# It is not RUNNING, and that is no matter where it is not asked for.
	exits 0 sctl status steady busy
	exits 3 sctl status busy
}

lacks_name() {
	[[ $1 != *"$2"* ]] || {
		echo "'$2' stands in: $1" >&2
		return 1
	}
}

@test "a log that cannot be written, the lines that it lost, and a logger that died are events" {
	mkdir "$SD/small"
	mount -t tmpfs -o size=64k supervisord-test "$SD/small" 2>/dev/null || skip "may not mount"
	echo "$SD/small" >"$SD/mounted"
	stanza filler <<-END
		program "filler" {
			command = "/bin/sh -c 'i=0; while [ \$i -lt 3000 ]; do echo a line of the filler that is so long as it is \$i; i=\$((i+1)); done; exec sleep 1000'"
			log_file = "$SD/small/filler.log"
			log_full = "drop"
		}
		on_event "watcher" {
			match = {"kind:log"}
			exec = "/bin/sh -c 'echo \$EVENT_KIND \$EVENT_PROGRAM \$EVENT_REASON >>$SD/troubles'"
		}
	END
	wait_for "$PATIENCE" told_of "filler stdout: cannot be written: No space left on device: it is dropped and counted"
	mount -o remount,size=4m "$SD/small"
	sctl signal CONT filler
	wait_for "$PATIENCE" told_of "stdout: is written again"
	wait_for "$PATIENCE" told_of "lines were dropped"
	sctl events --json -n all filler | grep '"what":"dropped"' | tail -n 1 | json_field log.count | grep -qx '[1-9][0-9]*'
	kill_role logger
	wait_for "$PATIENCE" has_event "the logger was started again (start "
	wait_for "$PATIENCE" grep -q "^log filler stdout: cannot be written" "$SD/troubles"
	rm "$SD/conf.d/filler.conf"
	sctl apply
	wait_for "$PATIENCE" unmounted
}

told_of() {
	sctl events -n all filler | grep -qF "${1#filler }"
}

has_event() {
	sctl events -n all | grep -qF "$1"
}

unmounted() {
	umount "$SD/small" 2>/dev/null
}

@test "events that were overwritten before a hook was asked are counted where a person looks" {
	touch "$SD/hold"
	sctl signal CONT steady
	wait_state busy STARTING
	"$PYTHON" -IS - "$SD/run/control.sock" <<-'END'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		call = json.dumps({"method": "io.superctl.Signal", "parameters": {"names": ["steady"], "signal": "CONT"}})
		for part in range(50):
		    s.sendall((call.encode() + b"\0") * 100)
		    seen = 0
		    while seen < 100:
		        seen += s.recv(65536).count(b"\0")
	END
	rm "$SD/hold"
	wait_for "$PATIENCE" has_missed busy
	exits 0 sctl status steady busy
	[[ $output == *"has missed "* ]]
	exits 0 sctl why busy
	[[ $output == *"it has missed "*" events"* ]]
}

has_missed() {
	[ "$(record "$1" missed_events)" -gt 0 ]
}
