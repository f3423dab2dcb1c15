# SPDX-License-Identifier: ISC
# Hooks: pre_start, post_start, pre_stop, stop_command, post_stop, reload_command, and on_failure = exec:COMMAND.

# shellcheck disable=SC2030,SC2031 # a test is a subshell, and that is what it is for

load lib.bash

SETTINGS='defaults { stable_after = "100ms" restart_delay = "20ms" }'

setup_file() {
	sd_new "$SETTINGS"
	add_hook
	sd_start
	settle_stanza
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# hook FILE NAME ENDING…: what the hooks of these tests are.  Appends a line with its environment to FILE, then does the
# ENDING: exit N, hang, leave (a process behind), escape (likewise, in a session of its own), await FILE2, term [FILE2]
# (await it, then TERM to the main process).
add_hook() {
	cp "$OUT/tests/programs/notifier" "$SD/bin/"
	cat >"$SD/bin/hook" <<-'END'
		#!/bin/sh
		dir=$(dirname "$0") file=$1 name=$2 ending=$3
		echo "$name main=${MAINPID-} status=${EXIT_STATUS-} signal=${EXIT_SIGNAL-} result=${RESULT-}" >>"$file"
		case $ending in
		exit) exit "$4" ;;
		hang) exec "$dir/notifier" hang ;;
		leave) "$dir/notifier" hang left & ;;
		escape) setsid "$dir/notifier" hang left >/dev/null 2>&1 & ;;
		await) exec "$dir/notifier" "await:$4" ;;
		term) "$dir/notifier" ${4:+"await:$4"} && kill -TERM "$MAINPID" ;;
		esac
	END
	chmod +x "$SD/bin/hook"
}

own_daemon() {
	sd_new "$SETTINGS"
	add_hook
	sd_start
}

replace_engine() {
	local engine

	engine=$(role_pid engine)
	kill_role engine
	wait_for 30 has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
}

# The names of the hooks that have run, in order: ran FILE.
ran() {
	cut -d' ' -f1 "$1" | tr '\n' ' '
}

ran_is() {
	[ "$(ran "$1")" = "$2" ]
}

# The last line of a hook in a file: said FILE NAME.
said() {
	grep "^$2 " "$1" | tail -n 1
}

count_hook() {
	grep -c "^$2 " "$1"
}

@test "hooks: each runs once, in order, with its environment" {
	local pid

	stanza order <<-END
		program "order" {
			command = "$SD/bin/notifier say:$SD/order:main wait"
			pre_start = "$SD/bin/hook $SD/order pre_start"
			post_start = "$SD/bin/hook $SD/order post_start"
			reload_command = "$SD/bin/hook $SD/order reload_command"
			pre_stop = "$SD/bin/hook $SD/order pre_stop"
			stop_command = "$SD/bin/hook $SD/order stop_command term"
			post_stop = "$SD/bin/hook $SD/order post_stop"
		}
	END
	wait_state order RUNNING
	pid=$(record order pid)
	equals hooks "$(ran "$SD/order")" "pre_start main post_start "
	exits 0 sctl reload order
	equals hooks "$(ran "$SD/order")" "pre_start main post_start reload_command "
	exits 0 sctl stop order
	equals hooks "$(ran "$SD/order")" "pre_start main post_start reload_command pre_stop stop_command post_stop "
	equals pre_start "$(said "$SD/order" pre_start)" "pre_start main= status= signal= result="
	for hook in post_start reload_command pre_stop stop_command; do
		equals "$hook" "$(said "$SD/order" $hook)" "$hook main=$pid status= signal= result="
	done
	matches "$(said "$SD/order" post_stop)" '^post_stop main= status=0 signal= result='
	equals last_exit "$(record order last_exit.status)" 0
}

@test "hooks: a restart runs them all again" {
	rm -f "$SD/order"
	exits 0 sctl start order
	exits 0 sctl restart order
	equals hooks "$(ran "$SD/order")" \
		"pre_start main post_start pre_stop stop_command post_stop pre_start main post_start "
	exits 0 sctl stop order
}

