#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Dependencies as the operator meets them: what a start pulls, what a stop refuses, --force, groups, conflicts, reload,
# and what is said while one waits.  One daemon; each test has programs of its own names.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "100ms" restart_delay = "50ms" autostart = false }'
	sd_start
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# stack PREFIX [LINES]: PREFIX-db, PREFIX-app that requires it, PREFIX-web that requires app, PREFIX-other.
stack() {
	stanza "$1" <<-END
		program "$1-db" { command = "$SD/bin/stamp $SD/$1.stamps run 100" }
		program "$1-app" { command = "$SD/bin/stamp $SD/$1.stamps run 100" requires = {"$1-db"} }
		program "$1-web" { command = "$SD/bin/stamp $SD/$1.stamps run 100" requires = {"$1-app"} }
		program "$1-other" { command = "$SD/bin/stamp $SD/$1.stamps run" }
		${2:-}
	END
}

# "start NAME stop NAME …" of a file of stamps, from a line on.
stamps() {
	tail -n "+${2:-1}" "$SD/$1.stamps" 2>/dev/null | cut -d' ' -f1,2 | tr '\n' ' '
}

# states NAME...: of all, in a row.
states() {
	local name text=

	for name in "$@"; do
		text+="$(record "$name" state) "
	done
	echo "$text"
}

# In the background: sctl WORDS..., its output in FILE.
begin() {
	local file=$1

	shift
	sctl --timeout "${PATIENCE}s" "$@" >"$file" 2>&1 3>&- &
}

# ended_with STATUS: what begin() has begun.
ended_with() {
	local status=0

	wait $! || status=$?
	equals "exit status" "$status" "$1"
}

@test "start: what is required is started first, to the bottom" {
	stack up
	exits 0 sctl start up-web
	equals states "$(states up-db up-app up-web up-other)" "RUNNING RUNNING RUNNING STOPPED "
	equals order "$(stamps up)" "start up-db start up-app start up-web "
	file_has "$SD/own.log" "up-db: STOPPED -> STARTING: needed by up-web"
	matches "$output" '^up-web: started \(pid [0-9]+\)$'
}

@test "start: what is wanted is started too, and its failure does not matter" {
	stanza want <<-END
		program "want-good" { command = "$SD/bin/stamp $SD/want.stamps run" }
		program "want-bad" { command = "$SD/bin/stamp $SD/want.stamps exit 1" start_limit = 1 stable_after = "1h" }
		program "want-app" { command = "$SD/bin/stamp $SD/want.stamps run" wants = {"want-bad", "want-good"} }
	END
	exits 0 sctl start want-app
	equals states "$(states want-app want-good)" "RUNNING RUNNING "
	wait_state want-bad FATAL
}

@test "start: what is wanted and waits itself for what failed is not waited for" {
	stanza vain <<-END
		program "vain-root" { command = "$SD/vain.daemon $SD/vain.stamps run" start_limit = 1 }
		program "vain-mid" { command = "$SD/bin/stamp $SD/vain.stamps run" requires = {"vain-root"} }
		program "vain-far" { command = "$SD/bin/stamp $SD/vain.stamps run" requires = {"vain-mid"} }
		program "vain-app" { command = "$SD/bin/stamp $SD/vain.stamps run" wants = {"vain-far"} }
		program "vain-last" { command = "$SD/bin/stamp $SD/vain.stamps run" after = {"vain-far"} }
	END
	exits 0 sctl start vain-app
	wait_state vain-root FATAL
	exits 0 sctl start vain-last
	equals states "$(states vain-mid vain-far vain-app vain-last)" "WAITING WAITING RUNNING RUNNING "
	file_has "$SD/own.log" "vain-app: WAITING -> STARTING: goes on without vain-far, which it wants"

	exits 0 sctl stop vain-app vain-last
	# Stopped by hand is no better, and what has come back is there for all.
	exits 0 sctl stop vain-root
	exits 0 sctl start vain-app
	equals states "$(states vain-root vain-mid vain-app)" "STOPPED WAITING RUNNING "
	cp "$SD/bin/stamp" "$SD/vain.daemon"
	exits 0 sctl start vain-root
	wait_state vain-far RUNNING
	exits 0 sctl stop vain-app vain-far vain-mid vain-root
}

