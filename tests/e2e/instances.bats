# SPDX-License-Identifier: ISC
# instances = N: names, what each has of its own, and a change of the number, which leaves the others alone.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" stop_timeout = "5s" }'
	sd_start
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# web: it says who it is and stays.  web_stanza INSTANCES [LINE...]
web_stanza() {
	local count=$1

	shift
	stanza_file web <<-END
		program "web" {
			command = "echo \$SUPERVISORD_NAME \$SUPERVISORD_INSTANCE %{name} %{program} %{instance}; exec sleep 1000"
			shell = true
			instances = $count
			$(printf '%s\n' "$@")
		}
	END
}

lacks() {
	[[ $output != *"$1"* ]] || {
		echo "\"$1\" is in: $output" >&2
		return 1
	}
}

# "NAME PID" a line, of all programs.
pids() {
	sctl status --json | "$PYTHON" -ISc '
import json, sys
for record in json.load(sys.stdin):
    print(record["name"], record["pid"])'
}

pid_of() {
	record "$1" pid
}

has_line() {
	grep -qxF -- "$2" "$SD/log/$1.log" 2>/dev/null
}

is_unknown() {
	exits 4 sctl status "$1" 2>/dev/null
}

only() {
	find "$SD/conf.d" -type f -delete
	"$@"
	exits any sctl apply >/dev/null
	exits any sctl start all >/dev/null
	wait_for "$PATIENCE" all_are_running
}

all_are_running() {
	exits 0 sctl status >/dev/null
}

@test "instances: each has its name, number, log, status and commands; the program's name means all" {
	only web_stanza 3
	equals "the names" "$(sctl status --json | json_field 0 name) $(sctl status --json | json_field 2 name)" "web@1 web@3"
	equals "the program" "$(record web@2 program)" web
	equals "the number" "$(record web@2 instance)" 2
	for number in 1 2 3; do
		wait_for "$PATIENCE" has_line "web@$number" "web@$number $number web@$number web $number"
	done
	equals "all of web" "$(sctl status web | awk 'NR > 1 { print $1 }' | tr '\n' ' ')" "web@1 web@2 web@3 "
	equals "a glob" "$(sctl status 'web@[12]' | awk 'NR > 1 { print $1 }' | tr '\n' ' ')" "web@1 web@2 "

	local first third
	first=$(pid_of web@1) third=$(pid_of web@3)
	exits 0 sctl restart web@2
	equals "the first" "$(pid_of web@1)" "$first"
	exits 0 sctl stop web
	for number in 1 2 3; do
		equals "web@$number" "$(record "web@$number" state)" STOPPED
	done
	exits 0 sctl start web@3
	wait_for "$PATIENCE" runs_anew web@3 "$third"
	equals "the first" "$(record web@1 state)" STOPPED
	exits 4 sctl start web@4
}

@test "instances: more or fewer: what stays is not touched, also under another name, and the plan says it" {
	local before

	only web_stanza 1
	wait_state web RUNNING
	before=$(pid_of web)

	web_stanza 3
	run -0 sctl apply
	matches "$output" 'web@2: start: instances: 3, not 1'
	matches "$output" 'web@3: start: instances: 3, not 1'
	lacks 'web@1: '
	equals "the first" "$(pid_of web@1)" "$before"

	web_stanza 2
	run -0 sctl apply
	matches "$output" 'web@3: remove: instances: 2, not 3'
	wait_for "$PATIENCE" is_unknown web@3
	equals "the first" "$(pid_of web@1)" "$before"
	run -0 sctl apply
	lacks 'web@'

	web_stanza 1
	run -0 sctl apply
	wait_for "$PATIENCE" is_unknown web@2
	equals "the only one" "$(pid_of web)" "$before"
	equals "the same by its number" "$(sctl status --json web@1 | json_field 0 name)" web
	# It is stopped and started as what it is called now.
	exits 0 sctl restart web
	wait_for "$PATIENCE" has_line web "web 1 web web 1"
}

@test "instances: a new one does as the others do" {
	only web_stanza 2
	exits 0 sctl stop web
	web_stanza 3
	exits 0 sctl apply
	equals "web@3" "$(record web@3 state)" STOPPED
	exits 0 sctl start web@1
	web_stanza 4 'autostart = false'
	exits 0 sctl apply
	wait_state web@4 RUNNING
	equals "web@2" "$(record web@2 state)" STOPPED
}

@test "instances: engine killed: all keep running, the number stays, and a rename is carried on" {
	local before

	only web_stanza 3
	before=$(pids)
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	equals "the processes" "$(pids)" "$before"
	web_stanza 1
	exits 0 sctl apply
	before=$(pid_of web)
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	equals "the only one" "$(pid_of web)" "$before"
	# Its processes are still known as its own.
	exits 0 sctl stop web
	wait_for "$PATIENCE" is_gone "$before"
}

