# SPDX-License-Identifier: ISC
# superctl alone on a terminal: its shell.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" }'
	cat >"$SD/conf.d/programs.conf" <<-END
		program "web" { command = "$SD/bin/stamp $SD/web.stamps run" }
		program "talker" { command = "/bin/sh -c 'echo hello; exec sleep 1000'" }
		program "worker" { command = "$SD/bin/stamp $SD/worker.stamps run" autostart = false }
	END
	export XDG_STATE_HOME=$SD/state TERM=xterm
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
	"$PYTHON" -IS "$BATS_TEST_DIRNAME/terminal.py" "$SUPERCTL" "$@"
}

@test "shell: commands as on the command line; an error does not end it" {
	at_terminal -s "$SD/run/control.sock" <<-'END'
		expect superctl .*help lists.*superctl> 
		send status web\r
		expect State: RUNNING.*superctl> 
		send start 'nosuch program'\r
		expect nosuch program: no such program.*superctl> 
		send superctl statsu\r
		expect did you mean status\?.*superctl> 
		send stop "web\r
		expect a quote is not closed.*superctl> 
		send start "worker" wor\\ker\r
		expect worker: started.*superctl> 
		send \r
		expect superctl> 
		send help start\r
		expect usage: superctl start.*superctl> 
		send exit\r
		end 0
	END
	equals state "$(record worker state)" RUNNING
}

@test "shell: Tab completes verbs, names, keys, options" {
	at_terminal -s "$SD/run/control.sock" <<-'END'
		expect superctl> 
		send sta\t
		expect status +start
		send tu\twe\t\r
		expect State: RUNNING.*superctl> 
		send stop w\t
		expect web +worker
		send \x03
		expect \^C.*superctl> 
		send config keys restart_delay_\t\r
		expect restart_delay_max .program.*superctl> 
		send start --no\t web\r
		expect web: is running already.*superctl> 
		send signal US\t\t
		expect USR1 +USR2
		send \x03\x04
		end 0
	END
}

@test "shell: Ctrl-C ends what runs, and not the shell" {
	at_terminal -s "$SD/run/control.sock" <<-'END'
		expect superctl> 
		send logs -f talker\r
		expect hello
		send \x03
		expect superctl> 
		send sto\x03
		expect \^C.*superctl> 
		send version\r
		expect supervisord [0-9].*superctl> 
		send \x04
		end 0
	END
}

@test "shell: history is kept for the user alone" {
	at_terminal -s "$SD/run/control.sock" <<-'END'
		expect superctl> 
		send status  web\r
		expect RUNNING.*superctl> 
		send quit\r
		end 0
	END
	equals mode "$(stat -c %a "$SD/state/superctl/history")" 600
	at_terminal -s "$SD/run/control.sock" <<-'END'
		expect superctl> 
		send \x10\x10\r
		expect RUNNING.*superctl> 
		send exit\r
		end 0
	END
}

@test "shell: an engine or a daemon that went away is only that command's matter" {
	local engine

	engine=$(role_pid engine)
	at_terminal -s "$SD/run/none.sock" <<-'END'
		expect superctl> 
		send status\r
		expect no supervisord answers.*superctl> 
		send stop \t\x03
		expect superctl> 
		send exit\r
		end 0
	END
	kill_role engine
	at_terminal -s "$SD/run/control.sock" <<-'END'
		expect superctl> 
		send status web\r
		expect State: RUNNING.*superctl> 
		send exit\r
		end 0
	END
	wait_for "$PATIENCE" has_new_role engine "$engine"
}

@test "shell: without a terminal superctl alone is a mistake" {
	run -2 "$SUPERCTL" </dev/null
	matches "$output" 'usage: superctl'
}
