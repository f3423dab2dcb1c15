# SPDX-License-Identifier: ISC
# When a program is started again, and when not: the keys restart, success_exit, restart_delay*, start_limit*.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "100ms" restart_delay = "20ms" start_limit = 2 }'
	sd_start
	settle_stanza
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# restart_policy POLICY ENDING WORD…: a stanza whose program ends so, named after both.
restart_policy() {
	cat <<-END
		program "$1-$2-$3" {
			command = "$SD/bin/stamp $SD/$1-$2-$3.stamps $2 $3"
			restart = "$1"
		}
	END
}

# Four programs under a policy that end in four ways; the words say for each whether it is started again.
# A restarted one ends FATAL after its two starts, another one stays EXITED after one.
check_policy() {
	local policy=$1 ending name expected

	shift
	for ending in "exit 0" "exit 1" "signal 9" "signal 10"; do
		# shellcheck disable=SC2086
		restart_policy "$policy" $ending
	done | stanza "$policy"
	for ending in exit-0 exit-1 signal-9 signal-10; do
		name=$policy-$ending
		expected=$1
		shift
		if [ "$expected" = again ]; then
			wait_state "$name" FATAL
			equals "starts of $name" "$(record "$name" starts)" 2
		else
			wait_state "$name" EXITED
		fi
	done
	settle
	for ending in exit-0 exit-1 signal-9 signal-10; do
		name=$policy-$ending
		[ "$(record "$name" state)" = FATAL ] || {
			equals "state of $name" "$(record "$name" state)" EXITED
			equals "starts of $name" "$(record "$name" starts)" 1
		}
		equals "stamps of $name" "$(count_lines "$SD/$name.stamps")" "$(record "$name" starts)"
	done
}

@test "policy: on-failure starts again after a failing status and after a signal" {
	check_policy on-failure no again again again
}

@test "policy: on-abnormal starts again after a signal only" {
	check_policy on-abnormal no no again again
}

@test "policy: always starts again" {
	check_policy always again again again again
}

@test "policy: never does not" {
	check_policy never no no no no
}

@test "policy: success_exit names codes and signals that count as success" {
	stanza success <<-END
		program "code-3" { command = "$SD/bin/stamp $SD/s3 exit 3" success_exit = {"0", "3", "USR1"} }
		program "signal-usr1" { command = "$SD/bin/stamp $SD/s10 signal 10" success_exit = {"0", "3", "USR1"} }
		program "code-4" { command = "$SD/bin/stamp $SD/s4 exit 4" success_exit = {"0", "3", "USR1"} }
		program "signal-kill" { command = "$SD/bin/stamp $SD/s9 signal 9" success_exit = {"0", "3", "USR1"} }
	END
	wait_state code-3 EXITED
	wait_state signal-usr1 EXITED
	wait_state code-4 FATAL
	wait_state signal-kill FATAL
	equals "starts" "$(record code-3 starts) $(record signal-usr1 starts) $(record code-4 starts)" "1 1 2"
}

@test "policy: restart_force_exit and restart_prevent_exit decide by codes, ranges and signals, whatever restart says" {
	local name more='restart_force_exit = {0, "USR1"} restart_prevent_exit = {3, 10-19, "KILL"}'

	{
		for name in exit-0 exit-3 exit-10 exit-19 exit-20 signal-9 signal-10; do
			echo "program \"odd-$name\" { command = \"$SD/bin/stamp $SD/odd.stamps ${name/-/ }\" $more }"
		done
		echo "program \"odd-never\" { command = \"$SD/bin/stamp $SD/odd.stamps signal 10\" restart = \"never\" $more }"
	} | stanza odd
	for name in exit-0 exit-20 signal-10 never; do
		wait_state "odd-$name" FATAL
		equals "starts of odd-$name" "$(record "odd-$name" starts)" 2
	done
	for name in exit-3 exit-10 exit-19 signal-9; do
		wait_state "odd-$name" EXITED
		equals "starts of odd-$name" "$(record "odd-$name" starts)" 1
	done
}

@test "policy: what an operator does clears the count of starts and the delay" {
	local how

	stanza counted <<-END
		program "counted" { command = "$SD/bin/stamp $SD/counted.stamps exit 1" start_limit = 3 }
	END
	wait_state counted FATAL
	for how in start restart; do
		exits any sctl "$how" counted
		wait_for "$PATIENCE" has counted state FATAL
	done
	wait_for "$PATIENCE" has_lines "$SD/counted.stamps" 9
	equals starts "$(record counted starts)" 9
}

