# SPDX-License-Identifier: ISC
# Where two things happen at once, or something is gone that was relied on: each was once a bug.

load lib.bash

setup() {
	sd_new
}

teardown() {
	sd_tell_failure
	sd_down_all
}

# Several calls at once on one connection, one a line; prints each reply on a line.  Fails when one is missing.
pipelined() {
	"$PYTHON" -IS -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(float(sys.argv[2]))
s.connect(sys.argv[1])
calls = sys.stdin.read().split("\n")[:-1]
s.sendall("".join(c + "\0" for c in calls).encode())
got = b""
while got.count(b"\0") < len(calls):
    block = s.recv(65536)
    if not block:
        sys.exit("the connection ended")
    got += block
print(got.decode().replace("\0", "\n"), end="")
' "$SD/run/control.sock" "$PATIENCE"
}

@test "edges: commands that follow each other on one connection keep their timers" {
	stanza_file edge <<-END
		program "soft" { command = "sleep 1000" stable_after = "0s" }
		program "hard" { command = "trap '' TERM; echo ready; while :; do sleep 100; done" shell = true stable_after = "0s" stop_timeout = "300ms" }
	END
	sd_start
	wait_for "$PATIENCE" log_has hard ready
	pipelined <<-END
		{"method":"io.superctl.Stop","parameters":{"names":["soft"]}}
		{"method":"io.superctl.Stop","parameters":{"names":["hard"]}}
		{"method":"io.superctl.Start","parameters":{"names":["soft"]}}
	END
	wait_state hard STOPPED
	wait_state soft RUNNING
}

@test "edges: clients that vanish while they wait do not use up the connections" {
	stanza_file edge <<-END
		program "hard" { command = "trap '' TERM; echo ready; while :; do sleep 0.1; done" shell = true stop_timeout = "1h" }
	END
	sd_start
	wait_for "$PATIENCE" log_has hard ready
	"$PYTHON" -IS -c '
import socket, sys
for half in (False, True):
    for i in range(300):
        s = socket.socket(socket.AF_UNIX)
        s.connect(sys.argv[1])
        s.sendall(b"""{"method":"io.superctl.Stop","parameters":{"names":["hard"]}}\0""")
        if half:
            s.shutdown(socket.SHUT_WR)
        s.close()
' "$SD/run/control.sock"
	exits 3 sctl status hard
	sctl signal KILL hard
	wait_state hard STOPPED
}

@test "edges: start and restart of what left processes behind end those first" {
	stanza_file edge <<-END
		program "once" { command = "$SD/bin/stamp $SD/stamps run 0 & exit 0" shell = true restart = never stop_timeout = "500ms" }
	END
	sd_start
	wait_state once EXITED
	# What is left behind becomes stamp when its turn has come, maybe after its parent has ended.
	wait_for "$PATIENCE" one_is_left
	sctl start once
	wait_for "$PATIENCE" one_is_left
	sctl restart once
	wait_for "$PATIENCE" one_is_left
	sctl stop once
	equals left "$(count_procs stamp)" 0
	equals "runs that left one behind" "$(grep -c ^start "$SD/stamps")" 3
}

# One, and it has got so far as to wait for TERM.
one_is_left() {
	local pid

	[ "$(count_procs stamp)" -eq 1 ] && pid=$(pgrep -f "^$SD/bin/stamp") && grep -q "^start .* $pid " "$SD/stamps"
}

@test "edges: every program has its turn in a storm" {
	{
		echo 'defaults { restart = always restart_delay = "0s" restart_delay_max = "0s" start_limit = 0 stdout = "null" }'
		for i in $(seq 100 220); do
			echo "program \"a$i\" { command = \"/bin/true\" }"
		done
		echo 'program "zz" { command = "sleep 1000" stable_after = "200ms" }'
	} | stanza_file edge
	sd_start
	wait_state zz RUNNING
	kill_program zz KILL
	wait_for "$PATIENCE" has zz starts 2
	wait_state zz RUNNING
	at_least "starts of a high row" "$(record a219 starts)" 2
}

@test "edges: what a program says last is written even if the logger is dead at the shutdown" {
	stanza_file edge <<-END
		program "web" { command = "trap 'echo last words; exit 0' TERM; echo up; while :; do sleep 0.05; done" shell = true }
	END
	sd_start
	wait_for "$PATIENCE" log_has web up
	# The second crash is answered after a second: the shutdown comes before that.
	guardian=$(guardian)
	logger=$(role_pid logger)
	kill_role logger
	wait_for "$PATIENCE" has_new_role logger "$logger"
	kill -KILL "$(role_pid logger)"
	kill -TERM "$guardian"
	wait_for "$PATIENCE" is_gone "$guardian"
	grep -q 'last words' "$SD/log/web.log"
}

