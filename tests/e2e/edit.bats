#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# superctl edit: a stanza in an editor, checked, put in place and applied.  The editors are scripts: what they do is sed.

load lib.bash

setup_file() {
	export SUPERCTL PYTHONPATH=$BATS_TEST_DIRNAME PYTHONDONTWRITEBYTECODE=1 NO_COLOR=1
	sd_new 'defaults { stable_after = "20ms" restart_delay = "20ms" }' \
		"$([ "$(id -u)" -ne 0 ] || echo 'control { group = 65534 allow = {"group:65534 config *"} }')"
	sd_start
}

teardown_file() {
	sd_down_all
}

setup() {
	unset VISUAL EDITOR
	stanza web <<-END
		# first line
		program "web" { command = "/bin/sleep 1000"
		    environment = {"A=1"}
		}
		program "other" { command = "/bin/sleep 1000" }
	END
	wait_state web RUNNING
}

teardown() {
	sd_tell_failure
}

# editor SCRIPT…: an editor that runs sed with this script, on the file that is its last word, and notes its words.
editor() {
	cat >"$SD/bin/editor" <<-END
		#!/bin/sh
		printf '%s\n' "\$@" >$SD/editor.words
		for file; do :; done
		cp "\$file" $SD/edited
		sed -i -e '$1' "\$file"
		${2:-}
	END
	chmod 755 "$SD/bin/editor"
	export EDITOR=$SD/bin/editor
}

# No copy is left beside the files.
nothing_left() {
	equals "files of conf.d" "$(find "$SD/conf.d" -name '.*' -type f)" ""
}

@test "what is good takes the place of the file, with its owner and mode, and is applied" {
	local inode

	mkdir -p "$SD/real"
	mv "$SD/conf.d/web.conf" "$SD/real/web.conf"
	ln -s ../real/web.conf "$SD/conf.d/web.conf"
	chmod 640 "$SD/real/web.conf"
	[ "$(id -u)" -ne 0 ] || chown 1:1 "$SD/real/web.conf"
	inode=$(stat -c %i "$SD/real/web.conf")
	editor 's/A=1/A=2/'
	run sctl edit --yes web </dev/null
	equals "exit status" "$status" 0
	[[ $output == *"web: restart: environment changed"* ]]
	[ -L "$SD/conf.d/web.conf" ]
	grep -q A=2 "$SD/real/web.conf"
	equals "mode" "$(stat -c %a "$SD/real/web.conf")" 640
	[ "$(id -u)" -ne 0 ] || equals "owner" "$(stat -c %u:%g "$SD/real/web.conf")" 1:1
	[ "$(stat -c %i "$SD/real/web.conf")" != "$inode" ]
	nothing_left
	equals "files" "$(find "$SD/real" -type f | wc -l)" 1
	tr '\0' '\n' <"/proc/$(host_pid "$(record web pid)")/environ" | grep -qx A=2
	rm "$SD/conf.d/web.conf"
}

@test "the editor begins at the stanza, of those that know how; VISUAL comes first, and may have words" {
	local inode

	editor ''
	cp "$SD/bin/editor" "$SD/bin/vim"
	inode=$(stat -c %i "$SD/conf.d/web.conf")
	EDITOR=/nonexistent VISUAL="$SD/bin/vim -c 'set nu'" run sctl edit --yes web </dev/null
	equals "exit status" "$status" 0
	[[ $output == *"web.conf: nothing was changed"* ]]
	matches "$(tr '\n' '|' <"$SD/editor.words")" '^-c\|set nu\|\+2\|.*/conf.d/\.web\.conf\.edit-[^|]*\|$'
	cmp "$SD/edited" "$SD/conf.d/web.conf"
	equals "inode" "$(stat -c %i "$SD/conf.d/web.conf")" "$inode"
	nothing_left
	editor 's/A=1/A=3/' 'exit 3'
	run sctl edit --yes web </dev/null
	equals "exit status" "$status" 1
	[[ $output == *"editor ended with status 3"* ]]
	grep -q A=1 "$SD/conf.d/web.conf"
	nothing_left
	PATH=/nonexistent run "$SUPERCTL" -s "$SD/run/control.sock" edit --yes web </dev/null
	unset EDITOR
	PATH=/nonexistent run "$SUPERCTL" -s "$SD/run/control.sock" edit --yes web </dev/null
	equals "exit status" "$status" 1
	[[ $output == *"there is no editor: VISUAL or EDITOR"* ]]
}

