#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# superctl attach: what is typed reaches a program with stdin = "pipe".

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" restart_delay = "50ms" }'
	sd_start
	stanza echo <<-END
		program "echo" { command = "cat" stdin = "pipe" }
		program "deaf" { command = "/bin/sleep 1000" }
	END
	wait_state echo RUNNING
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# has_line TEXT: the log of echo has that line.
has_line() {
	grep -qx -- "$1" "$SD/log/echo.log"
}

@test "without a terminal the input is handed over, byte by byte, and that is all" {
	printf 'one\ntwo' | sctl attach echo
	printf ' and\000more\n' | sctl attach echo
	wait_for "$PATIENCE" grep -qa more "$SD/log/echo.log"
	equals "the log" "$(od -An -c "$SD/log/echo.log" | tr -d ' \n')" 'one\ntwoand\0more\n'
	is_state echo RUNNING
}

@test "input waits for the next run; it outlives runs, engine and client" {
	sctl stop echo
	echo waited | sctl attach echo
	sctl start echo
	wait_for "$PATIENCE" has_line waited
	mkfifo "$SD/typed"
	sctl attach echo <"$SD/typed" 3>&- 4>&- &
	exec 8>"$SD/typed"
	echo before >&8
	wait_for "$PATIENCE" has_line before
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	echo after >&8
	wait_for "$PATIENCE" has_line after
	sctl restart echo
	echo again >&8
	exec 8>&-
	wait $!
	wait_for "$PATIENCE" has_line again
}

@test "more than the pipe holds waits for the program, and nothing is lost" {
	sctl stop echo
	seq 100000 | sctl attach echo 3>&- 4>&- &
	sctl start echo
	wait $!
	wait_for "$PATIENCE" has_line 100000
	equals "lines" "$(grep -c -E '^[0-9]+$' "$SD/log/echo.log")" 100000
}

@test "what cannot be attached to is said" {
	run sctl attach deaf </dev/null
	equals "exit status" "$status" 1
	[[ $output == *'deaf: takes no input: stdin = "pipe" or tty = true in its stanza'* ]]
	run sctl attach nothere </dev/null
	equals "exit status" "$status" 4
	run sctl attach </dev/null
	equals "exit status" "$status" 2
}

@test "on a terminal the log is followed, and Ctrl-D detaches" {
	"$PYTHON" - "$SUPERCTL" "$SD/run/control.sock" <<-'END'
		import os, pty, select, sys, time
		superctl, socket = sys.argv[1:]
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(superctl, [superctl, "-s", socket, "attach", "echo"])
		seen = b""
		def until(text, typed=None):
		    global seen
		    deadline = time.monotonic() + 60
		    while text not in seen:
		        if typed and time.monotonic() > typed[1]:
		            os.write(fd, typed[0])
		            typed[1] = time.monotonic() + 2
		        assert time.monotonic() < deadline, seen
		        if select.select([fd], [], [], 0.1)[0]:
		            seen += os.read(fd, 4096)
		until(b"Ctrl-D detaches")
		# Typed again until the log is followed: the terminal's echo, and then the program's.
		until(b"hello\r\nhello\r\n", [b"hello\n", 0])
		os.write(fd, b"\x04")
		assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
		# What follows the log does not outlive one that is killed; the shell keeps the terminal.
		seen = b""
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv("/bin/sh", ["sh", "-c", '"$0" -s "$1" attach echo; read x', superctl, socket])
		until(b"Ctrl-D detaches")
		until(b"again\r\nagain\r\n", [b"again\n", 0])
		def child_of(pid):
		    return int(open(f"/proc/{pid}/task/{pid}/children").read())
		follower = child_of(child_of(pid))
		os.kill(child_of(pid), 9)
		def is_there():
		    try:
		        return open(f"/proc/{follower}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
		    except FileNotFoundError:
		        return False
		deadline = time.monotonic() + 60
		while is_there():
		    assert time.monotonic() < deadline, "it goes on"
		    time.sleep(0.02)
		os.kill(pid, 9)
		os.waitpid(pid, 0)
	END
	is_state echo RUNNING
}
