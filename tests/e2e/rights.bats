#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Who may do what over the control socket: control { allow, group, mode } of supervisord.conf(5).
load lib.bash

RULES=("user:61001 status,logs *" "user:61002 start,stop,restart,reload,signal,rotate,clear,status web* db"
	"user:61002 check *" "user:61003 all *" "group:61050 status,restart workers" "user:61004 logs supervisord"
	"user:61006 status *" "user:61006 stop web*")

setup_file() {
	sd_new
	for name in web1 web2 db w1; do
		cat >>"$SD/conf.d/programs.conf" <<-END
			program "$name" {
				command = "/bin/sleep inf"
			}
		END
	done
	# What one may see depends on what others may not: no reply names that.
	sed -i '/program "w1"/a after = {"db"} wants = {"web1"}' "$SD/conf.d/programs.conf"
	echo 'group workers { members = {w1} }' >>"$SD/conf.d/programs.conf"
	cp "$SUPERCTL" "$SD/superctl"
	chmod 755 "$SD/superctl"
	rules "${RULES[@]}"
	sd_start
}

teardown_file() {
	sd_down_all
}

setup() {
	[ "$(id -u)" -eq 0 ] || skip "needs several users"
}

teardown() {
	sd_tell_failure
}

# The rules, one an argument; others may connect, so that it is the rules that decide.
rules() {
	{
		echo 'control {'
		echo '  mode = 0666'
		printf '  allow = {'
		printf '"%s", ' "$@"
		echo '}'
		echo '}'
	} >"$SD/conf.d/control.conf"
}

# As a user of this number: as 61001 COMMAND...
as() {
	setpriv --reuid "$1" --regid "$1" --clear-groups -- "${@:2}"
}

as_ctl() {
	as "$1" "$SD/superctl" -s "$SD/run/control.sock" "${@:2}"
}

@test "rights: every user, method and program" {
	exits 0 "$PYTHON" "$ROOT/tests/e2e/rights_matrix.py" "$SD/run/control.sock" workers=w1 "${RULES[@]}"
}

@test "rights: the same with an engine that has taken over" {
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	exits 0 "$PYTHON" "$ROOT/tests/e2e/rights_matrix.py" "$SD/run/control.sock" workers=w1 "${RULES[@]}"
}

@test "rights: superctl says which right is missing and what would give it" {
	exits 5 as_ctl 61001 stop web1
	equals message "$output" 'superctl: web1: 61001 needs the right stop: control { allow = {"user:61001 stop web1"} } in supervisord.conf gives it'
	exits 5 as_ctl 61001 apply
	equals message "$output" 'superctl: apply: 61001 needs the right apply: control { allow = {"user:61001 apply *"} } in supervisord.conf gives it'
	wait_state web1 RUNNING
}

@test "rights: status shows what one may see, and patterns mean no more" {
	exits 0 as_ctl 61005 --version
	exits any as_ctl 61002 status --json
	equals names "$(json_names <<<"$output")" "db web1 web2"
	exits any as_ctl 61002 status --json '*'
	equals names "$(json_names <<<"$output")" "db web1 web2"
	exits 4 as_ctl 61002 status 'w1*'
	# What it sees but may not stop is said; nothing is done then.
	exits 5 as_ctl 61006 stop all
	matches "$output" "db: 61006 needs the right stop"
	equals wanted "$(record web1 wanted)" up
}

