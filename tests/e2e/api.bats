#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The control socket as any Varlink client sees it; idl.py is one that shares nothing with the engine.
load lib.bash

setup_file() {
	sd_new 'control { mode = 0666 allow = "user:61001 logs talker" }'
	stanza_file programs <<-END
		program web {
			command = "$SD/bin/stamp $SD/web.stamps run"
			stable_after = 10ms
		}
		program slow {
			command = "/bin/sleep inf"
			stable_after = 10ms
			stop_command = "/bin/sh -c 'until [ -e $SD/go ]; do sleep 0.02; done; exit 1'"
			stop_timeout = 5min
		}
		program idle {
			command = "/bin/sleep inf"
			stable_after = 10ms
			autostart = false
		}
		program talker {
			command = "/bin/sh -c 'while :; do echo here; sleep 0.2; done'"
			stable_after = 10ms
		}
		group pair {
			members = {web, idle}
		}
	END
	touch "$SD/go"
	sd_start
	wait_state web RUNNING
	wait_state slow RUNNING
}

teardown_file() {
	touch "$SD/go"
	sd_down_all
}

teardown() {
	sd_tell_failure
}

raw() {
	exits 0 "$PYTHON" "$ROOT/tests/e2e/api_raw.py" "$SD/run/control.sock" "$@"
}

@test "api: every reply of every method has the types that the interface declares" {
	raw types
}

@test "api: the description is the file of the interface" {
	raw description "$ROOT/lib/io.superctl.varlink"
}

@test "api: errors are the standard ones and say what is meant" {
	raw errors
}

@test "api: a oneway call is never answered and never waited for" {
	raw oneway "$SD/go"
}

@test "api: calls on one connection are answered in order, any number of them" {
	raw order 30000
}

@test "api: a client that does not read costs no memory and loses nothing" {
	[ -z "${SAN:-}" ] || skip "a sanitizer's memory says nothing"
	raw deaf "$(role_pid engine)" 5000
}

@test "api: what is too long, too deep or no call ends its connection, and no other" {
	raw limits
}

@test "api: a client that goes away cancels nothing and holds nothing up" {
	raw gone
}

@test "api: a slow stop delays nobody else" {
	raw slow "$SD/go"
}

@test "api: the 257th connection is told so" {
	raw crowd
}

@test "api: users cannot keep each other out, nor root" {
	[ "$(id -u)" -eq 0 ] || skip "needs several users"
	raw crowd_of_users
	raw readers_of_users
}

# A million of them: make fuzz-live.
@test "api: malformed messages do no harm" {
	local engine

	engine=$(role_pid engine)
	exits 0 "$PYTHON" "$ROOT/tests/e2e/api_malformed.py" "$SD/run/control.sock" "${FUZZ_MESSAGES:-20000}"
	echo "$output"
	equals engine "$(role_pid engine)" "$engine"
	run ! grep -E "AddressSanitizer|runtime error|crashed" "$SD/own.log"
}