@test "hooks: post_stop knows how the program ended" {
	stanza ends <<-END
		defaults { start_limit = 1 }
		program "code" { command = "$SD/bin/notifier exit:3" post_stop = "$SD/bin/hook $SD/code post_stop" }
		program "zero" { command = "$SD/bin/notifier exit:0" post_stop = "$SD/bin/hook $SD/zero post_stop" }
		program "crash" { command = "$SD/bin/stamp $SD/crash.stamps signal 11" post_stop = "$SD/bin/hook $SD/crash post_stop" }
		program "nothing" { command = "$SD/bin/nonexistent" post_stop = "$SD/bin/hook $SD/nothing post_stop" }
	END
	wait_state code FATAL
	wait_state zero EXITED
	wait_state crash FATAL
	wait_state nothing FATAL
	equals code "$(cat "$SD/code")" "post_stop main= status=3 signal= result=exit-code"
	equals zero "$(cat "$SD/zero")" "post_stop main= status=0 signal= result=success"
	equals crash "$(cat "$SD/crash")" "post_stop main= status= signal=SEGV result=signal"
	matches "$(cat "$SD/nothing")" '^post_stop main= .*result=start$'
}

@test "hooks: when pre_start fails, the start has failed, and the program does not run" {
	stanza refuse <<-END
		program "refuse" {
			command = "$SD/bin/notifier say:$SD/refuse:main wait"
			pre_start = "$SD/bin/hook $SD/refuse pre_start exit 3"
			post_stop = "$SD/bin/hook $SD/refuse post_stop"
			start_limit = 2
		}
	END
	wait_state refuse FATAL
	equals starts "$(record refuse starts)" 2
	matches "$(record refuse reason)" 'pre_start exited with status 3'
	equals "runs of the program" "$(count_hook "$SD/refuse" main || true)" 0
	equals "runs of pre_start" "$(count_hook "$SD/refuse" pre_start)" 2
}

@test "hooks: pre_start that is not there is a failure with a reason" {
	stanza nohook <<-END
		program "nohook" {
			command = "$SD/bin/notifier wait"
			pre_start = "$SD/bin/nonexistent"
			start_limit = 1
		}
	END
	wait_state nohook FATAL
	matches "$(record nohook reason)" 'pre_start.*No such file or directory'
}

@test "hooks: when post_start fails, the run has failed" {
	stanza unsettled <<-END
		program "unsettled" {
			command = "$SD/bin/notifier say:$SD/unsettled:main wait"
			post_start = "$SD/bin/hook $SD/unsettled post_start exit 4"
			start_limit = 2
		}
	END
	wait_state unsettled FATAL
	equals hooks "$(ran "$SD/unsettled")" "main post_start main post_start "
	matches "$(record unsettled reason)" 'post_start exited with status 4'
	equals pid "$(record unsettled pid)" ""
}

@test "hooks: it is RUNNING when post_start has ended, not before" {
	stanza settling <<-END
		program "settling" {
			command = "$SD/bin/notifier wait"
			post_start = "$SD/bin/hook $SD/settling post_start await $SD/settling.go"
		}
	END
	wait_for "$PATIENCE" has_lines "$SD/settling" 1
	equals state "$(record settling state)" STARTING
	touch "$SD/settling.go"
	wait_state settling RUNNING
	equals starts "$(record settling starts)" 1
}

@test "hooks: one that hangs is killed after hook_timeout, and has failed" {
	stanza hangs <<-END
		program "hangs" {
			command = "$SD/bin/notifier say:$SD/hangs:main wait"
			pre_start = "$SD/bin/hook $SD/hangs pre_start hang"
			hook_timeout = "300ms"
			start_limit = 1
		}
	END
	wait_state hangs FATAL
	matches "$(record hangs reason)" 'pre_start took too long'
	# A busy machine may not have come to its first word by then.
	matches "hooks: $(ran "$SD/hangs")" '^hooks: (pre_start )?$'
	no_procs 'notifier hang'
}