@test "start: a failed requirement is told at once, by its name and over others, and the start goes on" {
	stanza lost <<-END
		program "lost-db" { command = "$SD/lost.daemon $SD/lost.stamps run" start_limit = 1 }
		program "lost-app" { command = "$SD/bin/stamp $SD/lost.stamps run" requires = {"lost-db"} }
		program "lost-web" { command = "$SD/bin/stamp $SD/lost.stamps run" requires = {"lost-app"} }
	END
	exits 1 sctl start lost-app
	equals output "$output" "lost-app: WAITING: requires lost-db, which is FATAL"
	exits 1 sctl start lost-web
	equals output "$output" "lost-web: WAITING: requires lost-app, which requires lost-db, which is FATAL"
	exits 1 sctl restart lost-web
	matches "$output" "^lost-web: WAITING: requires lost-app, which requires lost-db"
	matches "$(record lost-web reason)" "waits for lost-app"

	cp "$SD/bin/stamp" "$SD/lost.daemon"
	exits 0 sctl start lost-db
	wait_state lost-web RUNNING
	equals states "$(states lost-db lost-app)" "RUNNING RUNNING "
	exits 0 sctl stop lost-db lost-app lost-web
}

@test "start: a oneshot that ended with success has been started, and one that failed has not" {
	stanza once <<-END
		program "once-good" { command = "$SD/bin/stamp $SD/once.stamps exit 0" type = "oneshot" }
		program "once-kept" { command = "$SD/bin/stamp $SD/once.stamps exit 0" type = "oneshot" remain = true }
		program "once-bad" { command = "$SD/bin/stamp $SD/once.stamps exit 3" type = "oneshot" restart = "never" }
		program "once-app" { command = "$SD/bin/stamp $SD/once.stamps run" requires = {"once-good", "once-kept"} }
		program "once-sad" { command = "$SD/bin/stamp $SD/once.stamps run" requires = {"once-bad"} }
	END
	exits 0 sctl start once-good
	equals output "$output" "once-good: started; it exited with status 0"
	exits 0 sctl start once-kept
	equals output "$output" "once-kept: completed"
	exits 0 sctl start once-kept
	equals output "$output" "once-kept: is completed already"
	exits 1 sctl start once-bad
	matches "$output" "^once-bad: EXITED: exited with status 3"
	exits 0 sctl start once-app
	equals "starts of once-good" "$(record once-good starts)" 1
	exits 1 sctl start once-sad
	equals output "$output" "once-sad: WAITING: requires once-bad, which is EXITED"
	exits 0 sctl stop once-sad once-app
}

@test "stop: refused when others that are up require it, and nothing at all is done" {
	stack held
	exits 0 sctl start held-web held-other
	exits 1 sctl stop held-other held-db
	equals output "$output" "superctl: held-db is required by held-app, held-web (stop them too with --force)"
	exits 1 sctl stop held-app
	equals output "$output" "superctl: held-app is required by held-web (stop it too with --force)"
	equals states "$(states held-db held-app held-web held-other)" "RUNNING RUNNING RUNNING RUNNING "
	equals stamps "$(stamps held 5)" ""
	exits 0 varlink io.superctl.Stop '{"names": ["held-db"]}'
	equals error "$(json_field error <<<"$output")" io.superctl.RequiredBy
	equals name "$(json_field parameters.name <<<"$output")" held-db
	equals by "$(json_field parameters.by <<<"$output")" '["held-app", "held-web"]'
}