@test "edges: a program that is being removed can not be started again" {
	stanza_file edge <<-END
		program "slow" { command = "trap '' TERM; echo ready; while :; do sleep 0.1; done" shell = true stop_timeout = "1h" }
	END
	sd_start
	wait_for "$PATIENCE" log_has slow ready
	rm "$SD/conf.d/edge.conf"
	sctl apply --no-wait
	run ! sctl start slow
	run ! sctl restart slow
	[ "$(version_field engine_starts)" -eq 1 ]
	equals state "$(record slow state)" STOPPING
	kill_program slow
	wait_for "$PATIENCE" exits 4 sctl status slow
}

@test "edges: a stanza that is back before its program was gone is started again" {
	stanza_file edge <<-END
		program "slow" { command = "trap '' TERM; echo ready; while :; do sleep 0.1; done" shell = true stop_timeout = "1h" stable_after = "0s" }
	END
	sd_start
	wait_for "$PATIENCE" log_has slow ready
	mv "$SD/conf.d/edge.conf" "$SD/edge.conf"
	sctl apply --no-wait
	mv "$SD/edge.conf" "$SD/conf.d/edge.conf"
	sctl apply --no-wait
	kill_program slow
	wait_for "$PATIENCE" has slow starts 2
	wait_state slow RUNNING
	sctl stop --no-wait slow
	kill_program slow
	wait_state slow STOPPED
}

@test "edges: a restart of several keeps the order of stops" {
	stanza_file edge <<-END
		defaults { stable_after = "100ms" }
		program "db" { command = "$SD/bin/stamp $SD/stamps run 200" }
		program "web" { command = "$SD/bin/stamp $SD/stamps run 200" after = {"db"} }
	END
	sd_start
	wait_state web RUNNING
	wait_for "$PATIENCE" has_lines "$SD/stamps" 2
	told=$(count_lines "$SD/own.log")
	sctl restart db web
	wait_for "$PATIENCE" has_lines "$SD/stamps" 6
	equals order "$(sed -n 3,4p "$SD/stamps" | cut -d' ' -f1,2 | tr '\n' ' ')" "stop web stop db "
	equals "started again" "$(sed -n '5,$p' "$SD/stamps" | cut -d' ' -f1,2 | sort | tr '\n' ' ')" "start db start web "
	told_in_order "$told" "db: STOPPING -> STARTING" "db: STARTING -> RUNNING" "web: WAITING -> STARTING"
}

@test "edges: a program that becomes another one's reader is restarted onto the pipe" {
	stanza_file sink <<-END
		program "sink" { command = "while read -r line; do echo got \$line; done" shell = true stable_after = "0s" restart = always }
	END
	sd_start
	wait_for "$PATIENCE" told_in_order 0 "sink: WAITING -> STARTING"
	stanza src <<-END
		program "src" { command = "echo hello; sleep 1000" shell = true stdout = "program:sink" }
	END
	wait_for "$PATIENCE" log_has sink 'got hello'
}

@test "edges: a control socket and a lock that were removed are made again at an apply" {
	sd_start
	rm "$SD/run/control.sock" "$SD/run/supervisord.lock"
	kill -HUP "$(guardian)"
	wait_for "$PATIENCE" sd_serves
	run -1 timeout 60 "$SUPERVISORD" -n -c "$SD/supervisord.conf"
	[[ $output == *'already running'* ]]
}

@test "edges: with few descriptors some programs run, the others say why, and the engine can be replaced" {
	for i in $(seq 10 40); do
		echo "program \"p$i\" { command = \"sleep 1000\" stable_after = \"0s\" restart_delay = \"10ms\" }"
	done | stanza_file edge
	sd_start bash -c 'ulimit -S -n 64 && ulimit -H -n 64 && exec "$@"' limited
	wait_for "$PATIENCE" has p40 state FATAL
	[[ $(record p40 reason) == *'Too many open files'* ]]
	wait_state p10 RUNNING
	pid=$(record p10 pid)
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	equals pid "$(record p10 pid)" "$pid"
}

@test "edges: a number that another process has got meanwhile is left alone" {
	can_be_pid1 || skip "needs a pid namespace"
	[ "$(id -u)" -eq 0 ] || skip "needs root to choose pids"
	stanza_file edge <<-END
		program "once" { command = "/bin/true" restart = never }
	END
	sd_start_pid1
	wait_state once EXITED
	# The leader was one of the first dozen processes: give its number, and those around it, to strangers of their own session.
	# shellcheck disable=SC2016 # for the shell in there
	nsenter -t "$(cat "$SD/guardian")" -p -m bash -c '
		count=0
		for number in $(seq 2 30); do
			[ ! -d "/proc/$number" ] || continue
			echo $((number - 1)) >/proc/sys/kernel/ns_last_pid
			setsid "$1/bin/stamp" "$1/strangers" run </dev/null >/dev/null 2>&1 3>&- &
			count=$((count + 1))
		done
		echo "$count" >"$1/count"' - "$SD" || skip "pids cannot be chosen here"
	before=$(cat "$SD/count")
	[ "$before" -gt 0 ]
	wait_for "$PATIENCE" has_lines "$SD/strangers" "$before"
	sctl stop once
	equals strangers "$(count_procs stamp)" "$before"
	equals "stamps of strangers" "$(count_lines "$SD/strangers")" "$before"
}
