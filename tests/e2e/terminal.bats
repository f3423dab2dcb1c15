# SPDX-License-Identifier: ISC
# What superctl does on a terminal only: status --watch, the line of progress, top.

load lib.bash

setup_file() {
	local i

	sd_new 'defaults { stable_after = "50ms" restart_delay = "10ms" autostart = false }'
	{
		echo "program \"web\" { command = \"$SD/bin/stamp $SD/web.stamps run\" autostart = true }"
		echo "program \"broken\" { command = \"/bin/false\" start_limit = 1 }"
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
		expect every 100 ms; q ends.*web +RUNNING
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
		expect every 2000 ms
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
		expect broken: .*exited with status 1.*; see: superctl (why|logs) broken
		expect starting: [1-9][0-9]* of 13
		expect 12 of 13 done, 1 failed
		end 1
	END
	exits 0 sctl stop 'many-*'
	equals lines "$(grep -c '^many-[0-9]*: stopped$' <<<"$output")" 12
	[[ $output != *"of 12"* ]]
}