@test "stop: not refused when those that require it are named too, or not up" {
	stack free
	exits 0 sctl start free-web
	wait_for "$PATIENCE" has_lines "$SD/free.stamps" 3
	exits 0 sctl stop free-web
	exits 1 sctl stop free-db
	exits 0 sctl stop free-db free-app
	equals order "$(stamps free 4)" "stop free-web stop free-app stop free-db "
}

@test "stop: what is stopped already may be stopped, though others wait for it" {
	stanza gone <<-END
		program "gone-db" { command = "$SD/bin/stamp $SD/gone.stamps exit 1" start_limit = 1 stable_after = "1h" }
		program "gone-app" { command = "$SD/bin/stamp $SD/gone.stamps run" requires = {"gone-db"} }
	END
	exits 1 sctl start gone-app
	wait_state gone-db FATAL
	exits 0 sctl stop gone-db
	equals output "$output" "gone-db: was not running"
	wait_state gone-app WAITING
	exits 0 sctl stop gone-app
	equals state "$(record gone-app state)" STOPPED
}

@test "stop --force: first what requires it, in order, and all are reported" {
	stack force
	exits 0 sctl start force-web
	wait_for "$PATIENCE" has_lines "$SD/force.stamps" 3
	exits 0 sctl stop --force force-db
	equals order "$(stamps force 4)" "stop force-web stop force-app stop force-db "
	equals results "$(sort <<<"$output")" \
		$'force-app: stopped with what it requires\nforce-db: stopped\nforce-web: stopped with what it requires'
	matches "$(record force-web reason)" "^stopped by uid $(id -u) with what it requires"
	equals reason "$(record force-db reason)" "stopped by uid $(id -u)"
	equals states "$(states force-db force-app force-web)" "STOPPED STOPPED STOPPED "
}

@test "apply: what is up starts what it requires by its new stanza, and waits for it" {
	stack late
	exits 0 sctl start late-other
	exits 0 sctl start late-app
	exits 0 sctl stop --force late-db
	sed -i '/late-other/s/run"/run" requires = {"late-app"}/' "$SD/conf.d/late.conf"
	exits 0 sctl apply
	matches "$output" 'late-app: start: needed by late-other'
	matches "$output" 'late-other: restart: requires late-app'
	equals states "$(states late-db late-app late-other)" "RUNNING RUNNING RUNNING "
	file_has "$SD/own.log" 'late-app: .*needed by late-other'
	equals starts "$(record late-other starts)" 2
	# Again there is nothing to be done.
	exits 0 sctl apply
	equals starts "$(record late-other starts)" 2
}

@test "restart: what requires it is stopped before and started after it, without force" {
	local db app

	stack again
	exits 0 sctl start again-web
	wait_for "$PATIENCE" has_lines "$SD/again.stamps" 3
	db=$(record again-db pid)
	app=$(record again-app pid)
	exits 0 sctl restart again-db
	matches "$output" '^again-db: restarted \(pid [0-9]+\)$'
	runs_anew again-db "$db"
	wait_state again-web RUNNING
	runs_anew again-app "$app"
	wait_for "$PATIENCE" has_lines "$SD/again.stamps" 9
	equals order "$(stamps again 4)" \
		"stop again-web stop again-app stop again-db start again-db start again-app start again-web "
}

