#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Programs with a terminal of their own (tty = true), and superctl attach to them.

load lib.bash

setup_file() {
	export SUPERCTL PYTHONPATH=$BATS_TEST_DIRNAME PYTHONDONTWRITEBYTECODE=1 BASH_SILENCE_DEPRECATION_WARNING=1
	sd_new 'defaults { stable_after = "20ms" restart_delay = "20ms" }'
	sd_start
	stanza all <<-END
		program "shell" { command = "bash --norc --noprofile -i" tty = true stop_signal = "HUP" restart = "always" environment = {"PS1=ready> "} }
		program "cat" { command = "cat" tty = true }
		program "many" { command = "$SD/bin/numbers 0 300 60" tty = true autostart = false }
		program "pipe" { command = "cat" stdin = "pipe" }
	END
	wait_state shell RUNNING
	wait_state cat RUNNING
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

has_line() {
	grep -qxF -- "$2" "$SD/log/$1.log"
}

has_all_numbers() {
	assert_numbers 200 <"$SD/log/$1.log"
}

@test "the program has a terminal: its streams, its controlling one, its user's; and the log has lines" {
	local who=""

	[ "$(id -u)" -ne 0 ] || who='user = "nobody"'
	stanza look <<-END
		program "look" {
			command = "sh -c 'tty -s <&0 && tty -s <&1 && tty -s <&2 && echo three; tty; stty size; : </dev/tty && echo mine; echo \$TERM; stat -c %U:%a \$(tty); id -un; echo error >&2; exec cat'"
			tty = true $who
		}
		program "other" { command = "sh -c 'echo \$TERM; exec cat'" tty = true environment = {"TERM=vt100"} }
	END
	wait_for "$PATIENCE" has_line look error
	wait_for "$PATIENCE" has_line other vt100
	matches "$(tr '\n' ' ' <"$SD/log/look.log")" '^three /dev/pts/[0-9]+ 24 80 mine xterm-256color [a-z]+:600 [a-z]+ error $'
	[ -z "$who" ] || has_line look nobody
	equals "carriage returns" "$(grep -c $'\r' "$SD/log/look.log" || true)" 0
	rm "$SD/conf.d/look.conf"
	sctl apply
}

@test "a shell: commands, the window's size, Ctrl-C, job control, and the keys that detach" {
	"$PYTHON" - <<-'END'
		from person import *
		t = attach("shell")
		t.until(b"ready> ")
		t.type(b"stty size; echo $((6 * 7))\r")
		t.until(b"40 100\r\n", b"42\r\n", b"ready> ")
		t.type(b"trap 'echo wide-$COLUMNS' WINCH; shopt -s checkwinsize\r")
		t.until(b"ready> ")
		t.resize(50, 120)
		t.until(b"50 120\r\n", b"ready> ", typing=b"stty size\r")
		t.type(b"sh -c 'echo go; exec sleep 1000'\r")
		t.until(b"go\r\n")
		t.until(b"^C", b"ready> ", typing=b"\x03")
		t.type(b"sh -c 'echo go; exec sleep 1000'\r")
		t.until(b"go\r\n")
		t.until(b"Stopped", b"ready> ", typing=b"\x1a")
		t.type(b"fg\r")
		t.until(b"exec sleep 1000'\r\n")
		t.until(b"ready> ", typing=b"\x03")
		t.type(b"\x10\x11")
		t.until(b"detached from shell")
		t.end()
		# What was shown last is shown again, and other keys are taken.
		t = attach("shell", "--detach-key", "ctrl-]")
		t.until(b"50 120\r\n", b"ready> ")
		t.type(b"echo \x10\x11again\x1d")
		t.end()
	END
	is_state shell RUNNING
}

@test "two who type and one who looks: all see the same, and the window is the smallest of theirs" {
	"$PYTHON" - <<-'END'
		from person import *
		a, b = attach("cat", rows=30, columns=90), attach("cat", rows=50, columns=70)
		c = attach("cat", "--read-only", rows=10, columns=20)
		a.type(b"from a\r")
		for t in a, b, c:
		    t.until(b"from a\r\nfrom a\r\n")
		b.type(b"from b\r")
		for t in a, b, c:
		    t.until(b"from b\r\nfrom b\r\n")
		s = attach("shell", rows=30, columns=90)
		r = attach("shell", rows=50, columns=70)
		s.until(b"30 70\r\n", typing=b"stty size\r")
		r.kill()
		r.end(130)
		s.until(b"30 90\r\n", typing=b"stty size\r")
		s.type(b"\x10\x11")
		s.end()
		c.type(b"x\x03")
		c.end()
		a.type(b"\x10\x11")
		a.end()
		b.kill()
		b.end(130)
	END
}

@test "the program restarts and stops, and whoever is attached is told and stays" {
	"$PYTHON" - "$SUPERCTL" "$SD/run/control.sock" <<-'END'
		import subprocess
		from person import *
		def sctl(*words):
		    subprocess.run([sys.argv[1], "-s", sys.argv[2], *words], check=True, stdout=subprocess.DEVNULL)
		t = attach("cat")
		t.type(b"one\r")
		t.until(b"one\r\none\r\n")
		sctl("restart", "cat")
		t.until(b"[cat is RUNNING")
		t.type(b"two\r")
		t.until(b"two\r\ntwo\r\n")
		sctl("stop", "cat")
		t.until(b"[cat is STOPPED")
		# It is typed to nobody, and not to the next run either.
		t.type(b"lost\r")
		t.until(b"lost\r\n")
		sctl("start", "cat")
		t.until(b"[cat is RUNNING")
		t.type(b"three\r")
		t.until(b"three\r\nthree\r\n")
		assert log("cat").count(b"lost\n") == 1, log("cat")
		t.type(b"\x10\x11")
		t.end()
	END
}

@test "relay, engine and logger are killed again and again: every byte is in the log once, and on the screen once" {
	sctl start many
	"$PYTHON" - "$(guardian)" <<-'END'
		import re
		from person import *
		guardian = int(sys.argv[1])
		def children():
		    found = {}
		    with open(f"/proc/{guardian}/task/{guardian}/children") as file:
		        pids = file.read().split()
		    for pid in pids:
		        try:
		            with open(f"/proc/{pid}/comm") as file:
		                name = file.read().strip()
		            with open(f"/proc/{pid}/environ") as file:
		                environ = file.read()
		        except OSError:
		            continue
		        if name == "terminal":
		            name = "relay" if "SUPERVISORD_NAME=many+tty" in environ else "another"
		        found[name] = int(pid)
		    return found
		def kill(pid):
		    if pid is None:
		        return False
		    try:
		        os.kill(pid, signal.SIGKILL)
		    except ProcessLookupError:
		        return False
		    return True
		t = attach("many")
		t.until(b"xxx\r\n")
		program = wait_for(lambda: children().get("numbers"))
		for round in range(4):
		    for name in ["relay"] if round % 2 else ["engine", "relay", "logger"][::1 - round]:
		        wait_for(lambda: kill(children().get(name)))
		    before = len(t.seen)
		    wait_for(lambda: t.read(0.05) or len(t.seen) > before + 2000)
		assert children()["numbers"] == program
		lines = t.seen.split(b"\r\n")[1:-1]
		numbers = [int(line.split()[1]) for line in lines if re.fullmatch(rb"\S+ \d+ x+", line)]
		# While there was no engine to come back through, more may have been written than is kept for that: it is said.
		left_out = sum(b"bytes of output are left out" in line for line in lines)
		gaps = [pair for pair in zip(numbers, numbers[1:]) if pair[1] != pair[0] + 1]
		assert all(now > before for before, now in gaps) and len(gaps) <= left_out, (gaps, left_out)
		assert len(numbers) > 200, len(numbers)
		t.kill()
		t.end(130)
	END
	sctl stop many
	wait_for "$PATIENCE" has_all_numbers many
	equals "carriage returns" "$(grep -c $'\r' "$SD/log/many.log" || true)" 0
}

@test "one who does not read delays nobody, and is told what was left out" {
	stanza flood <<-END
		program "flood" { command = "$SD/bin/numbers 20000 0 60" tty = true autostart = false }
	END
	"$PYTHON" - "$SUPERCTL" "$SD/run/control.sock" <<-'END'
		import json, socket, subprocess
		from person import *
		wire = socket.socket(socket.AF_UNIX)
		wire.connect(sys.argv[2])
		wire.sendall(b'{"method":"io.superctl.Watch","parameters":{"name":"flood"}}\0')
		reply = b""
		while not reply.endswith(b"\0"):
		    reply += wire.recv(1)
		reply = json.loads(reply[:-1])["parameters"]
		assert reply["tty"] is True and reply["position"] == 0 and reply["state"] == "STOPPED", reply
		wire.sendall(b"w\0\4\0\0\0\0")
		subprocess.run([sys.argv[1], "-s", sys.argv[2], "start", "flood"], check=True)
		wait_for(lambda: log("flood").count(b"\n") == 20000)
		# Now it reads: frames, and a gap among them.
		def exactly(count):
		    data = b""
		    while len(data) < count:
		        data += wire.recv(count - len(data))
		    return data
		total, gap, kinds = 0, 0, set()
		while total + gap < 20000 * 61:
		    kind, high, low = exactly(3)
		    kinds.add(chr(kind))
		    payload = exactly(high * 256 + low)
		    total += len(payload) if kind == ord("o") else 0
		    gap += int.from_bytes(payload, "big") if kind == ord("g") else 0
		assert gap > 0 and total + gap == 20000 * 61, (total, gap)
		assert kinds == set("ong"), kinds
		# Who only looks may not type.
		wire.sendall(b"i\0\1x")
		assert wire.recv(1) == b""
		# There is place for 16.
		def call(method, parameters='"name":"flood"'):
		    one = socket.socket(socket.AF_UNIX)
		    one.connect(sys.argv[2])
		    text = '{"method":"io.superctl.%s","parameters":{%s}}\0' % (method, parameters)
		    one.sendall(text.encode())
		    reply = b""
		    while not reply.endswith(b"\0"):
		        reply += one.recv(1)
		    return one, json.loads(reply[:-1])
		attached = [call("Watch") for _ in range(16)]
		assert all("error" not in reply for _, reply in attached), attached
		refused, reply = call("Attach")
		assert reply["error"] == "io.superctl.Busy" and "too many" in reply["parameters"]["reason"], reply
		assert refused.recv(1) == b""
		attached[3][0].close()
		wait_for(lambda: "error" not in call("Watch")[1])
		_, reply = call("Attach", '"name":"pipe","from":3')
		assert reply["error"] == "org.varlink.service.InvalidParameter", reply
	END
	assert_numbers 20000 <"$SD/log/flood.log"
}

@test "without a terminal the input is handed over; without tty there is none" {
	printf 'handed\nover\n' | sctl attach cat
	wait_for "$PATIENCE" has_line cat over
	run sctl attach --read-only pipe </dev/null
	equals "exit status" "$status" 1
	[[ $output == *'pipe: has no terminal: tty = true'* ]]
	run sctl attach --detach-key ctrl-x pipe </dev/null
	equals "exit status" "$status" 2
	run sctl attach --detach-key ctrl-5 cat </dev/null
	equals "exit status" "$status" 2
	[[ $output == *'ctrl-5'*'not a list of keys'* ]]
}

@test "a program that hangs up its terminal, or ends in the middle, is in the log to its last byte" {
	stanza brief <<-END
		program "brief" { command = "$SD/bin/numbers 3000 0 60" tty = true restart = "never" }
		program "gone" { command = "sh -c 'seq 5000; echo last words; exit 3'" tty = true start_limit = 1 }
	END
	wait_state gone FATAL
	wait_for "$PATIENCE" has_line gone "last words"
	equals "lines of gone" "$(grep -c . "$SD/log/gone.log")" 5001
	wait_for "$PATIENCE" eval 'sctl why gone | grep -q "^    last words$"'
	wait_for "$PATIENCE" has_lines "$SD/log/brief.log" 3000
	# The stanza goes, and with it the relay, which sees the end of its program.
	rm "$SD/conf.d/brief.conf"
	sctl apply
	run sctl status brief+tty
	equals "exit status" "$status" 4
	assert_numbers 3000 <"$SD/log/brief.log"
	# By the shell itself: a command that it starts then may be told to stop, too.
	cat >"$SD/last.sh" <<-'END'
		trap 'i=0; while [ $((i += 1)) -le 3000 ]; do echo $i; done; exit' TERM
		echo on
		while :; do sleep 0.1; done
	END
	stanza brief <<-END
		program "brief" { command = "sh $SD/last.sh" tty = true }
	END
	wait_for "$PATIENCE" has_line brief on
	stanza brief <<-END
		program "brief" { command = "cat" }
	END
	wait_for "$PATIENCE" has_line brief 3000
	equals "lines of brief" "$(grep -cE '^[0-9]+$' "$SD/log/brief.log")" 3000
	wait_for "$PATIENCE" eval '! sctl status brief+tty'
}

@test "where there are no pseudo terminals, the launch and doctor say so" {
	if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
		skip "needs a mount namespace"
	fi
	sd_new 'defaults { stable_after = "20ms" }'
	stanza_file sh <<-END
		program "sh" { command = "cat" tty = true start_limit = 1 }
	END
	sd_start unshare -m --propagation private sh -c 'mount -t tmpfs none /dev/pts && exec "$@"' sh
	wait_state sh FATAL
	sctl why sh | grep -q "tty /dev/ptmx: No such "
	run sctl doctor sh
	equals "exit status" "$status" 1
	[[ $output == *"/dev/ptmx: No such "*"devpts has to be mounted on /dev/pts"* ]]
	sd_down
}