@test "hooks: pre_stop, post_stop and stop_command that hang or fail keep no program from stopping" {
	local ms name

	stanza fails <<-END
		program "fails" {
			command = "$SD/bin/notifier wait"
			pre_stop = "$SD/bin/hook $SD/fails pre_stop exit 1"
			stop_command = "$SD/bin/hook $SD/fails stop_command exit 1"
			post_stop = "$SD/bin/hook $SD/fails post_stop exit 1"
		}
	END
	wait_state fails RUNNING
	exits 0 sctl stop fails
	equals hooks "$(ran "$SD/fails")" "pre_stop stop_command post_stop "
	# TERM came after all.
	equals last_exit "$(record fails last_exit.status)" 0
	# Those that hang have to come to their first word, and the program to its end: again, longer, where that takes longer.
	for ms in 200 1000 5000; do
		name=sticks$ms
		stanza "$name" <<-END
			program "$name" {
				command = "$SD/bin/notifier wait"
				pre_stop = "$SD/bin/hook $SD/$name pre_stop hang"
				stop_command = "$SD/bin/hook $SD/$name stop_command hang"
				post_stop = "$SD/bin/hook $SD/$name post_stop hang"
				hook_timeout = "${ms}ms"
				stop_timeout = "${ms}ms"
			}
		END
		wait_state "$name" RUNNING
		exits 0 sctl stop "$name"
		! ran_is "$SD/$name" "pre_stop stop_command post_stop " || ! has "$name" last_exit.status 0 || break
	done
	equals hooks "$(ran "$SD/$name")" "pre_stop stop_command post_stop "
	equals last_exit "$(record "$name" last_exit.status)" 0
	no_procs 'notifier hang'
}

@test "hooks: what a hook leaves behind is killed before anything follows" {
	stanza leaves <<-END
		program "leaves" {
			command = "/bin/sh -c 'pgrep -f \"^$SD/bin/notifier hang left\" >$SD/leaves.seen; exec $SD/bin/notifier wait'"
			pre_start = "$SD/bin/hook $SD/leaves pre_start leave"
		}
		program "escapes" {
			command = "$SD/bin/notifier wait"
			post_start = "$SD/bin/hook $SD/escapes post_start escape"
		}
	END
	wait_state leaves RUNNING
	wait_state escapes RUNNING
	equals "seen by the program" "$(cat "$SD/leaves.seen")" ""
	no_procs 'notifier hang left'
	file_has "$SD/own.log" 'leaves: pre_start has left something behind, which gets KILL: .*('
}

@test "hooks: a stop in the middle of one does not wait for it" {
	stanza interrupt <<-END
		program "early" {
			command = "$SD/bin/notifier say:$SD/early:main wait"
			pre_start = "$SD/bin/hook $SD/early pre_start hang"
			post_stop = "$SD/bin/hook $SD/early post_stop"
		}
		program "late" {
			command = "$SD/bin/notifier say:$SD/late:main wait"
			post_start = "$SD/bin/hook $SD/late post_start hang"
			post_stop = "$SD/bin/hook $SD/late post_stop"
		}
	END
	wait_for "$PATIENCE" has_lines "$SD/early" 1
	wait_for "$PATIENCE" has_lines "$SD/late" 2
	exits 0 sctl stop early late
	equals state "$(record early state)" STOPPED
	equals "runs of the program" "$(count_hook "$SD/early" main || true)" 0
	equals hooks "$(ran "$SD/late")" "main post_start post_stop "
	no_procs 'notifier hang'
}

