# SPDX-License-Identifier: ISC
# apply and SIGHUP: what differs is done and nothing else; a bad file changes nothing.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "100ms" }'
	five_programs >"$SD/conf.d/five.conf"
	sd_start
}

teardown_file() {
	sd_down_all
}

setup() {
	# Every test starts from the five, running.
	find "$SD/conf.d" -type f ! -name five.conf -delete
	five_programs >"$SD/conf.d/five.conf"
	exits 0 sctl apply
	exits 0 sctl start all
	BEFORE=$(pids)
}

teardown() {
	sd_tell_failure
}

# p1 … p5; the words after the number of one are added to its stanza: five_programs [NUMBER LINE].
five_programs() {
	local number

	for number in 1 2 3 4 5; do
		echo "program \"p$number\" {"
		[ "$number" = "${1:-}" ] && echo "	${2:-}"
		[[ "$number ${2:-}" == "${1:-} "*command* ]] || echo "	command = \"$SD/bin/stamp $SD/p$number.stamps run\""
		echo '}'
	done
}

# "p1 PID" a line, of the five.
pids() {
	sctl status --json | "$PYTHON" -ISc '
import json, sys
for record in json.load(sys.stdin):
    if record["name"] in ("p1", "p2", "p3", "p4", "p5"):
        print(record["name"], record["pid"])'
}

# The names whose line differs between two such lists.
changed() {
	diff <(echo "$1") <(echo "$2") | sed -n 's/^> \(p[0-9]\) .*/\1/p' | tr '\n' ' '
}

# It is stopped when apply returns; its row goes when the logger has written what it said last.
is_unknown() {
	exits 4 sctl status "$1" 2>/dev/null
}

@test "reload: nothing differs, nothing happens" {
	exits 0 sctl apply
	equals changed "$(changed "$BEFORE" "$(pids)")" ""
}

@test "reload: a changed command restarts that program only" {
	five_programs 3 "command = \"$SD/bin/stamp $SD/p3.stamps run 1\"" >"$SD/conf.d/five.conf"
	exits 0 sctl apply
	wait_state p3 RUNNING
	equals changed "$(changed "$BEFORE" "$(pids)")" "p3 "
	matches "$(tr '\0' ' ' <"/proc/$(record p3 pid)/cmdline")" 'run 1'
}

@test "reload: SIGHUP does the same" {
	local pid

	pid=$(record p2 pid)
	five_programs 2 'environment = {"CHANGED=1"}' >"$SD/conf.d/five.conf"
	kill -HUP "$(guardian)"
	wait_for "$PATIENCE" runs_anew p2 "$pid"
	wait_state p2 RUNNING
	equals changed "$(changed "$BEFORE" "$(pids)")" "p2 "
}

@test "reload: keys of class live touch no process" {
	five_programs 4 'log_max_size = 1MB
		log_keep = 2
		log_file = "other.log"
		log_rotate = "hourly"
		log_max_age = "1d"
		log_total_size = "10MB"
		log_compress = "zstd"
		log_mode = "0600"
		restart = "always"
		restart_delay = "1s"
		start_limit = 9
		stop_signal = "INT"
		stop_timeout = "3s"
		success_exit = {"0", "9"}
		stable_after = "150ms"' >"$SD/conf.d/five.conf"
	exits 0 sctl apply
	equals changed "$(changed "$BEFORE" "$(pids)")" ""
}

@test "reload: a live key takes effect without a restart" {
	local pid

	pid=$(record p4 pid)
	five_programs 4 'success_exit = {"0", "KILL"}' >"$SD/conf.d/five.conf"
	exits 0 sctl apply
	equals pid "$(record p4 pid)" "$pid"
	kill_program p4
	wait_state p4 EXITED
}

@test "reload: a wait that is going on is as long as the new stanza says" {
	five_programs 4 "command = \"$SD/bin/stamp $SD/p4.stamps exit 1\"
		restart_delay = \"1h\"
		restart_delay_max = \"1h\"
		start_limit = 2" >"$SD/conf.d/five.conf"
	exits 0 sctl apply --no-wait
	wait_state p4 BACKOFF
	five_programs 4 "command = \"$SD/bin/stamp $SD/p4.stamps exit 1\"
		restart_delay = \"1ms\"
		start_limit = 2" >"$SD/conf.d/five.conf"
	exits 0 sctl apply --no-wait
	wait_state p4 FATAL
}

