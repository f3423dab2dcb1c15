#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What hurt users of other supervisors most, each as they would meet it, as far as no other file has it already: one
# daemon, each test has programs of its own names.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" restart_delay = "20ms" autostart = false }'
	cp "$OUT/tests/programs/late" "$SD/bin/"
	sd_start
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# A server that takes lines at a socket and keeps them in a file, and slow to end; a client that sends its last one at TERM,
# with status 0 only when the server has said "ok".
write_store() {
	cat >"$SD/store" <<-END
		#!$PYTHON -IS
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen(8)
		print("ready", flush=True)
		while True:
		    c, _ = s.accept()
		    with open(sys.argv[2], "ab", buffering=0) as out:
		        out.write(c.recv(100) + b"\n")
		    c.send(b"ok")
		    c.close()
	END
	cat >"$SD/writer" <<-END
		#!$PYTHON -IS
		import signal, socket, sys, time
		signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
		def tell(text):
		    c = socket.socket(socket.AF_UNIX)
		    c.connect(sys.argv[1])
		    c.send(text)
		    return c.recv(10) == b"ok"
		tell(b"hello")
		signal.sigwait({signal.SIGTERM})
		time.sleep(0.3)
		sys.exit(0 if tell(b"goodbye") else 1)
	END
	chmod 755 "$SD/store" "$SD/writer"
}

# The moment of the first stamp of a kind, in ns.
stamp_of() {
	awk -v what="$2" '$1 == what { print $5; exit }' "$SD/$1"
}

@test "demands: who comes after is executed when the other is ready, not when it is started" {
	local began

	stanza late <<-END
		program "late-a" {
			command = "$SD/bin/late $SD/late.go file $SD/late.ready"
			ready = "file:$SD/late.ready"
			ready_interval = "20ms"
		}
		program "late-b" { command = "$SD/bin/stamp $SD/late.stamps run" requires = {"late-a"} }
	END
	exits 0 sctl start --no-wait late-b
	wait_state late-a STARTING
	# As long as it is not: waiting, by name, and the daemon answers everybody.
	matches "$(record late-b reason)" "waits for late-a"
	exits 0 sctl version
	exits 0 sctl start --no-wait late-b
	equals "state of b" "$(record late-b state)" WAITING
	[ ! -e "$SD/late.stamps" ]
	began=$("$PYTHON" -ISc 'import time; print(time.clock_gettime_ns(time.CLOCK_BOOTTIME))')
	touch "$SD/late.go"
	wait_state late-b RUNNING
	wait_for "$PATIENCE" has_lines "$SD/late.stamps" 1
	at_least "exec of b" "$(stamp_of late.stamps start)" "$began"
	exits 0 sctl stop late-b late-a
}

@test "demands: at a stop of both the client can still write to its store in its TERM handler" {
	write_store
	stanza store <<-END
		program "store" { command = "$SD/store $SD/store.sock $SD/store.out" ready = "log:^ready" stop_timeout = "30s" }
		program "writer" { command = "$SD/writer $SD/store.sock" requires = {"store"} stop_timeout = "30s" }
	END
	exits 0 sctl start writer
	wait_for "$PATIENCE" file_has "$SD/store.out" hello
	exits 0 sctl stop store writer
	equals "what was stored" "$(tr '\n' ' ' <"$SD/store.out")" "hello goodbye "
	equals "exit of the client" "$(record writer last_exit.status)" 0
}

@test "demands: stable_after = 0 and a failing program: the limit counts every start" {
	stanza zero <<-END
		program "zero" {
			command = "$SD/bin/stamp $SD/zero.stamps exit 1"
			stable_after = "0s"
			restart_delay = "0s"
			restart_delay_max = "0s"
			start_limit = 4
		}
	END
	exits any sctl start zero
	wait_state zero FATAL
	equals starts "$(count_lines "$SD/zero.stamps")" 4
}

@test "demands: autostart and log limits change under a running program, an environment only where it changed" {
	local before number

	for number in 1 2 3 4 5; do
		echo "program \"env-$number\" { command = \"$SD/bin/stamp $SD/env.stamps run\" }"
	done | stanza env
	exits 0 sctl start 'env-*'
	before=$(for number in 1 2 3 4 5; do record "env-$number" pid; done)
	sed -i 's/run" }/run" autostart = true log_max_size = 1MB log_keep = 1 }/' "$SD/conf.d/env.conf"
	exits 0 sctl apply
	matches "$output" 'env-1: live: autostart changed, log_max_size changed, log_keep changed'
	equals pids "$(for number in 1 2 3 4 5; do record "env-$number" pid; done)" "$before"
	sed -i '3s/ }/ environment = {"A=1"} }/' "$SD/conf.d/env.conf"
	exits 0 sctl apply
	equals "pids of the others" "$(for number in 1 2 4 5; do record "env-$number" pid; done)" "$(sed 3d <<<"$before")"
	[ "$(record env-3 pid)" != "$(sed -n 3p <<<"$before")" ]
	exits 0 sctl stop 'env-*'
}

