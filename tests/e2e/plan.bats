# SPDX-License-Identifier: ISC
# What an apply would do, applies of parts, and where files, applied configuration and runs differ.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" }'
	sd_start
}

teardown_file() {
	sd_down_all
}

# Every test begins with these three, running and applied.
setup() {
	rm -f "$SD"/conf.d/*.conf
	three_programs >"$SD/conf.d/three.conf"
	exits 0 sctl apply
	exits 0 sctl start all
}

teardown() {
	sd_tell_failure
}

# db, web that requires it, and other: three_programs [PROGRAM LINE], the line in place of its command.
three_programs() {
	local name line

	for name in db web other; do
		line="command = \"$SD/bin/stamp $SD/$name.stamps run\""
		[ "$name" != "${1:-}" ] || line=$2
		echo "program \"$name\" { $line"
		[ "$name" != web ] || echo '	requires = {"db"}'
		echo '}'
	done
}

change_web() {
	three_programs web "command = \"$SD/bin/stamp $SD/web.stamps run $1\"" >"$SD/conf.d/three.conf"
}

command_line() {
	tr '\0' ' ' <"/proc/$(record "$1" pid)/cmdline"
}

@test "plan: nothing to do is said, with exit code 0" {
	exits 0 sctl plan
	equals output "$output" "nothing to do"
	exits 0 sctl plan --json
	equals json "$output" "[]"
}

@test "plan: says each step in order with its reason and the values, and does nothing" {
	local db

	db=$(record db pid)
	{
		three_programs db "command = \"$SD/bin/stamp $SD/db.stamps run anew\"
			log_max_size = 1MB" | sed '/program "other"/,$d'
		echo "program \"added\" { command = \"$SD/bin/stamp $SD/added.stamps run\" }"
	} >"$SD/conf.d/three.conf"
	exits 2 sctl plan
	equals output "$output" "other: stop: its stanza is gone
other: remove: its stanza is gone
added: start: new stanza
  + command = {\"$SD/bin/stamp\", \"$SD/added.stamps\", \"run\"}
  + stable_after = 50ms
db: restart: command changed, log_max_size changed
  - command = {\"$SD/bin/stamp\", \"$SD/db.stamps\", \"run\"}
  + command = {\"$SD/bin/stamp\", \"$SD/db.stamps\", \"run\", \"anew\"}
  - log_max_size = 10MB
  + log_max_size = 1MB
web: restart: requires db"
	exits 2 sctl plan --json
	equals class "$(json_field 3 changes 0 class <<<"$output")" restart
	equals new "$(json_field 3 changes 1 new <<<"$output")" 1MB
	equals other "$(json_field 4 other <<<"$output")" db
	equals follows "$(json_field 4 follows <<<"$output")" true
	equals pid "$(record db pid)" "$db"
	equals state "$(record other state)" RUNNING
	exits 0 sctl apply
	exits 0 sctl plan
}

@test "plan: a bad file is told with all its errors and exit code 1, as are bad arguments" {
	printf 'program "a" { comand = x }\nprogram "b" { command = y restart = maybe }\n' >"$SD/conf.d/bad.conf"
	exits 1 sctl plan
	matches "$output" 'bad.conf:1: comand: unknown key'
	matches "$output" 'bad.conf:2: restart: '
	exits 1 sctl plan web
	exits 1 sctl plan --nothing
	exits 1 sctl plan --force
	rm "$SD/conf.d/bad.conf"
	exits 4 sctl plan wbe
	matches "$output" 'did you mean web'
}

@test "apply NAME: takes these stanzas only, and a new engine knows the mixture" {
	local other pid

	{
		three_programs web "command = \"$SD/bin/stamp $SD/web.stamps run new\""
		echo 'group "pair" { members = {"web", "late"} }'
		echo "program \"late\" { command = \"$SD/bin/stamp $SD/late.stamps run\" }"
	} | sed '/"other"/s/ run"/ run new"/' >"$SD/conf.d/three.conf"
	other=$(record other pid)
	exits 2 sctl plan web
	matches "$output" 'web: restart: command changed'
	[[ $output != *"other:"* ]]
	matches "$output" 'also changed in the files, not applied: groups changed, program other, program late'
	exits 0 sctl apply web
	matches "$output" 'not applied: groups changed, program other, program late'
	matches "$(command_line web)" ' run new'
	equals other "$(record other pid)" "$other"
	exits 4 sctl status late
	exits 0 sctl plan web
	exits 2 sctl plan

	pid=$(record web pid)
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	equals web "$(record web pid)" "$pid"
	equals other "$(record other pid)" "$other"
	exits 0 sctl plan web
	exits 2 sctl plan
	matches "$output" 'other: restart: command changed'

	# The members of a group, also of one that is new.
	exits 0 sctl apply pair
	wait_state late RUNNING
	equals other "$(record other pid)" "$other"
	exits 0 sctl apply
	exits 0 sctl plan
	[ "$(record other pid)" != "$other" ]
}

@test "apply NAME: a new socket that it uses comes with it, one that changed does not, and that is said" {
	cat >"$SD/conf.d/sockets.conf" <<-END
		socket "http" { listen = "unix:$SD/http.sock" }
		socket "other-new" { listen = "unix:$SD/other.sock" }
		program "served" {
			command = "sleep inf"
			sockets = {"http"}
		}
	END
	exits 0 sctl apply served
	matches "$output" 'socket http: open: new stanza'
	matches "$output" 'not applied: socket other-new'
	wait_state served RUNNING
	[ -S "$SD/http.sock" ]
	[ ! -e "$SD/other.sock" ]
	# The first one is applied now: what the files say of it later is not served's alone.
	sed -i 's/http.sock/http2.sock/; s/"sleep inf"/"sleep 1000"/' "$SD/conf.d/sockets.conf"
	exits 0 sctl apply served
	matches "$output" 'served: restart: command changed'
	matches "$output" 'not applied: socket http, socket other-new, program served'
	[ -S "$SD/http.sock" ]
	exits 0 sctl plan --json served
	matches "$output" '\[\]'
	exits 0 sctl apply
	[ -S "$SD/http2.sock" ]
	rm "$SD/conf.d/sockets.conf"
	exits 0 sctl apply
}

@test "apply NAME: one whose stanza is gone is removed, one that needs what is not applied is refused" {
	sed -i '/"other"/,$d' "$SD/conf.d/three.conf"
	cat >>"$SD/conf.d/three.conf" <<-END
		program "late" { command = "$SD/bin/stamp $SD/late.stamps run" }
		program "user" {
			command = "$SD/bin/stamp $SD/user.stamps run"
			requires = {"late"}
		}
	END
	exits 1 sctl apply user other
	matches "$output" "three.conf:[0-9]+: requires: .*'late'"
	equals state "$(record other state)" RUNNING
	exits 4 sctl status user
	exits 0 sctl apply other
	wait_for "$PATIENCE" exits 4 sctl status other
	exits 0 sctl apply user late
	wait_state user RUNNING
	exits 0 sctl plan
}

@test "status: says that files differ from what is applied, and of which programs" {
	equals quiet "$(status_notes)" ""
	change_web new
	equals notes "$(status_notes)" "superctl: files differ from what is applied (web): superctl plan shows how"
	equals one "$(status_notes db)" ""
	equals field "$(record web files_differ)" true
	equals field "$(record db files_differ)" false
	change_web ''
	three_programs >"$SD/conf.d/three.conf"
	equals quiet "$(status_notes)" ""
	echo 'nonsense' >"$SD/conf.d/bad.conf"
	matches "$(status_notes)" 'have 1 error: superctl check shows it'
	rm "$SD/conf.d/bad.conf"
	equals quiet "$(status_notes)" ""
	# Also of an engine that has not read them.
	change_web newer
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	matches "$(status_notes)" 'differ from what is applied \(web\)'
	exits 0 sctl apply
	equals quiet "$(status_notes)" ""
}

@test "status: names the keys that a run does not have yet" {
	three_programs other "command = \"$SD/bin/stamp $SD/other.stamps run\" watchdog = \"1h\" log_keep = 3" >"$SD/conf.d/three.conf"
	exits 0 sctl apply
	matches "$(status_notes)" 'other: runs with an older watchdog: takes effect at its next start'
	equals pending "$(record other pending)" '["watchdog"]'
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	equals pending "$(record other pending)" '["watchdog"]'
	exits 0 sctl restart other
	equals pending "$(record other pending)" '[]'
	equals quiet "$(status_notes)" ""
}

@test "restart: says that it took what is applied when the files differ" {
	change_web new
	status_notes >/dev/null # so they have been read
	exits 0 sctl restart web other
	matches "$output" 'superctl: web: as it is applied; the files differ: superctl plan shows how, superctl apply does it'
	[[ $(command_line web) != *new* ]]
	exits 0 sctl apply
	exits 0 sctl restart web
	[[ $output != *differ* ]]
}

@test "status: files that take long to be read hold nobody up" {
	{
		for i in $(seq 300); do
			echo "program \"many$i\" { command = \"sleep inf\" autostart = false }"
		done
	} >"$SD/conf.d/many.conf"
	exits 0 sctl apply
	cat >"$BATS_TEST_TMPDIR/stop_looker.py" <<-'END'
		# Change a file, ask for the status, and stop the process that reads the files meanwhile, as often as it
		# takes to catch it.  Prints its pid and what the reply says.
		import json, os, signal, socket, sys

		path, guardian, file = sys.argv[1:]

		def looker():
		    with open("/proc/%s/task/%s/children" % (guardian, guardian)) as children:
		        for pid in children.read().split():
		            try:
		                with open("/proc/%s/cmdline" % pid, "rb") as words:
		                    if b"--drift" in words.read():
		                        return int(pid)
		            except OSError:
		                pass

		def reply(s):
		    block = b""
		    while not block.endswith(b"\0"):
		        block += s.recv(1 << 20)
		    return json.loads(block[:-1])

		for attempt in range(200):
		    with open(file, "a") as conf:
		        conf.write("# %d\n" % attempt)
		    s = socket.socket(socket.AF_UNIX)
		    s.connect(path)
		    s.settimeout(60)
		    s.sendall(b'{"method":"io.superctl.Status","parameters":{"names":["many1"]}}\0')
		    s.setblocking(False)
		    pid = None
		    while pid is None:
		        pid = looker()
		        try:
		            if s.recv(1, socket.MSG_PEEK):
		                break
		        except BlockingIOError:
		            pass
		    s.setblocking(True)
		    if pid is None:
		        reply(s)
		        continue
		    try:
		        os.kill(pid, signal.SIGSTOP)
		    except ProcessLookupError:
		        pass
		    said = reply(s)["parameters"]
		    if said["files_checking"]:
		        print(pid, said["files_changed"])
		        sys.exit(0)
		sys.exit(1)
	END
	exits 0 "$PYTHON" -IS "$BATS_TEST_TMPDIR/stop_looker.py" "$SD/run/control.sock" "$(guardian)" "$SD/conf.d/many.conf"
	looker=${output%% *}
	equals changed "${output#* }" False
	# Others are served, and who asks again is told the same.
	exits 0 sctl start many2
	exits any sctl status many2
	matches "$output" "are being read"
	echo 'program "many301" { command = "sleep inf" autostart = false }' >>"$SD/conf.d/many.conf"
	kill -CONT "$looker"
	wait_for "$PATIENCE" says_changed
	rm "$SD/conf.d/many.conf"
	exits 0 sctl apply
}

says_changed() {
	varlink io.superctl.Status '{"names":["many1"]}' >"$SD/status"
	[ "$(json_field parameters files_changed <"$SD/status")" = true ] &&
		[ "$(json_field parameters files_checking <"$SD/status")" = false ]
}