@test "reload: each step is told with its reason, and is over when apply returns" {
	local chain=$SD/conf.d/chain.conf db
	local -a pids

	cat >"$chain" <<-END
		program "c-db" { command = "$SD/bin/stamp $SD/c-db.stamps run" }
		program "c-web" { command = "$SD/bin/stamp $SD/c-web.stamps run" requires = {"c-db"} }
		program "c-worker" { command = "$SD/bin/stamp $SD/c-worker.stamps run" requires = {"c-web"} }
		program "c-gone" { command = "$SD/bin/stamp $SD/c-gone.stamps run" }
	END
	exits 0 sctl apply
	matches "$output" 'c-web: start: new stanza'
	db=$(record c-db pid)
	pids=("$(record c-web pid)" "$(record c-worker pid)")
	sed -i -e '/c-gone/d' -e '/program "c-db"/s/}$/log_max_size = 1MB }/' -e '/program "c-web"/s/ run" / run anew" /' "$chain"
	exits 0 sctl apply
	matches "$output" 'c-gone: stop: its stanza is gone'
	matches "$output" 'c-gone: remove: its stanza is gone'
	matches "$output" 'c-db: live: log_max_size changed'
	matches "$output" 'c-web: restart: command changed'
	matches "$output" 'c-worker: restart: requires c-web'
	equals db "$(record c-db pid)" "$db"
	equals web "$(record c-web state)" RUNNING
	equals worker "$(record c-worker state)" RUNNING
	[ "$(record c-web pid)" != "${pids[0]}" ]
	[ "$(record c-worker pid)" != "${pids[1]}" ]
	exits 0 sctl apply
	equals steps "$output" 'nothing changed'
}

@test "reload: a bad file changes nothing, and the error names file and line" {
	five_programs 3 "command = \"$SD/bin/stamp $SD/p3.stamps run 2\"" >"$SD/conf.d/five.conf"
	printf 'program "new" { command = "/bin/true" }\nprogram "bad" {\n\tcommand = "/bin/true"\n\tstart_limit = "many"\n}\n' \
		>"$SD/conf.d/bad.conf"
	exits 1 sctl apply
	matches "$output" 'bad\.conf:4:'
	matches "$output" 'start_limit'
	equals changed "$(changed "$BEFORE" "$(pids)")" ""
	exits 4 sctl status new
	exits 1 sctl check
	matches "$output" 'bad\.conf:4:'
}

@test "reload: a bad file at SIGHUP is told in the log" {
	local lines

	lines=$(count_lines "$SD/own.log")
	printf '\nprogram "bad" { command = "/bin/true" colour = 1 }\n' >"$SD/conf.d/bad.conf"
	kill -HUP "$(guardian)"
	wait_for "$PATIENCE" own_log_since "$lines" 'bad\.conf:2:'
	equals changed "$(changed "$BEFORE" "$(pids)")" ""
}

own_log_since() {
	tail -n "+$(($1 + 1))" "$SD/own.log" | grep -q "$2"
}

@test "reload: a removed stanza stops its program" {
	local pid

	pid=$(record p5 pid)
	five_programs | sed '/program "p5"/,/^}/d' >"$SD/conf.d/five.conf"
	exits 0 sctl apply
	is_gone "$pid"
	wait_for "$PATIENCE" is_unknown p5
	equals lines "$(pids | wc -l)" 4
	five_programs >"$SD/conf.d/five.conf"
	exits 0 sctl apply
	wait_state p5 RUNNING
	equals changed "$(changed "$BEFORE" "$(pids)")" "p5 "
}

@test "reload: a removed program is stopped to the last process" {
	cat >"$SD/conf.d/family.conf" <<-END
		program "family" { command = "$SD/bin/family stubborn $SD/ready" stop_timeout = "400ms" }
	END
	exits 0 sctl apply
	wait_for "$PATIENCE" file_has "$SD/ready" ready
	rm "$SD/conf.d/family.conf"
	exits 0 sctl apply
	no_procs family
	wait_for "$PATIENCE" is_unknown family
}

@test "reload: a new stanza starts, unless autostart is off" {
	cat >"$SD/conf.d/new.conf" <<-END
		program "new" { command = "$SD/bin/stamp $SD/new.stamps run" }
		program "manual" { command = "$SD/bin/stamp $SD/manual.stamps run" autostart = false }
	END
	exits 0 sctl apply
	wait_state new RUNNING
	equals state "$(record manual state)" STOPPED
	equals starts "$(record manual starts)" 0
	equals changed "$(changed "$BEFORE" "$(pids)")" ""
}

@test "reload: what was stopped by hand stays stopped" {
	exits 0 sctl stop p1
	five_programs 1 'environment = {"CHANGED=2"}' >"$SD/conf.d/five.conf"
	exits 0 sctl apply
	exits 0 sctl apply
	equals state "$(record p1 state)" STOPPED
	equals wanted "$(record p1 wanted)" down
}

@test "reload: the applied configuration outlives the engine, not the files" {
	local engine

	printf 'this is { no configuration' >"$SD/conf.d/bad.conf"
	engine=$(role_pid engine)
	kill_role engine
	wait_for "$PATIENCE" has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
	equals changed "$(changed "$BEFORE" "$(pids)")" ""
	exits 0 sctl restart p1
	exits 1 sctl apply
	matches "$output" 'bad\.conf:1:'
}
