#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# superctl doctor: what would keep programs from running is said before they run.  One daemon that starts nothing.

load lib.bash

setup_file() {
	sd_new 'defaults { autostart = false }'
	sd_start
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# about NAME [WORDS...]: what doctor says of that program.
about() {
	run sctl doctor "$@"
	grep "^$1: " <<<"$output" || true
}

# patched OLD NEW: a copy of a dynamic program with that string replaced by one of the same length.
patched() {
	"$PYTHON" - "$1" "$2" "$SD/patched.$3" <<-'END'
		import shutil, sys
		old, new, path = sys.argv[1:]
		text = open(shutil.which("sleep"), "rb").read()
		assert text.count(old.encode()) > 0 and len(old) == len(new)
		open(path, "wb").write(text.replace(old.encode(), new.encode()))
	END
	chmod 755 "$SD/patched.$3"
}

@test "a program that would run is not worth a line, but with -l" {
	stanza fine <<-END
		program "fine" { command = "sleep 1000" pre_start = "/bin/sh -c true" }
	END
	run sctl doctor fine
	equals "exit status" "$status" 0
	equals "output" "$output" "1 program looked at: nothing would keep it from running"
	run sctl doctor -l fine
	[[ $output == *"machine: kernel: ok: Linux "* ]]
	[[ $output == *"machine: tracking: "* ]]
	[[ $output == *"fine: command: ok: /"*"/sleep"* ]]
	[[ $output == *"fine: pre_start: ok: /bin/sh"* ]]
}

@test "commands: missing, not executable, a directory, neither program nor script" {
	touch "$SD/plain"
	stanza bad <<-END
		program "none" { command = "nosuchcommand 1" post_stop = "/nowhere/x" }
		program "plain" { command = "$SD/plain" }
		program "folder" { command = "$SD/conf.d" }
		program "text" { command = "$SD/text" }
	END
	echo hello >"$SD/text"
	chmod 755 "$SD/text"
	sctl apply
	[[ $(about none) == *"none: command: problem: nosuchcommand: is in no directory of PATH: /usr/local/sbin:"* ]]
	[[ $(about none) == *"none: post_stop: problem: /nowhere/x: No such file or directory"* ]]
	[[ $(about plain) == *"plain: command: problem: $SD/plain: not executable for this user (mode 0644, "* ]]
	equals "a directory" "$(about folder)" "folder: command: problem: $SD/conf.d: is a directory"
	[[ $(about text) == *"neither a program nor a script"*"shell = true"* ]]
	run sctl doctor fine none
	equals "exit status" "$status" 1
	[[ $output == *"2 programs looked at: 2 problems, 0 warnings" ]]
}

@test "what is run because of events, and when a program gives up, is looked at too" {
	stanza hooks <<-END
		program "gives-up" { command = "sleep 1000" on_failure = "exec:/nowhere/hook" }
		on_event "hook" { match = {"state:FATAL", "program:gives-up"} exec = "nosuchcommand 1" }
	END
	matches "$(about gives-up)" '^gives-up: on_failure: problem: /nowhere/hook: No such file or directory$'
	matches "$(about hook)" '^hook: exec: problem: nosuchcommand: is in no directory of PATH: '
	# And who asks why one has not run is told who knows.
	exits 1 sctl start hook
	run sctl why hook
	matches "$output" 'superctl doctor hook tells what keeps it from being launched'
}

@test "scripts: an interpreter that is not there, also behind env, and lines of another system" {
	printf '#!/nowhere/sh -e\n' >"$SD/missing.sh"
	printf '#!/usr/bin/env -S nosuchlanguage -x\n' >"$SD/env.sh"
	printf '#!/bin/sh\r\n' >"$SD/dos.sh"
	printf '#!%s/loop.sh\n' "$SD" >"$SD/loop.sh"
	printf '#!/usr/bin/env sh\n' >"$SD/good.sh"
	chmod 755 "$SD"/*.sh
	stanza scripts <<-END
		program "missing" { command = "$SD/missing.sh" }
		program "env" { command = "$SD/env.sh" }
		program "dos" { command = "$SD/dos.sh" }
		program "loop" { command = "$SD/loop.sh" }
		program "good" { command = "$SD/good.sh" }
	END
	[[ $(about missing) == *"its interpreter /nowhere/sh: No such file or directory" ]]
	[[ $(about env) == *"wants nosuchlanguage, which is in no directory of PATH: "* ]]
	[[ $(about dos) == *"ends with a carriage return"* ]]
	[[ $(about loop) == *"an interpreter of an interpreter, too deep" ]]
	[[ $(about good -l) == *"good: command: ok: /"* ]]
}

@test "programs: a shared library or a loader that is not there, another processor" {
	local libc loader

	libc=$(readelf -d "$(command -v sleep)" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | head -n 1)
	loader=$(readelf -l "$(command -v sleep)" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
	[ -n "$libc" ] && [ -n "$loader" ] || skip "sleep is not a dynamic program here"
	patched "$libc" "xxx${libc:3}" library
	patched "$loader" "/xxx${loader:4}" loader
	printf '\177ELF\001\002' >"$SD/patched.other"
	head -c 100 /dev/zero >>"$SD/patched.other"
	chmod 755 "$SD/patched.other"
	stanza elf <<-END
		program "library" { command = "$SD/patched.library 1" }
		program "loader" { command = "$SD/patched.loader 1" }
		program "other" { command = "$SD/patched.other" }
	END
	[[ $(about library) == *"library: command: problem: $SD/patched.library: "*"xxx${libc:3}"* ]]
	[[ $(about loader) == *"its dynamic loader /xxx${loader:4}: No such file or directory"* ]]
	[[ $(about other) == *"other: command: warning: "*"another kind of processor"* ]]
}

@test "directory, streams and logs" {
	mkfifo "$SD/fifo"
	stanza places <<-END
		program "cwd" { command = "sleep 1" directory = "$SD/nowhere" }
		program "in" { command = "sleep 1" stdin = "file:$SD/nowhere/in" }
		program "out" { command = "sleep 1" stdout = "append:$SD/nowhere/out" stderr = "append:$SD" }
		program "fifo" { command = "sleep 1" stdout = "fifo:$SD/fifo" stderr = "fifo:$SD/text" }
	END
	[[ $(about cwd) == *"cwd: directory: problem: $SD/nowhere: No such file or directory"* ]]
	equals "stdin" "$(about in)" "in: stdin: problem: $SD/nowhere/in: No such file or directory"
	[[ $(about out) == *"out: stdout: problem: $SD/nowhere/out: $SD/nowhere: No such file or directory"* ]]
	[[ $(about out) == *"out: stderr: problem: $SD: is a directory"* ]]
	equals "a fifo" "$(about fifo)" "fifo: stderr: problem: $SD/text: is not a fifo"
}

@test "it looks with the eyes of the program's user" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	mkdir -m 700 "$SD/private"
	cp "$(command -v sleep)" "$SD/private/sleep"
	install -m 700 "$(command -v sleep)" "$SD/mine"
	stanza eyes <<-END
		program "dir" { command = "sleep 1" user = "nobody" directory = "$SD/private" }
		program "search" { command = "$SD/private/sleep 1" user = "nobody" }
		program "exec" { command = "$SD/mine 1" user = "nobody" }
	END
	[[ $(about dir) == *"dir: directory: problem: $SD/private: Permission denied"* ]]
	[[ $(about search) == *"$SD/private/sleep: Permission denied: this user may not search a directory of it"* ]]
	[[ $(about exec) == *"$SD/mine: not executable for this user (mode 0700, owner 0:0)"* ]]
}

@test "it looks at what is applied, and says so when the files differ" {
	stanza edited <<-END
		program "edited" { command = "sleep 1000" }
	END
	exits 0 sctl doctor edited
	[[ $output != *differ* ]]
	stanza_file edited <<-END
		program "edited" { command = "$SD/nothing" }
	END
	status_notes >/dev/null # so they have been read
	exits 0 sctl doctor edited
	matches "$output" 'superctl: edited: as it is applied; the files differ: superctl plan shows how, superctl apply does it'
	exits 0 sctl doctor --json edited
	[[ $output != *differ* ]]
	rm "$SD/conf.d/edited.conf"
	sctl apply
}

@test "as JSON; unknown names; and nothing of it is taken for the program, or left" {
	run sctl doctor --json fine none
	"$PYTHON" -c 'import json, sys; found = json.load(sys.stdin)
assert {f["level"] for f in found} <= {"ok", "note", "warning", "problem"}, found
assert [f["check"] for f in found if f["name"] == "none"] == ["command", "post_stop"], found
assert any(f["name"] is None and f["check"] == "kernel" for f in found), found' <<<"$output"
	run sctl doctor nothere
	equals "exit status" "$status" 4
	equals "starts of fine" "$(record fine starts)" 0
	sctl start fine
	is_state fine RUNNING
	sctl stop fine
	is_state fine STOPPED
}