@test "what is bad is told with the lines of the file, and never becomes it" {
	editor 's/A=1/A/; s/^program "other"/progam "other"/'
	run sctl edit --yes web </dev/null
	equals "exit status" "$status" 1
	[[ $output == *"/conf.d/web.conf:3: environment: "* ]]
	[[ $output == *"/conf.d/web.conf:5: "* ]]
	[[ $output == *"thrown away"* ]]
	grep -q '"A=1"' "$SD/conf.d/web.conf"
	nothing_left
	# With all the other files: a name that another one has.
	stanza more <<-END
		program "more" { command = "/bin/sleep 1000" }
	END
	editor 's/"other"/"more"/'
	run sctl edit --yes web </dev/null
	equals "exit status" "$status" 1
	[[ $output == *"/conf.d/web.conf:5: "*more* ]]
	rm "$SD/conf.d/more.conf"
}

@test "a file that somebody else changes meanwhile is left alone, and nothing that was typed is lost" {
	editor 's/A=1/A=4/' "echo '# theirs' >>$SD/conf.d/web.conf"
	run sctl edit --yes web </dev/null
	equals "exit status" "$status" 1
	[[ $output == *"somebody else has changed it meanwhile"*"what you wrote is in $SD/conf.d/.web.conf.edit-"* ]]
	grep -q '# theirs' "$SD/conf.d/web.conf"
	grep -q A=1 "$SD/conf.d/web.conf"
	grep -q A=4 "$SD"/conf.d/.web.conf.edit-*
	rm "$SD"/conf.d/.web.conf.edit-*
}

@test "a program that is not there gets a file of its own" {
	editor 's|command = ""|command = "/bin/sleep 1000"|'
	run sctl edit --yes fresh </dev/null
	equals "exit status" "$status" 0
	[[ $output == *"fresh: no such program"*"fresh: start: new stanza"* ]]
	equals "mode" "$(stat -c %a "$SD/conf.d/fresh.conf")" 644
	is_state fresh RUNNING
	nothing_left
	editor ''
	run sctl edit --yes empty </dev/null
	equals "exit status" "$status" 0
	[[ $output == *"nothing was changed"* ]]
	[ ! -e "$SD/conf.d/empty.conf" ]
	run sctl edit --yes 'bad/name' </dev/null
	equals "exit status" "$status" 4
	run sctl edit --yes all </dev/null
	equals "exit status" "$status" 2
	[[ $output == *"is not one program"* ]]
	rm "$SD/conf.d/fresh.conf"
}

@test "without a terminal and --yes, and without the right to write, it does not begin" {
	editor 's/A=1/A=5/'
	run sctl edit web </dev/null
	equals "exit status" "$status" 2
	[[ $output == *"no terminal to ask on: --yes"* ]]
	if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then
		skip "needs another user"
	fi
	cp "$SUPERCTL" "$SD/superctl"
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$SD/superctl" -s "$SD/run/control.sock" edit --yes web </dev/null
	equals "exit status" "$status" 5
	[[ $output == *"/conf.d/web.conf: Permission denied: only who may write it can edit it"* ]]
	grep -q A=1 "$SD/conf.d/web.conf"
}

