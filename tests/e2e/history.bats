# SPDX-License-Identifier: ISC
# What has happened: superctl events, runs and why, also over the death of the engine.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" restart_delay = "20ms" start_limit = 2 }'
	stanza_file programs <<-END
		program "steady" { command = "sleep 1000" }
		program "broken" { command = "/bin/sh -c 'exit 3'" autostart = false }
		program "needy" { command = "sleep 1000" requires = {"broken"} autostart = false }
		program "loud" {
			command = "/bin/sh -c 'echo out; echo because of \$SUPERVISORD_RUN >&2; exit 1'"
			stderr = "log"
			autostart = false
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

	exits any sctl start loud
	wait_state loud FATAL
	wait_for "$PATIENCE" has_last_words 2
	sctl runs loud --json | json_field 0.last_words | grep -q "^because of loud:1:"
	sctl why loud | grep -A1 "its last words:" | grep -q "^    because of loud:2:"
	engine=$(engine_pid)
	exits any sctl start --no-wait loud
	kill -KILL "$engine"
	wait_for "$PATIENCE" engine_is_new "$engine"
	wait_state loud FATAL
	wait_for "$PATIENCE" has_last_words 4
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
	END
	wait_state link-c RUNNING
	sctl blame 'link-*' --json >"$SD/blame"
	for i in 0:link-a 1:link-b 2:link-c; do
		[ "$(json_field "chain.${i%:*}.name" <"$SD/blame")" = "${i#*:}" ]
	done
	[ "$(json_field chain.1.begin_ms <"$SD/blame")" -ge 150 ]
	[ "$(json_field starts.2.waited_ms <"$SD/blame")" -ge 200 ]
	[ "$(json_field starts.0.took_ms <"$SD/blame")" -ge 150 ]
	sctl blame 'link-*' | grep -q "^  after 0ms  *link-a +"
	rm "$SD/conf.d/chain.conf"
	sctl apply
}

@test "signals and reloads are told of with who sent them" {
	sctl signal CONT steady
	sctl events -n 1 steady | grep -q "signal CONT sent by uid $(id -u)"
}