@test "hooks: a program that ends by itself under post_start takes it along" {
	stanza brief <<-END
		program "brief" {
			command = "$SD/bin/notifier await:$SD/brief.go exit:1"
			post_start = "$SD/bin/hook $SD/brief post_start hang"
			post_stop = "$SD/bin/hook $SD/brief post_stop"
			start_limit = 1
		}
	END
	wait_for "$PATIENCE" has_lines "$SD/brief" 1
	touch "$SD/brief.go"
	wait_state brief FATAL
	equals hooks "$(ran "$SD/brief")" "post_start post_stop "
	no_procs 'notifier hang'
}

@test "hooks: what they say is in the program's log" {
	stanza talks <<-END
		program "talks" {
			command = "$SD/bin/notifier wait"
			pre_start = "/bin/sh -c 'echo said to stdout; echo said to stderr >&2'"
		}
	END
	wait_state talks RUNNING
	wait_for "$PATIENCE" log_has talks 'said to stdout'
	wait_for "$PATIENCE" log_has talks 'said to stderr'
}

@test "hooks: they run as the program's user, in its directory, with its environment" {
	[ "$(id -u)" -eq 0 ] || skip "only root can be another user"
	getent passwd nobody >/dev/null || skip "there is no user nobody"
	stanza belongs <<-END
		program "belongs" {
			command = "$SD/bin/notifier wait"
			pre_start = "/bin/sh -c 'echo \"\$(id -un) \$(pwd) \$COLOUR \$SUPERVISORD_NAME\"'"
			user = "nobody"
			directory = "$SD/conf.d"
			environment = {"COLOUR=green"}
		}
	END
	wait_state belongs RUNNING
	wait_for "$PATIENCE" log_has belongs "^nobody $SD/conf.d green belongs$"
}

@test "hooks: on_failure = exec runs once, when start_limit is reached" {
	stanza gives-up <<-END
		program "gives-up" {
			command = "$SD/bin/notifier exit:1"
			start_limit = 3
			on_failure = "exec:$SD/bin/hook $SD/gives-up on_failure"
		}
	END
	wait_for "$PATIENCE" has_lines "$SD/gives-up" 1
	settle
	equals state "$(record gives-up state)" FATAL
	equals hooks "$(ran "$SD/gives-up")" "on_failure "
	equals starts "$(record gives-up starts)" 3
}

@test "hooks: a failed or hanging reload_command is told to the one who asked, and the program goes on" {
	local pid

	stanza reloads <<-END
		program "reloads" { command = "$SD/bin/notifier wait" reload_command = "$SD/bin/hook $SD/reloads reload exit 5" }
		program "reload-hangs" {
			command = "$SD/bin/notifier wait"
			reload_command = "$SD/bin/hook $SD/reload-hangs reload hang"
			hook_timeout = "200ms"
		}
	END
	wait_state reloads RUNNING
	wait_state reload-hangs RUNNING
	pid=$(record reloads pid)
	exits 1 sctl reload reloads
	matches "$output" 'exited with status 5'
	exits 1 sctl reload reload-hangs
	matches "$output" 'too long|timed out|killed'
	equals pid "$(record reloads pid)" "$pid"
	equals state "$(record reload-hangs state)" RUNNING
}

@test "hooks: those of a stop run at a shutdown, too" {
	own_daemon
	stanza last <<-END
		program "last" {
			command = "$SD/bin/notifier wait"
			pre_stop = "$SD/bin/hook $SD/last pre_stop"
			stop_command = "$SD/bin/hook $SD/last stop_command term"
			post_stop = "$SD/bin/hook $SD/last post_stop"
		}
	END
	wait_state last RUNNING
	kill -TERM "$(guardian)"
	wait_for 30 is_gone "$(guardian)"
	equals hooks "$(ran "$SD/last")" "pre_stop stop_command post_stop "
}