@test "conflicts: the start of one side stops the other; refused when that is required, unless forced" {
	stanza clash <<-END
		program "clash-old" { command = "$SD/bin/stamp $SD/clash.stamps run 100" }
		program "clash-new" { command = "$SD/bin/stamp $SD/clash.stamps run 100" conflicts = {"clash-old"} }
		program "clash-app" { command = "$SD/bin/stamp $SD/clash.stamps run 100" requires = {"clash-old"} }
	END
	exits 0 sctl start clash-old
	wait_for "$PATIENCE" has_lines "$SD/clash.stamps" 1
	exits 0 sctl start clash-new
	wait_for "$PATIENCE" has_lines "$SD/clash.stamps" 3
	equals order "$(stamps clash)" "start clash-old stop clash-old start clash-new "
	matches "$(record clash-old reason)" "conflicts with clash-new"
	exits 0 sctl start clash-app
	equals states "$(states clash-new clash-old clash-app)" "STOPPED RUNNING RUNNING "

	exits 1 sctl start clash-new
	equals output "$output" \
		"superctl: clash-old would have to be stopped, and is required by clash-app (stop it too with --force)"
	exits 1 sctl restart clash-new
	equals states "$(states clash-new clash-old clash-app)" "STOPPED RUNNING RUNNING "
	wait_for "$PATIENCE" has_lines "$SD/clash.stamps" 6
	exits 0 sctl start --force clash-new
	wait_for "$PATIENCE" has_lines "$SD/clash.stamps" 9
	equals order "$(stamps clash 7)" "stop clash-app stop clash-old start clash-new "
	equals states "$(states clash-new clash-old clash-app)" "RUNNING STOPPED STOPPED "
}

@test "groups: a name in every command, with near misses, but in no glob" {
	stack team 'group "team" { members = {"team-app", "team-db"} }  group "teams" { members = {"team", "team-web"} }'
	exits 0 sctl start team
	equals states "$(states team-db team-app team-web)" "RUNNING RUNNING STOPPED "
	exits 0 sctl start teams
	equals state "$(record team-web state)" RUNNING
	exits 0 sctl status --json team
	equals records "$("$PYTHON" -ISc 'import json, sys; print(*[r["name"] for r in json.load(sys.stdin)])' <<<"$output")" \
		"team-app team-db"
	exits 0 sctl signal CONT team
	exits 1 sctl stop team
	equals output "$output" "superctl: team-app is required by team-web (stop it too with --force)"
	exits 0 sctl restart team
	wait_state team-web RUNNING
	exits 0 sctl stop teams
	equals states "$(states team-db team-app team-web)" "STOPPED STOPPED STOPPED "

	exits 4 sctl start tema
	equals output "$output" "superctl: tema: no such program: did you mean team?"
	exits 4 sctl start 'tea?'
	exits 0 sctl logs team
	equals output "$output" ""
	exits 4 sctl logs tema
	matches "$output" "^superctl: tema: no such program"
}

@test "waiting: a stop names what is left, and a start whom it waits for; so does the timeout" {
	local pid

	stanza slow <<-END
		program "slow-db" { command = "$SD/bin/stamp $SD/slow.stamps run" ready = "file:$SD/slow.ready" }
		program "slow-app" { command = "$SD/bin/stamp $SD/slow.stamps run" requires = {"slow-db"} }
		program "slow-end" { command = "$SD/bin/stamp $SD/slow.end run 3000" stop_timeout = "30s" }
	END
	exits 0 sctl start slow-end
	pid=$(record slow-end pid)
	exits 0 sctl stop slow-end
	matches "$output" "^slow-end: still there: stamp \($pid\), KILL in [0-9]+ s"$'\n'"slow-end: stopped\$"

	begin "$SD/slow.out" start slow-app
	wait_for "$PATIENCE" file_has "$SD/slow.out" "^slow-app: WAITING: .*waits for slow-db"
	touch "$SD/slow.ready"
	ended_with 0
	matches "$(cat "$SD/slow.out")" 'slow-app: started \(pid [0-9]+\)$'

	exits 0 sctl start slow-end
	pid=$(record slow-end pid)
	exits 1 sctl stop --timeout 200ms slow-end
	equals output "$output" \
		"slow-end: not there yet, still there: stamp ($pid): the timeout is over, the command goes on"
	wait_state slow-end STOPPED
}