@test "rights: logs needs no other right, and of a file that others write to it needs that over them" {
	cat >"$SD/conf.d/talk.conf" <<-END
		program "talk-alone" { command = "/bin/echo mine" restart = "never" }
		program "talk-shared" { command = "/bin/echo ours" restart = "never" log_file = "$SD/log/both.log" }
		program "hidden" { command = "/bin/echo theirs" restart = "never" log_file = "$SD/log/both.log" }
		program "talk-two" { command = "/bin/echo two" restart = "never" instances = 2 }
	END
	rules "${RULES[@]}" "user:61007 logs talk-*"
	exits 0 sctl apply
	wait_for "$PATIENCE" file_has "$SD/log/both.log" theirs
	wait_for "$PATIENCE" file_has "$SD/log/talk-alone.log" mine
	exits 0 as_ctl 61007 logs talk-alone
	equals output "$output" mine
	exits 5 as_ctl 61007 logs talk-shared
	[[ $output != *theirs* && $output != *hidden* ]]
	exits 0 sctl logs talk-shared
	exits 4 as_ctl 61007 logs talk-two
	matches "$output" 'means 2 programs, and logs takes one: talk-two@1'
	exits 5 as_ctl 61007 logs 'talk-*'
	rm "$SD/conf.d/talk.conf"
	rules "${RULES[@]}"
	exits 0 sctl apply
}

json_names() {
	"$PYTHON" -ISc 'import json, sys; print(" ".join(p["name"] for p in json.load(sys.stdin)))'
}

@test "rights: what a command stops besides needs the right to stop it" {
	stanza links <<-END
		program base {
			command = "/bin/sleep inf"
		}
		program app {
			command = "/bin/sleep inf"
			requires = base
		}
		program rival {
			command = "/bin/sleep inf"
			conflicts = app
			autostart = false
		}
	END
	wait_state app RUNNING
	rules "user:61001 stop base" "user:61002 start rival" "user:61003 start,stop *" "user:61004 stop,status *"
	exits 0 sctl apply
	exits 1 as_ctl 61001 stop base
	matches "$output" "base is required by others"
	exits 5 as_ctl 61001 stop --force base
	matches "$output" "stop: 61001 needs the right stop"
	exits 1 as_ctl 61004 stop base
	matches "$output" "base is required by app"
	exits 5 as_ctl 61002 start rival
	equals state "$(record app state)" RUNNING
	exits 0 as_ctl 61003 stop --force base
	# Now there is nothing left for rival to stop.
	exits 0 as_ctl 61002 start rival
	rm "$SD/conf.d/links.conf"
	rules "${RULES[@]}"
	exits 0 sctl apply
}

@test "rights: an apply gives and takes them at once" {
	exits 5 as_ctl 61009 status web1
	rules "${RULES[@]}" "user:61009 status web1"
	exits 0 sctl apply
	matches "$output" "control.allow"
	exits 0 as_ctl 61009 status web1
	rules "${RULES[@]}"
	exits 0 sctl apply
	exits 5 as_ctl 61009 status web1
}

@test "rights: the socket has the group and the mode that are configured, and nobody else gets in" {
	printf 'control { group = 61050\n allow = {"group:61050 status web1"}\n}\n' >"$SD/conf.d/control.conf"
	exits 0 sctl apply
	equals socket "$(stat -c '%a %g' "$SD/run/control.sock")" "660 61050"
	exits 5 as_ctl 61009 status web1
	matches "$output" "Permission denied"
	exits 0 setpriv --reuid 61009 --regid 61009 --groups 61050 "$SD/superctl" -s "$SD/run/control.sock" status web1
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	equals socket "$(stat -c '%a %g' "$SD/run/control.sock")" "660 61050"
	rm "$SD/conf.d/control.conf"
	exits 0 sctl apply
	equals socket "$(stat -c '%a %g' "$SD/run/control.sock")" "660 $(id -g)"
	rules "${RULES[@]}"
	exits 0 sctl apply
}

@test "rights: what config show prints of control could stand in a file" {
	exits 0 sctl config show
	printf '%s\n' "$output" | sed -n '/^control {/,/^}/p' >"$SD/shown.conf"
	equals lines "$(sed -n '1p;$p' "$SD/shown.conf" | tr '\n' ' ')" "control { } "
	exits 0 "$SUPERVISORD" -t -c "$SD/shown.conf"
	# Settings and groups are for who has the right over them.
	exits 5 as_ctl 61001 config show
	exits 0 as_ctl 61003 config show web1
}