@test "scale: another number until the next apply, also for a new engine; what is wrong with it is told" {
	local first second

	only web_stanza 2
	first=$(pid_of web@1) second=$(pid_of web@2)
	run -0 sctl scale web=4
	matches "$output" 'web@4: start: instances: 4, not 2'
	wait_state web@4 RUNNING
	equals "the second" "$(pid_of web@2)" "$second"
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	equals "the second" "$(pid_of web@2)" "$second"
	equals "the fourth" "$(record web@4 state)" RUNNING
	exits 0 sctl scale --json web=-2
	matches "$output" '^\[.*"name":"web@4","action":"stop",.*\]$'
	wait_for "$PATIENCE" is_unknown web@3
	exits 0 sctl scale web+1
	wait_state web@3 RUNNING
	run -0 sctl scale web=3
	matches "$output" 'nothing changed'

	run -2 sctl scale web=0
	matches "$output" 'web: cannot have 0 instances: 1 to 1024 are allowed'
	run -2 sctl scale web
	matches "$output" 'web=8'
	exits 4 sctl scale wep=3
	run -2 sctl scale web@1=3
	matches "$output" 'web=3 is allowed'
	exits 0 sctl scale web=1
	equals "the first" "$(pid_of web)" "$first"
	# What the files say counts again.
	exits 0 sctl apply
	equals "the first" "$(pid_of web@1)" "$first"
	wait_state web@2 RUNNING
}

@test "instances: who requires the program waits for all of them; one that ends is started again alone" {
	two() {
		web_stanza 2 "ready = \"exec:/usr/bin/test -e $SD/up%{instance}\"" 'ready_interval = "20ms"' 'restart = "always"'
		stanza_file user <<-END
			program "user" { command = "/bin/sleep 1000" requires = {"web"} }
		END
	}
	exits any sctl stop --force all
	touch "$SD/up1"
	find "$SD/conf.d" -type f -delete
	two
	exits any sctl apply --no-wait
	exits any sctl start --no-wait all
	wait_state web@1 RUNNING
	wait_state user WAITING
	matches "$(record user reason)" 'web@2'
	touch "$SD/up2"
	wait_state user RUNNING

	local first second
	first=$(pid_of web@1) second=$(pid_of web@2)
	kill -KILL "$second"
	wait_for "$PATIENCE" runs_anew web@2 "$second"
	equals "the first" "$(pid_of web@1)" "$first"
	exits any sctl stop --force all
}

@test "instances: one that is added does not disturb who requires the program, and counts once it is up" {
	local user

	# Any of them that is to be ready has a file.
	scaled() {
		web_stanza 2 "ready = \"exec:/usr/bin/test -e $SD/added%{instance}\"" 'ready_interval = "20ms"' 'restart = "always"' 'start_timeout = "1h"'
		stanza_file user <<-END
			program "user" { command = "/bin/sleep 1000" requires = {"web"} }
		END
	}
	exits any sctl stop --force all
	find "$SD/conf.d" -type f -delete
	touch "$SD/added1" "$SD/added2"
	scaled
	exits any sctl apply --no-wait
	exits any sctl start --no-wait all
	wait_state user RUNNING
	user=$(pid_of user)

	exits 0 sctl scale --no-wait web=3
	matches "$output" 'web@3'
	[[ $output != *"user: restart"* ]]
	wait_state web@3 STARTING
	# It may also fail, or be stopped, which asks nobody.
	kill -KILL "$(pid_of web@3)"
	wait_for "$PATIENCE" has web@3 starts 2
	exits 0 sctl stop web@3
	wait_state web@3 STOPPED
	exits 0 sctl start --no-wait web@3
	equals "who requires it" "$(pid_of user)" "$user"
	equals state "$(record user state)" RUNNING

	# Who is not up yet waits for all.
	exits 0 sctl restart --no-wait user
	wait_state user WAITING
	matches "$(record user reason)" 'web@3'
	touch "$SD/added3"
	wait_state user RUNNING
	user=$(pid_of user)

	# From now on it counts.
	exits 1 sctl stop web@3
	matches "$output" user
	kill -KILL "$(pid_of web@3)"
	wait_for "$PATIENCE" runs_anew user "$user"
	exits any sctl stop --force all
}

@test "instances: each has its filter" {
	filtered() {
		web_stanza 2 'log_filter = "exec:/bin/sed -u s/^/%{name}:/"'
	}
	only filtered
	wait_for "$PATIENCE" has_line web@2 'web@2:web@2 2 web@2 web 2'
	wait_state web+filter@1 RUNNING
	local before
	before=$(pid_of web@1)
	web_stanza 1 'log_filter = "exec:/bin/sed -u s/^/%{program}:/"'
	exits 0 sctl apply
	equals "the first" "$(pid_of web)" "$before"
	find "$SD/conf.d" -type f -delete
	exits 0 sctl apply
	wait_for "$PATIENCE" is_unknown web
}

@test "instances: ten and more are listed by their numbers, and cpus counts them" {
	only web_stanza 11
	equals "the order" "$(sctl status web | awk 'NR > 1 { print $1 }' | tr '\n' ' ')" \
		"web@1 web@2 web@3 web@4 web@5 web@6 web@7 web@8 web@9 web@10 web@11 "
	web_stanza '"cpus"'
	exits 0 sctl apply
	wait_for "$PATIENCE" counts "$(nproc)"
}

counts() {
	[ "$(sctl status web | awk 'NR > 1' | wc -l)" -eq "$1" ]
}