@test "waiting: nothing is sent to a client that takes one reply only" {
	stanza quiet <<-END
		program "quiet" { command = "$SD/bin/stamp $SD/quiet.stamps run 2500" stop_timeout = "30s" }
	END
	exits 0 sctl start quiet
	exits 0 varlink io.superctl.Stop '{"names": ["quiet"]}'
	equals ok "$(json_field parameters.results 0 ok <<<"$output")" true
	equals waiting "$(json_field parameters <<<"$output" | grep -c waiting || true)" 0
}

@test "waiting: a start that another command takes back has failed" {
	stanza back <<-END
		program "back-db" { command = "$SD/bin/stamp $SD/back.stamps run" ready = "file:$SD/back.ready" }
		program "back-app" { command = "$SD/bin/stamp $SD/back.stamps run" requires = {"back-db"} }
	END
	begin "$SD/back.out" start back-app
	wait_state back-app WAITING
	exits 0 sctl stop back-app
	ended_with 1
	matches "$(cat "$SD/back.out")" "back-app: superseded: stopped by uid"
	exits 0 sctl stop back-db
}

@test "waiting: who waits for what another command takes back is told at once" {
	local restart stop pid status=0

	stanza taken <<-END
		program "taken-db" { command = "$SD/bin/stamp $SD/taken.stamps run" }
		program "taken-app" {
			command = "$SD/bin/stamp $SD/taken.stamps run"
			requires = {"taken-db"}
			pre_stop = {"/bin/sh", "-c", "until [ -e $SD/taken.go ]; do sleep 0.05; done"}
			hook_timeout = "1h"
		}
	END
	exits 0 sctl start taken-app
	pid=$(record taken-db pid)
	begin "$SD/taken.restart" restart taken-db
	restart=$!
	wait_state taken-app STOPPING

	# Nothing has stopped so far, and nothing of the first command comes about any more.
	begin "$SD/taken.stop" stop --force taken-db
	stop=$!
	wait "$restart" || status=$?
	equals "exit status of restart" "$status" 1
	matches "$(last_line "$SD/taken.restart")" "^taken-db: superseded: stopped by uid"
	status=0
	exits 0 sctl start --no-wait taken-app
	wait "$stop" || status=$?
	equals "exit status of stop" "$status" 1
	file_has "$SD/taken.stop" "^taken-db: superseded: needed by taken-app"
	file_has "$SD/taken.stop" "^taken-app: superseded: started by uid"

	touch "$SD/taken.go"
	wait_state taken-app RUNNING
	equals pid "$(record taken-db pid)" "$pid"
	exits 0 sctl stop taken-app taken-db
}

