# SPDX-License-Identifier: ISC
# superctl -H: a daemon elsewhere, through a stand-in for ssh that runs the command here.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" }'
	cat >"$SD/conf.d/programs.conf" <<-END
		program "web" { command = "$SD/bin/stamp $SD/web.stamps run" }
		program "idle" { command = "$SD/bin/stamp $SD/idle.stamps run" autostart = false }
		program "talker" { command = "/bin/sh -c 'while read line; do echo got \$line; done <$SD/say'" autostart = false }
	END
	mkfifo "$SD/say"
	# What ssh is given: -T, options, --, a host, and a line for the shell over there.
	cat >"$SD/ssh" <<-END
		#!/bin/sh
		echo "\$\$ \$*" >>$SD/ssh.calls
		while [ "\$1" != -- ]; do shift; done
		case \$2 in
		down) echo "ssh: connect to host down port 22: No route to host" >&2; exit 255 ;;
		bare) exit 127 ;;
		noisy) echo "Welcome to noisy" ;;
		esac
		PATH=${SUPERCTL%/*}:\$PATH SUPERCTL_SOCKET=$SD/run/control.sock
		[ "\$2" != empty ] || SUPERCTL_SOCKET=$SD/run/none.sock
		export PATH SUPERCTL_SOCKET
		exec sh -c "\$3"
	END
	chmod +x "$SD/ssh"
	export SUPERCTL_SSH="$SD/ssh -o Port=22"
	sd_start
}

teardown_file() {
	sd_down_all
}

setup() {
	exits any sctl stop idle talker
	exits 0 sctl start web
	: >"$SD/ssh.calls"
}

teardown() {
	sd_tell_failure
}

far() {
	"$SUPERCTL" -H "$@"
}

# No process of a stand-in is left.
no_ssh_left() {
	local pid rest

	while read -r pid rest; do
		! kill -0 "$pid" 2>/dev/null || return 1
	done <"$SD/ssh.calls"
}

@test "remote: every command works as here, with its exit status" {
	exits 0 far alice@box status web
	matches "$output" 'web +RUNNING'
	exits 3 far alice@box status idle
	exits 0 far alice@box start idle
	matches "$output" 'idle: started'
	exits 4 far alice@box start nosuch
	exits 7 far alice@box signal --json HUP talker
	exits 0 far alice@box stop idle
	equals call "$(head -n 1 "$SD/ssh.calls" | cut -d' ' -f2-)" "-o Port=22 -T -- alice@box superctl bridge greet"
	exits 0 far box -s "$SD/run/control.sock" version
	equals call "$(tail -n 1 "$SD/ssh.calls" | cut -d' ' -f2-)" "-o Port=22 -T -- box superctl -s '$SD/run/control.sock' bridge greet"
	wait_for "$PATIENCE" no_ssh_left
}

@test "remote: what keeps it from getting there is said, and exits 4" {
	exits 4 far down status
	matches "$output" 'No route to host'
	matches "$output" 'down: ssh did not get there'
	exits 4 far bare status
	matches "$output" 'bare: there is no superctl in its PATH'
	exits 4 far empty status
	matches "$output" "no supervisord answers: $SD/run/none.sock"
	exits 2 far -oProxyCommand=x status
	exits 2 far "" status
	SUPERCTL_SSH=/nonexistent/ssh exits 4 far box status
	matches "$output" '/nonexistent/ssh: No such file'
	exits 2 far box check "$SD/supervisord.conf"
	matches "$output" 'ssh box superctl check'
}

@test "remote: a shell over there that prints something is no hindrance" {
	exits 0 far noisy status web
	matches "$output" 'web +RUNNING'
	[[ $output != *Welcome* ]]
}

@test "remote: logs -f comes line by line, and Ctrl-C leaves nothing behind" {
	local job

	exits 0 sctl start talker
	exec 7>"$SD/say"
	echo one >&7
	"$SUPERCTL" -H box logs -f talker >"$SD/followed" 2>&1 3>&- 7>&- &
	job=$!
	wait_for "$PATIENCE" file_has "$SD/followed" 'got one'
	echo two >&7
	wait_for "$PATIENCE" file_has "$SD/followed" 'got two'
	kill -TERM "$job"
	wait "$job" || true
	exec 7>&-
	wait_for "$PATIENCE" no_ssh_left
}

@test "remote: an engine that is restarted in the middle is waited for" {
	local engine

	engine=$(role_pid engine)
	kill_role engine
	exits 0 far box status web
	wait_for "$PATIENCE" has_new_role engine "$engine"
}

@test "remote: several hosts, each line with its host, and the highest status" {
	exits 0 far a,bb status web
	equals "lines of a" "$(grep -c '^a:  ' <<<"$output")" 2
	equals "lines of bb" "$(grep -c '^bb: ' <<<"$output")" 2
	matches "$output" 'a:  web +RUNNING'
	exits 4 far a,down status
	matches "$output" 'a:    web'
	matches "$output" 'down: superctl: down: ssh did not get there'
	exits 3 far a,b status
	exits 2 far , status
	matches "$output" 'names no host'
	exits 2 far a,b attach web
	matches "$output" 'one host at a time'
	exits 4 far a,down,b start web
	equals "told not to ask" "$(grep -c 'BatchMode=yes' "$SD/ssh.calls")" 9
}

@test "remote: several hosts with --json are one array, with the host in each record" {
	exits 3 far a,b status --json
	equals records "$("$PYTHON" -ISc 'import json, sys; print(*sorted((r["host"], r["name"]) for r in json.load(sys.stdin) if r["name"] != "talker"))' <<<"$output")" \
		"('a', 'idle') ('a', 'web') ('b', 'idle') ('b', 'web')"
	exits 0 far a,b version --json
	equals records "$("$PYTHON" -ISc 'import json, sys; print(*sorted(r["host"] for r in json.load(sys.stdin)))' <<<"$output")" "a b"
	exits 0 far a,b logs talker --json -n 1
	equals lines "$(grep -c '^{"host":"[ab]",' <<<"$output")" 2
	exits 4 far down,down status --json
	matches "$output" '\[\]'
}

@test "bridge: raw calls through pipes, answered past the end of the input" {
	printf '{"method":"org.varlink.service.GetInfo"}\0' | sctl bridge >"$SD/answer"
	matches "$(tr -d '\0' <"$SD/answer")" '"interfaces"'
	# Much more than a pipe holds, both ways.
	"$PYTHON" -ISc 'import sys
for _ in range(3000): sys.stdout.write("{\"method\":\"io.superctl.Version\"}\0")' | sctl bridge | tr '\0' '\n' >"$SD/answers"
	equals answers "$(grep -c '"engine_starts"' "$SD/answers")" 3000
	exits 4 "$SUPERCTL" -s "$SD/run/none.sock" bridge
	exits 2 sctl bridge nonsense
}

@test "bridge: ends when nobody reads any more" {
	"$PYTHON" -ISc 'import subprocess, sys
bridge = subprocess.Popen([sys.argv[1], "-s", sys.argv[2], "bridge"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
bridge.stdout.close()
sys.exit(bridge.wait(60) != 1)' "$SUPERCTL" "$SD/run/control.sock"
}

@test "remote: shutdown ends when the daemon has" {
	exits 0 far box shutdown
	wait_for "$PATIENCE" is_gone "$(guardian)"
}
