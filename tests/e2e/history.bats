# SPDX-License-Identifier: ISC
# What has happened: superctl events, runs and why, also over the death of the engine.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" restart_delay = "20ms" start_limit = 2 }'
	stanza_file programs <<-END
		program "steady" { command = "sleep 1000" }
		program "broken" { command = "/bin/sh -c 'exit 3'" autostart = false stable_after = "1h" }
		program "needy" { command = "sleep 1000" requires = {"broken"} autostart = false }
		program "loud" {
			command = "/bin/sh -c 'echo out; echo because of \$SUPERVISORD_RUN >&2; exit 1'"
			stderr = "log"
			autostart = false
			restart = "never"
			stable_after = "1h"
		}
		program "absent" { command = "$SD/nothing" autostart = false restart = "never" }
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

# events [OPTION…]: one field each of the events, as lines NUMBER KIND NAME FROM STATE.
events() {
	sctl events --json -n all "$@" | "$PYTHON" -ISc '
import json, sys
for line in sys.stdin:
    e = json.loads(line)
    print(*(["gap", e["gap"]["from"], e["gap"]["to"]] if "gap" in e else [e["number"], e["kind"], e["name"], e["from"], e["state"]]))'
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

# Who we are, as a person is told: "uid 0 (root)"; not every uid has a name.
me() {
	local name

	if name=$(id -un 2>/dev/null); then
		echo "uid $(id -u) ($name)"
	else
		echo "uid $(id -u)"
	fi
}

@test "every transition is an event, and the numbers have no hole" {
	exits any sctl start broken
	wait_state broken FATAL
	events broken | cut -d' ' -f2- >"$SD/broken"
	diff - "$SD/broken" <<-END
		state broken STOPPED STARTING
		state broken STARTING BACKOFF
		state broken BACKOFF STARTING
		state broken STARTING FATAL
	END
	events | cut -d' ' -f1 >"$SD/numbers"
	[ "$(head -n 1 "$SD/numbers")" = 1 ]
	seq "$(wc -l <"$SD/numbers")" | diff - "$SD/numbers"
}

@test "a run is on record with its end, its cause and its configuration" {
	exits any sctl start broken
	wait_state broken FATAL
	sctl runs broken --json >"$SD/runs"
	[ "$(json_field 0.exit.status <"$SD/runs")" = 3 ]
	[ "$(json_field 0.failed <"$SD/runs")" = true ]
	[ "$(json_field 0.config <"$SD/runs")" = "$(json_field 1.config <"$SD/runs")" ]
	[[ $(json_field 0.started_by <"$SD/runs") == "started by uid $(id -u)" ]]
	[ "$(json_field 0.max_memory_bytes <"$SD/runs")" -gt 0 ]
	sctl runs steady -n 1 --json | json_field 0.status | grep -qx RUNNING
	[ "$(sctl runs broken -n 1 | grep -c 'exited with status 3')" -eq 1 ]
	exits 4 sctl runs nobody
}

@test "why tells who began it, how it ended, and what to do" {
	exits any sctl start broken
	wait_state broken FATAL
	sctl why broken >"$SD/why"
	grep -q "^broken is FATAL for .*: exited with status 3; gave up after 2 starts" "$SD/why"
	grep -q "run [0-9]*  [A-Z]* -> STARTING: started by $(me)$" "$SD/why"
	grep -q "BACKOFF: exited with status 3; again in [0-9]*ms$" "$SD/why"
	grep -q "what to do: superctl logs broken .* superctl start broken$" "$SD/why"
	exits any sctl start absent
	sctl why absent | grep -q "EXITED: exec $SD/nothing: No such file or directory$"
	exits 4 sctl why nobody
}

@test "what a run failed at is not told in the words of a stanza that came later" {
	stanza amended <<-END
		program "amended" { command = "$SD/nothing" autostart = false restart = "never" }
	END
	exits 1 sctl start amended
	matches "$(sctl events amended)" "STARTING -> (EXITED|FATAL): exec $SD/nothing: No such file"
	exits 0 sctl set amended command=/bin/true
	matches "$(sctl events amended)" "STARTING -> (EXITED|FATAL): exec: No such file"
}

@test "one that has to stop, and waits for others, has lost what it requires and has not got it back" {
	stanza levels <<-END
		program "lowest" { command = "sleep 1000" }
		program "middle" { command = "sleep 1000" requires = {"lowest"} }
		program "highest" { command = "sleep 1000" requires = {"middle"} }
	END
	wait_state highest RUNNING
	exits 0 sctl restart lowest
	wait_state highest RUNNING
	sctl events -n -1 middle | sed '/RUNNING -> STOPPING/q' >"$SD/middle"
	matches "$(tail -n 1 "$SD/middle")" 'RUNNING -> STOPPING: lowest, which it requires, is not there any more'
	run -1 grep 'is back' "$SD/middle"
}

@test "why goes on with the program that is waited for" {
	exits any sctl start --timeout 1s needy
	wait_state broken FATAL
	sctl why needy >"$SD/why"
	grep -q "^needy is WAITING for .*waits for broken" "$SD/why"
	grep -q "because of broken, see below" "$SD/why"
	sed -n '/^$/,$p' "$SD/why" | grep -q "^broken is FATAL"
	[ "$(sctl why needy --json | json_field 0.because_of)" = broken ]
	sctl stop needy
}

has_last_words() {
	[[ $(sctl why loud --json | json_field 0.last_words) == "because of loud:$1:"* ]]
}

@test "the last lines that a failed run wrote to stderr are with its record, also when the engine dies over them" {
	local engine

	# One after the other: what the logger has not read when the next run begins counts for that.
	exits any sctl start loud
	wait_for "$PATIENCE" has_last_words 1
	exits any sctl start loud
	wait_for "$PATIENCE" has_last_words 2
	sctl runs loud --json | json_field 0.last_words | grep -q "^because of loud:1:"
	sctl why loud | grep -A1 "its last words:" | grep -q "^    because of loud:2:"
	engine=$(engine_pid)
	exits any sctl start --no-wait loud
	kill -KILL "$engine"
	wait_for "$PATIENCE" engine_is_new "$engine"
	wait_for "$PATIENCE" has_last_words 3
}

@test "who follows goes on over the death of the engine, and misses and repeats nothing" {
	local engine follower last

	sctl events -f --json -n 1 >"$SD/followed" 3>&- &
	follower=$!
	wait_for "$PATIENCE" test -s "$SD/followed"
	engine=$(engine_pid)
	kill -KILL "$engine"
	wait_for "$PATIENCE" engine_is_new "$engine"
	sctl restart steady
	last=$(events | tail -n 1 | cut -d' ' -f1)
	wait_for "$PATIENCE" grep -q "\"number\":$last," "$SD/followed"
	kill "$follower"
	grep -q '"kind":"engine"' "$SD/followed"
	sed -n 's/^{"number":\([0-9]*\),.*/\1/p' "$SD/followed" >"$SD/numbers"
	seq "$(head -n 1 "$SD/numbers")" "$last" | diff - "$SD/numbers"
}

@test "since a number come those after it, and of another life of supervisord a gap is told" {
	local last

	last=$(events | tail -n 1 | cut -d' ' -f1)
	sctl restart steady
	[ "$(events --since "$last" | head -n 1 | cut -d' ' -f1)" = $((last + 1)) ]
	[ "$(events --since 1000000 | head -n 1)" = "gap 1000001 0" ]
	exits 2 sctl events --since yesterday
}

@test "who follows programs by a glob hears of those that come later, and of their end" {
	local follower

	sctl events -f --json -n 0 'late*' steady >"$SD/late" 3>&- 2>&1 &
	follower=$!
	stanza late <<-END
		program "later" { command = "sleep 1000" }
	END
	wait_state later RUNNING
	rm "$SD/conf.d/late.conf"
	sctl apply
	wait_for "$PATIENCE" grep -q '"kind":"removed","name":"later"' "$SD/late"
	kill "$follower"
	run ! grep -v '"name":"\(later\|steady\)"' "$SD/late"
	sctl events -n 5 | grep -q "configuration applied: [0-9]* programs, by $(me)"
}

@test "blame shows the chain of those that were waited for, and what each took" {
	stanza chain <<-END
		program "link-a" { command = "sleep 1000" stable_after = "150ms" }
		program "link-b" { command = "sleep 1000" stable_after = "50ms" requires = {"link-a"} }
		program "link-c" { command = "sleep 1000" requires = {"link-b"} after = {"steady"} }
		program "link-d" { command = "sleep 1000" stable_after = "0s" }
		on_event "link-hook" { match = {"state:RUNNING", "program:link-c"} exec = "/bin/true" }
	END
	wait_state link-c RUNNING
	wait_state link-hook EXITED # it is later than all, and no part of the start
	sctl blame 'link-*' --json >"$SD/blame"
	for i in 0:link-a 1:link-b 2:link-c; do
		[ "$(json_field "chain.${i%:*}.name" <"$SD/blame")" = "${i#*:}" ]
	done
	[ "$(json_field chain.1.begin_ms <"$SD/blame")" -ge 150 ]
	[ "$(json_field starts.2.waited_ms <"$SD/blame")" -ge 200 ]
	[ "$(json_field starts.0.took_ms <"$SD/blame")" -ge 150 ]
	sctl blame 'link-*' | grep -q "^  after [0-9]*ms  *link-a +"
	rm "$SD/conf.d/chain.conf"
	sctl apply
}

@test "signals and reloads are told of with who sent them" {
	sctl signal CONT steady
	sctl events -n 1 steady | grep -q "signal CONT sent by uid $(id -u)"
}

@test "an apply is told of with the keys that it changed and who asked, also over the death of the engine" {
	local me

	me=$(me)
	stanza changing <<-'END'
		program "changing" { command = "sleep 1001" }
	END
	wait_state changing RUNNING
	exits 0 sctl why changing
	contains "$output" "STARTING: new in the configuration, applied by $me"
	stanza changing <<-'END'
		program "changing" { command = "sleep 1002" environment = {"A=b"} log_keep = 7 }
	END
	wait_state changing RUNNING
	# One that no run ends for is not why it was restarted.
	stanza changing <<-'END'
		program "changing" { command = "sleep 1002" environment = {"A=b"} log_keep = 8 }
	END
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	exits 0 sctl runs changing
	contains "$output" "begun: command, environment, log_keep changed, applied by $me"
	exits 0 sctl why changing
	contains "$output" "STOPPING: command, environment, log_keep changed, applied by $me"
	contains "$output" "log_keep changed, applied by $me"
	sctl events --json -n 1 changing >"$SD/event"
	equals kind "$(json_field kind <"$SD/event")" config
	equals key "$(json_field change.keys.0 <"$SD/event")" log_keep
	equals uid "$(json_field change.uid <"$SD/event")" "$(id -u)"
	sctl runs --json changing >"$SD/runs"
	equals key "$(json_field 1.change.keys.1 <"$SD/runs")" environment
	# One that does not run needs no restart for anything.
	exits 0 sctl stop changing
	exits 0 sctl set changing 'command=sleep 1003'
	contains "$(sctl events -n 1 changing)" "changing: command changed, applied by $me"
	rm "$SD/conf.d/changing.conf"
	kill -HUP "$(guardian)"
	wait_for "$PATIENCE" is_gone changing
}

is_gone() {
	! sctl status "$1" >/dev/null 2>&1
}

@test "an engine that is killed in an apply is followed by one that knows what was changed" {
	local pid

	stanza halted <<-'END'
		program "halted" { command = "sleep 1003" }
	END
	wait_state halted RUNNING
	pid=$(record halted pid)
	cat >"$SD/conf.d/halted.conf" <<-'END'
		program "halted" { command = "sleep 1004" }
	END
	# As often as it takes to hit the moment between the commit and the restart, or a few times.
	sctl apply --no-wait >/dev/null 2>&1 &
	kill_role engine
	wait || true
	wait_for "$PATIENCE" sd_serves
	exits any sctl apply
	wait_state halted RUNNING
	[ "$(record halted pid)" != "$pid" ]
	exits 0 sctl runs -n 1 halted
	contains "$output" "begun: command changed, applied by $(me)"
	rm "$SD/conf.d/halted.conf"
	exits 0 sctl apply
}

@test "who has killed a program is told: an operator, or somebody else" {
	stanza victim <<-'END'
		program "victim" { command = "sleep 1005" start_limit = 0 }
	END
	wait_state victim RUNNING
	exits 0 sctl signal KILL victim
	wait_for "$PATIENCE" has_run_ended_by victim "was killed by signal KILL, sent by uid $(id -u)"
	wait_state victim RUNNING
	kill -KILL "$(record victim pid)"
	wait_for "$PATIENCE" has_run_ended_by victim "was killed by signal KILL, not sent by supervisord"
	wait_state victim RUNNING
	# Another signal that a run gets by itself is no question.
	kill -SEGV "$(record victim pid)"
	wait_for "$PATIENCE" has_run_ended_by victim "was killed by signal SEGV"
	rm "$SD/conf.d/victim.conf"
	exits 0 sctl apply
}

# A place for a group with a memory limit of the old controller, if we may have one.
memory_group() {
	local own

	own=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
	mkdir "$own/sd.$$" 2>/dev/null && echo "$own/sd.$$"
}

@test "a program that the kernel kills for want of memory is told of so" {
	local group

	grep -q '^oom_kill ' /proc/vmstat || skip "this kernel does not count them"
	group=$(memory_group) || skip "needs a memory controller that we may use"
	echo 20M >"$group/memory.limit_in_bytes"
	# Once without, so that there is a look to compare with.
	stanza shot <<-END
		program "shot" {
			command = "/bin/sh -c 'kill -KILL \$\$'"
			restart = "never"
		}
	END
	wait_state shot EXITED
	exits 0 sctl why shot
	contains "$output" "not sent by supervisord"
	stanza hungry <<-END
		program "hungry" {
			command = "/bin/sh -c 'echo \$\$ >$group/cgroup.procs; exec $PYTHON -ISc \"bytearray(300 << 20)\"'"
			restart = "never"
		}
	END
	wait_state hungry EXITED
	exits 0 sctl why hungry
	rmdir "$group" || true
	contains "$output" "not sent by supervisord: the kernel's OOM killer was at work on this machine"
	contains "$output" "what to do: dmesg tells"
	rm "$SD/conf.d/hungry.conf" "$SD/conf.d/shot.conf"
	exits 0 sctl apply
}

@test "where the cgroup counts memory, an end by its limit is told with limit and peak" {
	local base

	sctl version --json | grep -q '"tracking": *"cgroup"' || skip "needs cgroups"
	base=$(sed -n 's/^0:://p' "/proc/$(record steady pid)/cgroup")
	base=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)$base
	[ -e "$base/memory.events" ] || skip "needs the memory controller of cgroup v2"
	stanza limited <<-END
		program "limited" {
			command = "/bin/sh -c 'read x; exec $PYTHON -ISc \"bytearray(300 << 20)\"'"
			stdin = "pipe"
			restart = "never"
		}
	END
	wait_state limited RUNNING
	echo 20M >"${base%/*}/$(basename "$(sed -n 's/^0:://p' "/proc/$(record limited pid)/cgroup")")/memory.max"
	echo go | sctl attach limited
	wait_state limited EXITED
	exits 0 sctl why limited
	contains "$output" "was killed by the kernel: out of memory (limit 20M, peak "
	equals memory_of "$(sctl runs --json limited | json_field 0.memory_of)" run
	rm "$SD/conf.d/limited.conf"
	exits 0 sctl apply
}

# How its last run but the present one ended, in a table of them.
has_run_ended_by() {
	sctl runs "$1" | grep -qF "$2"
}

contains() {
	[[ $1 == *"$2"* ]] || {
		echo "'$2' is not in: $1" >&2
		return 1
	}
}
