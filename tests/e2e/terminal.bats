# SPDX-License-Identifier: ISC
# What superctl does on a terminal only: status --watch, the line of progress, top.

load lib.bash

setup_file() {
	local i

	sd_new 'defaults { stable_after = "50ms" restart_delay = "10ms" autostart = false }'
	{
		echo "program \"web\" { command = \"$SD/bin/stamp $SD/web.stamps run\" autostart = true }"
		echo "program \"broken\" { command = \"/bin/false\" start_limit = 1 stable_after = \"1h\" }"
		for ((i = 1; i <= 12; i++)); do
			echo "program \"many-$i\" { command = \"$SD/bin/stamp $SD/many.stamps run\" stable_after = \"${i}00ms\" }"
		done
	} >"$SD/conf.d/programs.conf"
	export TERM=xterm
	unset NO_COLOR
	sd_start
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# at_terminal OPTION...: the steps of stdin, in superctl with these options.
at_terminal() {
	"$PYTHON" -IS "$BATS_TEST_DIRNAME/terminal.py" "$SUPERCTL" -s "$SD/run/control.sock" "$@"
}

@test "status --watch shows what changes, survives the engine, and q ends it" {
	local engine

	engine=$(role_pid engine)
	at_terminal status --watch=100ms web broken <<-END &
		raw \x1b\[H((?!\x1b\[H).)*every 100ms; q ends((?!\x1b\[H).)*RUNNING((?!\x1b\[H).)*\x1b\[J
		expect web +RUNNING
		touch $SD/watching
		expect web +STOPPED
		touch $SD/stopped
		expect web +RUNNING
		send q
		end 0
	END
	wait_for "$PATIENCE" test -e "$SD/watching"
	exits 0 sctl stop web
	kill_role engine
	wait_for "$PATIENCE" has_new_role engine "$engine"
	wait_for "$PATIENCE" test -e "$SD/stopped"
	exits 0 sctl start web
	wait $!
}

@test "status --watch: Ctrl-C ends it too, the terminal is as it was, and a new size is drawn at once" {
	at_terminal status -w web <<-'END'
		raw \x1b\[\?25l
		expect Tracked by|RUNNING
		resize 40x10
		expect every 2s
		send \x03
		raw \x1b\[\?25h
		end 0
	END
	exits 2 sctl status --watch=1ms
	exits 2 sctl status --watch --json
}

@test "many programs: on a terminal one line counts, failures are listed; elsewhere a line each" {
	at_terminal stop 'many-*' broken <<-'END'
		expect 13 of 13 done
		end 0
	END
	at_terminal start 'many-*' broken <<-'END'
		expect starting: 0 of 13
		expect see: superctl why broken
		expect starting: [1-9][0-9]* of 13
		expect 12 of 13 done, 1 failed
		end 1
	END
	exits 0 sctl stop 'many-*'
	equals lines "$(grep -c '^many-[0-9]*: stopped$' <<<"$output")" 12
	[[ $output != *"of 12"* ]]
}

@test "top: a table with keys; stop asks" {
	at_terminal top -d 100ms <<-'END'
		expect 14 programs: .*NAME +STATE.*web +RUNNING
		send /web\r
		expect 1 with "web"
		send x
		expect stop web\? y stops it
		send n
		expect 1 with
		send x
		expect stop web\?
		send y
		expect STOPPED
		send s
		expect RUNNING
		send i
		expect Tracked by: .*any key goes back
		send q
		expect 14 programs
		send /\r
		expect many-1
		resize 120x40
		expect many-9
		send h
		expect stop it .asks
		send q
		end 0
	END
	equals state "$(record web state)" RUNNING
}

@test "top: a new size is drawn at once" {
	at_terminal top -d 1h web <<-'END'
		expect web +[A-Z]+.*logs  w why
		resize 50x12
		raw \x1b\[12;?[0-9]*H[^\n]*q end
		expect web +[A-Z]+
		send q
		end 0
	END
}

@test "top: logs, by a key, until Ctrl-C" {
	echo "program \"talker\" { command = \"/bin/sh -c 'echo hello; exec sleep 1000'\" }" >"$SD/conf.d/talker.conf"
	exits 0 sctl apply
	exits 0 sctl start talker
	at_terminal top -d 100ms talker <<-'END'
		expect talker +RUNNING
		send l
		expect Ctrl-C ends this.*hello
		send \x03
		expect any key goes back
		send \r
		expect talker +RUNNING
		send q
		end 0
	END
}

@test "top: a daemon that is away comes back" {
	local engine

	exits 0 sctl start web
	at_terminal top -d 100ms web <<-END &
		expect web +RUNNING
		touch $SD/topping
		expect no supervisord answers; this is as it was
		touch $SD/missed
		expect STOPPED
		send q
		end 0
	END
	wait_for "$PATIENCE" test -e "$SD/topping"
	mv "$SD/run/control.sock" "$SD/run/hidden.sock"
	wait_for "$PATIENCE" test -e "$SD/missed"
	mv "$SD/run/hidden.sock" "$SD/run/control.sock"
	exits 0 sctl stop web
	wait $!
	exits 0 sctl start web
}

@test "top --once: plain text, also where there is no terminal; --sort" {
	exits 0 sctl top --once -d 100ms
	[[ $output != *$'\033'* ]]
	matches "$output" '^[0-9]+ programs: .*; CPU [0-9.]+%, memory '
	matches "$output" $'\nNAME +STATE +PID +CPU% +MEMORY +STARTS +FOR +REASON\n'
	matches "$output" $'\nweb +RUNNING +[0-9]+ +[0-9.]+ +[0-9.]+[KMG] +[0-9]+ '
	exits 0 sctl top -d 100ms --sort state
	equals first "$(sed -n 3p <<<"$output" | cut -d' ' -f1)" "$(sctl status --json | "$PYTHON" -ISc 'import json, sys; print(sorted((r["state"], r["name"]) for r in json.load(sys.stdin))[0][1])')"
	exits 2 sctl top --sort nonsense
	exits 4 sctl top --once nosuch
}