@test "at a terminal it asks: again, thrown away, kept; and before it applies" {
	editor 's/A=1/A/'
	"$PYTHON" - <<-'END'
		import os
		from person import *
		sd = os.environ["SD"]
		command = [os.environ["SUPERCTL"], "-s", sd + "/run/control.sock", "edit"]
		def editor(script):
		    path = os.environ["EDITOR"] = sd + "/bin/sed-it"
		    with open(path, "w") as file:
		        file.write(f"#!/bin/sh\nsed -i -e '{script}' \"$1\"\n")
		    os.chmod(path, 0o755)
		def conf():
		    with open(sd + "/conf.d/web.conf") as file:
		        return file.read()
		def begin(script, name="web"):
		    editor(script)
		    return Terminal(*command, name)
		# Bad, again, good; and not applied.
		t = begin("s/A=1/A/")
		t.until(b"web.conf:3: environment: ", b"(k)eep it anyway? [E/t/k] ")
		editor("s/\"A\"/\"A=7\"/")
		t.type(b"e\r")
		t.until(b"web: restart: environment changed", b"apply that? [Y/n] ")
		t.type(b"x\r")
		t.until(b"one of these letters is needed", b"apply that? [Y/n] ")
		t.type(b"n\r")
		t.until(b"not applied: superctl apply web does it")
		t.end(0)
		assert "A=7" in conf()
		# Thrown away.
		t = begin("s/A=7/A/")
		t.until(b"[E/t/k] ")
		t.type(b"t\r")
		t.until(b"thrown away")
		t.end(1)
		assert "A=7" in conf()
		# The end of the input is no yes.
		t = begin("s/A=7/A/")
		t.until(b"[E/t/k] ")
		t.type(b"\x04")
		t.end(1)
		assert "A=7" in conf()
		# Nor is Ctrl-C, and what was written is not lost, and not left behind unsaid.
		t = begin("s/A=7/A/")
		t.until(b"[E/t/k] ")
		t.type(b"\x03")
		t.until(b"what you wrote is in " + sd.encode() + b"/conf.d/.web.conf.edit-")
		t.end(1)
		assert "A=7" in conf()
		# Kept.
		t = begin("s/A=7/A/")
		t.until(b"[E/t/k] ")
		t.type(b"k\r")
		t.until(b"kept with its errors")
		t.end(1)
		assert '"A"' in conf()
		# Mended, and applied.
		t = begin("s/\"A\"/\"A=8\"/")
		t.until(b"apply that? [Y/n] ")
		t.type(b"\r")
		t.until(b"web: restarted")
		t.end(0)
		# A new one is made when one says so.
		t = begin("s|X|X|", "webb")
		t.until(b"did you mean web?", b"webb.conf? [N/y] ")
		t.type(b"\r")
		t.end(4)
		t = begin("s|command = \"\"|command = \"cat\" stdin = \"pipe\"|", "webb")
		t.until(b"webb.conf? [N/y] ")
		t.type(b"y\r")
		t.until(b"webb: start: new stanza", b"apply that? [Y/n] ")
		t.type(b"y\r")
		t.until(b"webb: started")
		t.end(0)
	END
	rm "$SD/conf.d/webb.conf"
}

@test "on another machine the editor runs there, at this terminal" {
	printf '#!/bin/sh\nprintf "%%s\\n" "$@" >%s/ssh.words\nexit 7\n' "$SD" >"$SD/bin/ssh"
	chmod 755 "$SD/bin/ssh"
	SUPERCTL_SSH=$SD/bin/ssh run "$SUPERCTL" -H host -s "/a b" edit --yes "it's" </dev/null
	equals "exit status" "$status" 7
	equals "words" "$(tr '\n' '|' <"$SD/ssh.words")" "--|host|superctl -s '/a b' edit --yes -- 'it'\\''s'|"
	SUPERCTL_SSH=$SD/bin/ssh run "$SUPERCTL" -H one,two edit --yes web </dev/null
	[[ $output == *"one host at a time"* ]]
}