@test "policy: the delay never grows past restart_delay_max" {
	local gaps

	stanza capped <<-END
		program "capped" {
			command = "$SD/bin/stamp $SD/capped.stamps exit 1"
			start_limit = 4
			restart_delay = "100ms"
			restart_factor = 20
			restart_delay_max = "150ms"
		}
	END
	wait_state capped FATAL
	mapfile -t gaps < <(start_gaps "$SD/capped.stamps")
	equals "number of delays" "${#gaps[@]}" 3
	at_least "first delay" "${gaps[0]}" 100
	at_least "second delay" "${gaps[1]}" 150
	at_least "third delay" "${gaps[2]}" 150
	# Without the cap it would be 40 s.
	at_most "third delay" "${gaps[2]}" 20000
}

@test "policy: start_limit 0 never gives up" {
	stanza endless <<-END
		program "endless" {
			command = "$SD/bin/stamp $SD/endless.stamps exit 1"
			start_limit = 0
			restart_delay = "5ms"
			restart_factor = 1
		}
	END
	wait_for "$PATIENCE" has_lines "$SD/endless.stamps" 30
	exits 0 sctl stop endless
	equals state "$(record endless state)" STOPPED
	started_as_often_as endless "$SD/endless.stamps"
}

@test "policy: stop during the back-off ends it at once" {
	local before

	stanza backoff <<-END
		program "backoff" {
			command = "$SD/bin/stamp $SD/backoff.stamps exit 1"
			restart_delay = "1h"
			restart_delay_max = "2h"
		}
	END
	wait_state backoff BACKOFF
	equals pid "$(record backoff pid)" ""
	before=$(now_ms)
	exits 0 sctl stop backoff
	at_most "milliseconds of the stop" $(($(now_ms) - before)) 60000
	equals state "$(record backoff state)" STOPPED
	equals wanted "$(record backoff wanted)" down
}

reason_matches() {
	[[ $(record "$1" reason) =~ $2 ]]
}

@test "policy: who asks during the back-off is told how long it still is" {
	stanza ticking <<-END
		program "ticking" {
			command = "$SD/bin/stamp $SD/ticking.stamps exit 1"
			restart_delay = "20s"
			restart_delay_max = "20s"
			restart_jitter = "0%"
			start_limit = 0
		}
	END
	wait_for "$PATIENCE" reason_matches ticking '; again in 1[0-8]s$'
	exits 0 sctl stop ticking
}

@test "policy: start during the back-off does not wait for it" {
	exits any sctl start backoff --no-wait
	wait_for "$PATIENCE" has backoff starts 2
	wait_state backoff BACKOFF
	exits any sctl start backoff --no-wait
	wait_for "$PATIENCE" has backoff starts 3
	exits 0 sctl stop backoff
}

@test "policy: STARTING becomes RUNNING after stable_after, not before" {
	local before lines

	# It stays STARTING while it cannot be stable yet,
	stanza unstable <<-END
		program "unstable" {
			command = "$SD/bin/stamp $SD/unstable.stamps run"
			stable_after = "1h"
		}
	END
	wait_for "$PATIENCE" has_lines "$SD/unstable.stamps" 1
	settle
	equals state "$(record unstable state)" STARTING
	exits 0 sctl stop unstable

	# and no clock of the program's own will do: its first instruction comes as late as the machine pleases.
	lines=$(count_lines "$SD/own.log")
	before=$(now_ms)
	stanza stable <<-END
		program "stable" {
			command = "$SD/bin/stamp $SD/stable.stamps run"
			stable_after = "1500ms"
		}
	END
	wait_state stable RUNNING
	at_least "milliseconds until RUNNING" $(($(now_ms) - before)) 1500
	told_in_order "$lines" "stable: WAITING -> STARTING" "stable: STARTING -> RUNNING"
}

@test "policy: autostart = false leaves a program STOPPED" {
	stanza manual <<-END
		program "manual" {
			command = "$SD/bin/stamp $SD/manual.stamps run"
			autostart = false
		}
	END
	settle
	equals state "$(record manual state)" STOPPED
	equals starts "$(record manual starts)" 0
	exits 0 sctl start manual
	equals state "$(record manual state)" RUNNING
}