@test "demands: an edit and an apply are one exec, with the new words" {
	stanza edit <<-END
		program "edit" { command = "$SD/bin/stamp $SD/edit.stamps run 1" }
	END
	exits 0 sctl start edit
	wait_for "$PATIENCE" has_lines "$SD/edit.stamps" 1
	sed -i 's/run 1/run 2/' "$SD/conf.d/edit.conf"
	exits 0 sctl apply
	equals words "$(tr '\0' ' ' <"/proc/$(host_pid "$(record edit pid)")/cmdline")" "$SD/bin/stamp $SD/edit.stamps run 2 "
	wait_for "$PATIENCE" has_lines "$SD/edit.stamps" 3
	equals execs "$(grep -c ^start "$SD/edit.stamps")" 2
	# And what is stopped takes the new words at its next start, by restart as well.
	exits 0 sctl stop edit
	sed -i 's/run 2/run 3/' "$SD/conf.d/edit.conf"
	exits 0 sctl apply
	equals state "$(record edit state)" STOPPED
	exits 0 sctl restart edit
	matches "$(tr '\0' ' ' <"/proc/$(host_pid "$(record edit pid)")/cmdline")" 'run 3 $'
	equals execs "$(grep -c ^start "$SD/edit.stamps")" 3
	exits 0 sctl stop edit
}

# CPU time of processes, in clock ticks.
ticks_of() {
	local pid sum=0

	for pid in "$@"; do
		sum=$((sum + $(awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$pid/stat")))
	done
	echo "$sum"
}

@test "demands: a program that closes its output and lives costs nothing, also after rotation and a thousand clients" {
	local engine logger before

	stanza mute <<-END
		program "mute" { command = "exec >&- 2>&-; exec $SD/bin/stamp $SD/mute.stamps run" shell = true }
		program "loud" { command = "seq 200000" log_max_size = "64K" log_keep = 2 restart = "never" }
	END
	exits 0 sctl start --no-wait mute loud
	wait_for "$PATIENCE" has_lines "$SD/mute.stamps" 1
	"$PYTHON" -ISc '
import socket, sys
for _ in range(1000):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(sys.argv[1])
' "$SD/run/control.sock"
	wait_for "$PATIENCE" has loud state EXITED
	exits 0 sctl version
	engine=$(role_pid engine)
	logger=$(role_pid logger)
	# Nothing is waited for here: time has to pass in which nothing happens.
	before=$(ticks_of "$engine" "$logger" "$(guardian)")
	sleep 2
	at_most "ticks in two idle seconds" "$(($(ticks_of "$engine" "$logger" "$(guardian)") - before))" 2
	equals state "$(record mute state)" RUNNING
	exits 0 sctl stop mute
}

@test "demands: the last lines of a thousand short runs are all in the log" {
	stanza short <<-END
		program "short" {
			command = "echo 1 \$SUPERVISORD_RUN; echo 2 \$SUPERVISORD_RUN; test \$(wc -l <$SD/short.count) -ge 1000 || echo >>$SD/short.count"
			shell = true
			restart = "always"
			stable_after = "0s"
			restart_delay = "0s"
			restart_delay_max = "0s"
			start_limit = 0
		}
	END
	touch "$SD/short.count"
	exits 0 sctl start --no-wait short
	wait_for "$PATIENCE" has_lines "$SD/short.count" 1000
	exits 0 sctl stop short
	wait_for "$PATIENCE" both_lines_of_each
}

# Each run has said 1 and 2; but the last one, which the stop may have ended in the middle.
both_lines_of_each() {
	awk '$1 == 1 { ones++; seen[$2] = 1 } $1 == 2 { twos++; if (!seen[$2]) exit 1 }
		END { if (ones < 1000 || ones - twos > 1 || ones < twos) { print ones, twos; exit 1 } }' "$SD/log/short.log"
}

@test "demands: a stop_command that never ends does not hold up a shutdown" {
	local status=0

	sd_new 'shutdown_timeout = 20s' 'defaults { stable_after = "50ms" }'
	stanza_file stuck <<-END
		program "stuck" {
			command = "$SD/bin/family stubborn $SD/stuck.ready"
			stop_command = "/bin/sleep inf"
			post_stop = "/bin/sleep inf"
			hook_timeout = "300ms"
			stop_timeout = "300ms"
		}
	END
	sd_start
	wait_for "$PATIENCE" file_has "$SD/stuck.ready" ready
	exits 0 sctl shutdown
	wait "$SD_JOB" || status=$?
	equals "exit status" "$status" 0
	equals "forced ends" "$(grep -c "shutdown_timeout is over" "$SD/own.log" || true)" 0
	no_procs ""
}
