# SPDX-License-Identifier: ISC
# superctl apply --rollback: what was applied before comes back when a program does not come up, whoever dies meanwhile.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" restart = "never" }'
	sd_start
}

teardown_file() {
	sd_down_all
}

# Every test begins with web as it should be, and other beside it.
setup() {
	stanzas '"run"'
	rm -f "$SD/ready"
	exits any sctl apply
	exits 0 sctl start all
	OTHER=$(record other pid)
}

teardown() {
	sd_tell_failure
}

# What web does, and more lines of it: stanzas WORDS [LINE].
stanzas() {
	cat >"$SD/conf.d/all.conf" <<-END
		program "web" {
			command = {"$SD/bin/stamp", "$SD/web.stamps", $1}
			${2:-}
		}
		program "other" { command = "$SD/bin/stamp $SD/other.stamps run" }
	END
}

is_old() {
	is_state web RUNNING && [[ $(tr '\0' ' ' <"/proc/$(record web pid)/cmdline") == *' run ' ]]
}

log_has() {
	grep -q "$1" "$SD/own.log"
}

# Apply in the background what is ready when somebody writes $SD/ready, and wait until its program is being started.
begin_trial() {
	local pid

	pid=$(record web pid)
	stanzas '"run", "1"' "ready = \"file:$SD/ready\""
	sctl apply --rollback >"$SD/apply.out" 2>&1 3>&- &
	APPLY=$!
	wait_for "$PATIENCE" runs_anew web "$pid"
}

@test "rollback: a program that fails is told, and the old one comes back" {
	stanzas '"exit", "1"' 'stable_after = "1h"' # a busy machine may take longer than 50 ms to end it
	exits 1 sctl apply --rollback
	matches "$output" 'superctl: rolled back: web: '
	matches "$output" 'web: restart: command changed'
	is_old
	equals other "$(record other pid)" "$OTHER"
	# The files are still new, and nothing is on trial any more.
	exits 2 sctl plan
	exits 0 sctl restart web
	is_old
}

@test "rollback: what comes up stays" {
	stanzas '"run", "1"'
	exits 0 sctl apply --rollback
	matches "$output" 'web: restarted'
	exits 0 sctl plan
	! is_old || false
	exits 0 sctl apply
}

@test "rollback: a program that is new and fails goes again" {
	echo "program \"late\" { command = \"$SD/bin/stamp $SD/late.stamps exit 3\" stable_after = \"1h\" }" >"$SD/conf.d/late.conf"
	exits 1 sctl apply --rollback late
	matches "$output" 'rolled back: late: '
	rm "$SD/conf.d/late.conf"
	wait_for "$PATIENCE" exits 4 sctl status late
	exits 0 sctl plan
}

@test "rollback: past the timeout what is not ready is not waited for" {
	stanzas '"run", "1"' "ready = \"file:$SD/ready\""
	exits 1 sctl apply --rollback --timeout 300ms
	matches "$output" 'rolled back: web: is not up in time'
	is_old
}

@test "rollback: needs neither the client nor the engine that began" {
	begin_trial
	exits 1 sctl apply
	matches "$output" 'busy: an apply with rollback waits until web is up'
	kill -KILL "$APPLY"
	wait "$APPLY" || true
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	is_state web STARTING
	exits 1 sctl apply
	kill_program web
	wait_for "$PATIENCE" is_old
	wait_for "$PATIENCE" log_has 'going back to the configuration from before'
	equals other "$(record other pid)" "$OTHER"
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	is_old
	exits 2 sctl plan
}

@test "rollback: what comes up under another engine stays" {
	begin_trial
	kill_role engine
	wait "$APPLY" && false
	wait_for "$PATIENCE" sd_serves
	touch "$SD/ready"
	wait_state web RUNNING
	wait_for "$PATIENCE" exits 0 sctl apply
	! is_old || false
	exits 0 sctl plan
}