# A program that waits for a file before it is ready again; HUP makes it reload.
reloader() {
	cat >"$SD/reloader" <<-END
		#!$PYTHON -IS
		import os, signal, socket, sys, time
		signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGTERM})
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.connect(os.environ["NOTIFY_SOCKET"])
		s.send(b"READY=1\nSTATUS=at work")
		while signal.sigwait({signal.SIGHUP, signal.SIGTERM}) == signal.SIGHUP:
		    if sys.argv[1] == "silent":
		        continue
		    s.send(b"RELOADING=1\nMONOTONIC_USEC=%d\nSTATUS=reading" % (time.monotonic_ns() // 1000))
		    while not os.path.exists(sys.argv[1]):
		        time.sleep(0.01)
		    s.send(b"READY=1\nSTATUS=new work")
	END
	chmod 755 "$SD/reloader"
}

@test "reload: by signal, until the program says that it is ready again" {
	local pid

	reloader
	stanza tell <<-END
		program "tell" { command = "$SD/reloader $SD/tell.go" ready = "notify" reload_signal = "HUP" }
	END
	exits 0 sctl start tell
	wait_for "$PATIENCE" has tell status_text "at work"
	pid=$(record tell pid)
	begin "$SD/tell.out" reload tell
	wait_for "$PATIENCE" has tell reloading true
	matches "$(sctl status tell)" "reloading; .*says: reading"
	equals state "$(record tell state)" RUNNING
	exits 1 sctl reload tell
	equals output "$output" "tell: is reloading already"
	run ! file_has "$SD/tell.out" "tell: reloaded"
	touch "$SD/tell.go"
	ended_with 0
	equals result "$(last_line "$SD/tell.out")" "tell: reloaded"
	wait_for "$PATIENCE" has tell status_text "new work"
	equals reloading "$(record tell reloading)" false
	equals pid "$(record tell pid)" "$pid"
	exits 0 sctl stop tell
	equals status_text "$(record tell status_text)" ""
}

@test "reload: by signal, of a program that says nothing" {
	reloader
	stanza mute <<-END
		program "mute" { command = "$SD/reloader silent" ready = "notify" reload_signal = "HUP" }
		program "deaf" { command = "$SD/bin/stamp $SD/deaf.stamps run" reload_signal = "CONT" }
	END
	exits 0 sctl start mute deaf
	exits 0 sctl reload mute
	equals output "$output" "mute: told to reload"
	exits 0 sctl reload deaf
	equals output "$output" "deaf: told to reload"
	exits 0 sctl reload --no-wait mute deaf
}

@test "reload: by command, with its end in words" {
	stanza order <<-END
		program "good" { command = "$SD/bin/stamp $SD/good.stamps run" reload_command = "$SD/bin/stamp $SD/good.reload exit 0" }
		program "bad" { command = "$SD/bin/stamp $SD/bad.stamps run" reload_command = "$SD/bin/stamp $SD/bad.reload exit 3" }
		program "none" { command = "$SD/bin/stamp $SD/none.stamps run" reload_command = "$SD/nonexistent" }
		program "late" {
			command = "$SD/bin/stamp $SD/late.stamps run"
			reload_command = "$SD/bin/stamp $SD/late.reload run"
			hook_timeout = "200ms"
		}
		group "four" { members = {"good", "bad", "none", "late"} }
	END
	exits 0 sctl start four
	exits 0 sctl reload good
	equals output "$output" "good: reloaded"
	equals runs "$(count_lines "$SD/good.reload")" 1
	exits 1 sctl reload bad
	equals output "$output" "bad: reload_command exited with status 3"
	exits 1 sctl reload none
	matches "$output" "^none: reload_command: No such file or directory"
	exits 1 sctl reload late
	equals output "$output" "late: reload_command took too long"
	equals states "$(states good bad none late)" "RUNNING RUNNING RUNNING RUNNING "
	exits 0 sctl stop four
}

@test "reload: 7 when it does not run, 1 when its stanza does not say how, and when it dies of it" {
	stanza cannot <<-END
		program "cannot" { command = "$SD/bin/stamp $SD/cannot.stamps run" }
		program "dies" {
			command = "$SD/bin/stamp $SD/dies.stamps run"
			reload_command = "/bin/sleep 30"
			restart = "never"
		}
	END
	exits 7 sctl reload cannot
	equals output "$output" "cannot: is not running"
	exits 0 sctl start cannot dies
	exits 1 sctl reload cannot
	matches "$output" "^cannot: cannot reload: its stanza has neither reload_signal nor reload_command"
	begin "$SD/dies.out" reload dies
	wait_for "$PATIENCE" has dies reloading true
	kill_program dies
	ended_with 1
	matches "$(last_line "$SD/dies.out")" "^dies: EXITED: was killed by signal KILL"
}

@test "tracking: status and version say which, and why not by cgroup" {
	matches "$(version_field tracking)" '^(cgroup|session)$'
	exits 0 sctl start up-other
	equals tracking "$(record up-other tracking)" "$(version_field tracking)"
	exits 0 sctl status -l up-other
	matches "$output" "Tracked by: $(version_field tracking)"

	sd_new
	SUPERVISORD_NO_CGROUP=1 sd_start
	equals tracking "$(version_field tracking)" session
	matches "$(version_field tracking_reason)" .
	exits 0 sctl version
	matches "$output" "processes are tracked by session: ."
	sd_down
}

@test "graph: a tree below what nobody depends on, marked where something is not there; or for dot" {
	stack gr 'program "gr-old" { command = "/bin/sleep 1000" conflicts = {"gr-web"} }
		program "gr-net" { command = "/bin/sleep 1000" before = {"gr-db"} }
		program "gr-log" { command = "/bin/sleep 1000" wants = {"gr-db:started", "gr-app"} }'
	sctl apply
	LC_ALL=C run sctl graph 'gr-*'
	equals "the trees" "$output" "$(cat <<-'END'
		gr-log  STOPPED
		|- wants gr-db:started  STOPPED
		|  `- after gr-net  STOPPED
		`- wants gr-app  STOPPED
		   `- requires gr-db  STOPPED, see above
		gr-old  STOPPED
		`- conflicts gr-web  STOPPED
		gr-other  STOPPED
		gr-web  STOPPED
		|- requires gr-app  STOPPED, see above
		`- conflicts gr-old  STOPPED
	END
	)"
	stanza gr-late <<-END
		program "gr-late" { command = "/bin/sleep 1000" requires = {"gr-slow", "gr-app"} }
		program "gr-slow" { command = "/bin/sleep 1000" ready = "file:$SD/never" }
	END
	sctl apply
	sctl start --no-wait gr-late
	wait_for "$PATIENCE" is_state gr-app RUNNING
	LC_ALL=C run sctl graph gr-late
	equals "what is waited for" "$output" "$(cat <<-'END'
		gr-late  WAITING
		|- requires gr-slow  STARTING, waited for
		`- requires gr-app  RUNNING
		   `- requires gr-db  RUNNING
		      `- after gr-net  STOPPED
	END
	)"
	LC_ALL=C.UTF-8 run sctl graph gr-app
	[[ $output == *"└─ requires gr-db  RUNNING"*"   └─ after gr-net"* ]]
	run sctl graph --dot 'gr-*'
	[[ $output == "digraph supervisord {"*"}" ]]
	[[ $output == *'"gr-web" -> "gr-app" [label="requires"];'* ]]
	[[ $output == *'"gr-db" -> "gr-net" [label="after", style=dotted];'* ]]
	[[ $output == *'"gr-log" -> "gr-db" [label="started", style=dashed];'* ]]
	equals "lines for the conflict" "$(grep -c 'dir=none' <<<"$output")" 1
	stanza gr-spare <<-END
		program "gr-main" { command = "/bin/sleep 1000" on_failure = "start:gr-spares" requires = {"gr-db"} }
		program "gr-spare" { command = "/bin/sleep 1000" wants = {"gr-other"} }
		group "gr-spares" { members = {"gr-spare", "gr-old"} }
	END
	sctl apply
	LC_ALL=C run sctl graph gr-main gr-spare
	equals "who is started on failure" "$output" "$(cat <<-'END'
		gr-main  STOPPED
		|- requires gr-db  RUNNING
		|  `- after gr-net  STOPPED
		|- on_failure gr-old
		`- on_failure gr-spare  STOPPED
		gr-spare  STOPPED
		`- wants gr-other  STOPPED
	END
	)"
	run sctl graph --dot gr-main
	[[ $output == *'"gr-main" -> "gr-spare" [label="on_failure", style=dotted, color=orange, constraint=false];'* ]]
	run sctl graph --dot 'gr-*'
	run sctl graph --json gr-web
	equals "as JSON" "$("$PYTHON" -c 'import json, sys
print(*sorted((n["name"], n["asked_for"], len(n["links"])) for n in json.load(sys.stdin)))' <<<"$output")" \
		"('gr-app', False, 1) ('gr-db', False, 1) ('gr-net', False, 0) ('gr-web', True, 2)"
	run sctl graph nothere
	equals "exit status" "$status" 4
}