# The engine dies while a hook runs, and while it has ended unseen: it has run once, and what follows comes.
@test "hooks: kill -9 of the engine during pre_start, post_start and reload_command: each runs once" {
	own_daemon
	stanza up <<-END
		program "up" {
			command = "$SD/bin/notifier say:$SD/up:main wait"
			pre_start = "$SD/bin/hook $SD/up pre_start await $SD/go.pre"
			post_start = "$SD/bin/hook $SD/up post_start await $SD/go.post"
			reload_command = "$SD/bin/hook $SD/up reload await $SD/go.reload"
		}
	END
	wait_for "$PATIENCE" ran_is "$SD/up" "pre_start "
	replace_engine
	equals state "$(record up state)" STARTING
	touch "$SD/go.pre"
	wait_for "$PATIENCE" ran_is "$SD/up" "pre_start main post_start "
	end_unseen post "$SD/go.post"
	wait_state up RUNNING
	sctl reload up >"$SD/reload.out" 2>&1 3>&- &
	wait_for "$PATIENCE" ran_is "$SD/up" "pre_start main post_start reload "
	replace_engine
	touch "$SD/go.reload"
	wait_for "$PATIENCE" no_procs 'notifier await'
	wait_for "$PATIENCE" has up reloading false
	equals hooks "$(ran "$SD/up")" "pre_start main post_start reload "
	equals state "$(record up state)" RUNNING
	equals starts "$(record up starts)" 1
}

@test "hooks: kill -9 of the engine during pre_stop, stop_command and post_stop: each runs once" {
	own_daemon
	stanza down <<-END
		program "down" {
			command = "$SD/bin/notifier wait"
			pre_stop = "$SD/bin/hook $SD/down pre_stop await $SD/go.pre"
			stop_command = "$SD/bin/hook $SD/down stop_command term $SD/go.stop"
			post_stop = "$SD/bin/hook $SD/down post_stop await $SD/go.post"
			stop_timeout = "60s"
		}
	END
	wait_state down RUNNING
	exits 0 sctl stop --no-wait down
	wait_for "$PATIENCE" ran_is "$SD/down" "pre_stop "
	replace_engine
	touch "$SD/go.pre"
	wait_for "$PATIENCE" ran_is "$SD/down" "pre_stop stop_command "
	replace_engine
	equals state "$(record down state)" STOPPING
	touch "$SD/go.stop"
	wait_for "$PATIENCE" ran_is "$SD/down" "pre_stop stop_command post_stop "
	end_unseen post "$SD/go.post"
	wait_state down STOPPED
	equals hooks "$(ran "$SD/down")" "pre_stop stop_command post_stop "
	equals starts "$(record down starts)" 1
	equals last_exit "$(record down last_exit.status)" 0
}

# The hook that waits for this file ends while the engine can see nothing, and then the engine dies.
end_unseen() {
	local engine

	engine=$(role_pid engine)
	kill -STOP "$engine"
	touch "$2"
	wait_for "$PATIENCE" no_procs "notifier await:$2"
	kill -KILL "$engine"
	wait_for 30 has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
}

@test "hooks: kill -9 of the engine at any moment of a restart loop: no hook is lost or doubled" {
	local number runs

	own_daemon
	stanza loop <<-END
		program "loop" {
			command = "/bin/sh -c '$SD/bin/notifier say:$SD/loop:main; test -e $SD/end'"
			pre_start = "$SD/bin/hook $SD/loop pre_start"
			post_stop = "$SD/bin/hook $SD/loop post_stop"
			start_limit = 0
			restart_delay = "1ms"
			restart_factor = 1
		}
	END
	for number in 1 2 3 4; do
		wait_for "$PATIENCE" has_lines "$SD/loop" $((number * 10))
		replace_engine
	done
	runs=$(count_lines "$SD/loop")
	wait_for "$PATIENCE" has_lines "$SD/loop" $((runs + 10))
	touch "$SD/end"
	wait_state loop EXITED
	awk '{ print $1 }' "$SD/loop" | paste -sd ' ' | sed 's/pre_start main post_stop/run/g' | tr ' ' '\n' >"$SD/loop.runs"
	equals "runs" "$(sort -u "$SD/loop.runs")" run
	equals "number of runs" "$(count_lines "$SD/loop.runs")" "$(record loop starts)"
}