@test "rights: who is in a group by membership alone has its rights" {
	exits 0 setpriv --reuid 61009 --regid 61009 --groups 5,61050 "$SD/superctl" -s "$SD/run/control.sock" status w1
	exits 5 as_ctl 61009 status w1
}

@test "rights: what was refused and what was done stand in the log with the uid" {
	exits 5 as_ctl 61001 restart web1
	wait_for "$PATIENCE" file_has "$SD/own.log" "uid 61001 may not Restart web1"
	exits 0 as_ctl 61002 restart web1
	wait_for "$PATIENCE" file_has "$SD/own.log" "web1: .*restarted by uid 61002"
	exits 0 as_ctl 61002 signal CONT web1
	wait_for "$PATIENCE" file_has "$SD/own.log" "web1: signal CONT by uid 61002"
	exits any as_ctl 61003 apply
	wait_for "$PATIENCE" file_has "$SD/own.log" "apply requested by uid 61003"
}

@test "rights: a rule that is wrong is told with its line, and the old ones stay" {
	rules "user:61001 status,fly *"
	exits 1 sctl apply
	matches "$output" "control.conf:3: control.allow: .*'fly' is no right: allowed are status logs"
	exits 0 as_ctl 61001 status web1
	rules "${RULES[@]}"
}

@test "rights: the name of a program that one may not see stands in no reason" {
	local verb

	stanza hidden <<-END
		program secret {
			command = "/bin/sleep inf"
			autostart = false
		}
		program opener {
			command = "/bin/sleep inf"
			requires = secret
			autostart = false
		}
		program waiter {
			command = "/bin/sleep inf"
			wants = secret2
			autostart = false
		}
		program secret2 {
			command = "/bin/false"
			start_timeout = "0s"
			ready = "fd:3"
			restart_delay = "30s"
			start_limit = 0
			autostart = false
		}
		program rival {
			command = "/bin/sleep inf"
			conflicts = secret
			autostart = false
		}
		program enders {
			command = "/bin/sleep inf"
			requires = waiter
			autostart = false
		}
	END
	rules "user:61001 status,why,runs,start,stop,blame opener waiter rival enders" "user:61002 start,stop,status *"
	exits 0 sctl apply
	# Required, lost, and in the way of a start.
	exits 0 as_ctl 61002 start opener
	exits 0 as_ctl 61002 stop --force secret
	wait_state opener STOPPED
	exits 0 as_ctl 61002 start opener
	exits 0 as_ctl 61002 restart secret || true
	kill -KILL "$(record secret pid)"
	wait_for "$PATIENCE" said_of opener "a program that you may not see, which it requires"
	exits any as_ctl 61001 start --timeout 1s waiter
	for verb in status why runs blame; do
		for name in opener waiter rival enders; do
			exits any as_ctl 61001 "$verb" "$name"
			lacks "$output" secret
			exits any as_ctl 61001 "$verb" --json "$name"
			lacks "$output" secret
		done
	done
	exits any as_ctl 61001 graph opener
	lacks "$output" secret
	exits any as_ctl 61001 start --timeout 1s rival
	lacks "$output" secret
	# Somebody who may sees it.
	exits any as_ctl 61002 status --json opener
	exits 0 sctl why opener
	matches "$output" "secret, which it requires"
	rm "$SD/conf.d/hidden.conf"
	rules "${RULES[@]}"
	exits 0 sctl apply
}

# said_of NAME WORDS: what the runs and reasons of a program tell 61001.
said_of() {
	{
		as_ctl 61001 why "$1"
		as_ctl 61001 runs "$1"
	} 2>/dev/null | grep -qF "$2"
}

lacks() {
	[[ $1 != *"$2"* ]] || {
		echo "'$2' stands in: $1" >&2
		return 1
	}
}
