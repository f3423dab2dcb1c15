# SPDX-License-Identifier: ISC
# log_filter: a command between a program and its log, whose death loses nothing that it had not read.

load lib.bash

setup() {
	sd_new 'defaults { stable_after = "100ms" }'
}

teardown() {
	sd_tell_failure
	sd_down
}

# Of so many numbered lines on standard input: how many are missing, and how many parts of lines there are.  A number that
# is there twice, or in the wrong order, fails.
count_faults() {
	awk -v total="$1" '
		/^[^ x]+ [0-9]+ x+$/ && length($0) == 99 {
			if ($2 <= last) { print "line " $2 " after " last > "/dev/stderr"; exit 1 }
			last = $2; whole++; next
		}
		$0 != "EOF" { fragments++ }
		END { print total - whole, fragments + 0 }'
}

has_other_pid() {
	local pid

	pid=$(record "$1" pid) && [ -n "$pid" ] && [ "$pid" != "$2" ]
}

has_line() {
	grep -qxF -- "$2" "$SD/log/$1.log" 2>/dev/null
}

@test "filter: lines pass through it into the program's own log, standard error too, and superctl logs shows them" {
	stanza_file web <<-END
		program "web" {
			command = "echo banana; echo oops aloud >&2; exec sleep 1000"
			shell = true
			log_filter = "exec:/bin/sed -u s/a/b/"
		}
		program "split" {
			command = "echo banana; echo oops aloud >&2; exec sleep 1000"
			shell = true
			log_filter = {"exec:/bin/sed", "-u", "s/a/b/"}
			stderr = "log"
		}
	END
	sd_start
	for name in web split; do
		wait_for "$PATIENCE" has_line "$name" bbnana
		equals "what superctl logs shows" "$(sctl logs "$name" -n 100 | head -n 1)" bbnana
		wait_state "$name" RUNNING
		wait_state "$name+filter" RUNNING
	done
	wait_for "$PATIENCE" has_line web 'oops bloud'
	wait_for "$PATIENCE" has_line split.err 'oops aloud'
	equals "standard error" "$(sctl logs --stderr split)" 'oops aloud'
	[ ! -e "$SD/log/web+filter.log" ]
	sctl status | grep -q '^web+filter  *RUNNING'
	sctl logs --rotate web
	wait_for "$PATIENCE" test -n "$(archives "$SD/log/web.log")"
}

@test "filter: formats, targets and keys of the log are those of the program" {
	stanza_file web <<-END
		program "web" {
			command = "echo banana; exec sleep 1000"
			shell = true
			log_filter = "exec:/bin/sed -u s/a/b/"
			log_format = "stamp"
			log_file = "sub-%{name}.txt"
			log_mode = 0600
		}
	END
	sd_start
	wait_for "$PATIENCE" grep -qE '^[0-9TZ:.-]+ web\+filter 1 out bbnana$' "$SD/log/sub-web.txt"
	equals mode "$(stat -c %a "$SD/log/sub-web.txt")" 600
}

@test "filter: kill -9 of it loses at most the line that it has in hand" {
	local kills=0 faults

	stanza_file web <<-END
		program "web" {
			command = "$SD/bin/numbers 30000 50 100"
			log_filter = "exec:$SD/bin/lines /dev/stdout"
		}
	END
	sd_start
	for count in 500 1500 3000 5000; do
		wait_for "$PATIENCE" log_has_lines web "$count"
		pid=$(record web+filter pid)
		kill_program web+filter
		kills=$((kills + 1))
		[ "$count" -ne 1500 ] || kill_role engine
		[ "$count" -ne 3000 ] || kill_role logger
		wait_for "$PATIENCE" has_other_pid web+filter "$pid"
	done
	wait_for "$PATIENCE" log_has web ' 30000 x'
	equals "starts of the program" "$(record web starts)" 1
	equals "starts of the filter" "$(record web+filter starts)" $((kills + 1))
	faults=$(count_faults 30000 <"$SD/log/web.log")
	at_most "lines missing" "${faults% *}" "$kills"
	at_most "rests of lines" "${faults#* }" "$kills"
}

@test "filter: kill -9 of engine and logger lose and repeat nothing" {
	stanza_file web <<-END
		program "web" {
			command = "$SD/bin/numbers 20000 50 100"
			log_filter = "exec:$SD/bin/lines /dev/stdout"
		}
	END
	sd_start
	for count in 200 2000 4000; do
		wait_for "$PATIENCE" log_has_lines web "$count"
		kill_role engine
		kill_role logger
		wait_for "$PATIENCE" role_pid logger
		wait_for "$PATIENCE" sd_serves
	done
	wait_for "$PATIENCE" log_has web ' 20000 x'
	assert_numbers 20000 <"$SD/log/web.log"
	equals "starts of the filter" "$(record web+filter starts)" 1
}

@test "filter: a stop ends the program, then the input of the filter, and the last line is in the log" {
	stanza_file web <<-END
		program "web" {
			command = "trap 'i=0; while [ \$i -lt 2000 ]; do echo bye \$i; i=\$((i + 1)); done; exit 0' TERM; echo up; while :; do sleep 0.05; done"
			shell = true
			log_filter = "exec:$SD/bin/lines /dev/stdout"
		}
	END
	sd_start
	wait_for "$PATIENCE" has_line web up
	sctl stop web
	equals state "$(record web state)" STOPPED
	equals "state of the filter" "$(record web+filter state)" STOPPED
	wait_for "$PATIENCE" has_line web EOF
	equals "the end of the log" "$(tail -n 2 "$SD/log/web.log" | tr '\n' ' ')" 'bye 1999 EOF '
	equals lines "$(grep -c bye "$SD/log/web.log")" 2000
	no_procs lines
	# And once more, by the same pipe.
	sctl start web
	wait_state web+filter RUNNING
	wait_for "$PATIENCE" log_has_lines web 2003
	equals "the new line" "$(tail -n 1 "$SD/log/web.log")" up
	sctl restart web
	wait_for "$PATIENCE" log_has_lines web 4005
	equals "starts of the filter" "$(record web+filter starts)" 3
	equals "the new line" "$(tail -n 1 "$SD/log/web.log")" up
}

@test "filter: what a killed filter has left in the pipe is read by the next one, also after a stop and a new engine" {
	stanza_file web <<-END
		program "web" {
			command = "$SD/bin/numbers 300 0 100"
			log_filter = "exec:/bin/sh -c 'test -e $SD/open || exec sleep 1000; exec $SD/bin/lines /dev/stdout'"
		}
	END
	sd_start
	wait_state web RUNNING
	sctl stop --no-wait web
	wait_state web STOPPED
	wait_state web+filter STOPPING
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	kill_program web+filter
	wait_state web+filter STOPPED
	touch "$SD/open"
	sctl start web+filter
	wait_for "$PATIENCE" log_has_lines web 300
	sctl stop web+filter
	wait_for "$PATIENCE" has_line web EOF
	sed -i '/^EOF$/d' "$SD/log/web.log"
	assert_numbers 300 <"$SD/log/web.log"
}

@test "filter: a shutdown of everything takes the last line to the log, and leaves nothing behind" {
	stanza_file web <<-END
		program "web" {
			command = "trap 'i=0; while [ \$i -lt 2000 ]; do echo bye \$i; i=\$((i + 1)); done; exit 0' TERM; echo up; while :; do sleep 0.05; done"
			shell = true
			log_filter = "exec:$SD/bin/lines /dev/stdout"
			post_stop = "/bin/echo after"
		}
	END
	sd_start
	wait_for "$PATIENCE" has_line web up
	guardian=$(guardian)
	sctl shutdown
	wait_for "$PATIENCE" ended "$guardian"
	no_procs lines
	equals "the end of the log" "$(tail -n 3 "$SD/log/web.log" | tr '\n' ' ')" 'bye 1999 after EOF '
	equals lines "$(grep -c bye "$SD/log/web.log")" 2000
}

@test "filter: it follows its program at autostart, start and removal" {
	stanza_file web <<-END
		program "web" { command = "$SD/bin/numbers 10 0 100" autostart = false log_filter = "exec:$SD/bin/lines /dev/stdout" }
		program "db" { command = "$SD/bin/numbers 10 0 100" log_filter = "exec:$SD/bin/lines /dev/stdout" }
	END
	sd_start
	wait_state db+filter RUNNING
	equals state "$(record web+filter state)" STOPPED
	sctl start web
	equals state "$(record web+filter state)" RUNNING
	rm "$SD/conf.d/web.conf"
	sctl apply
	equals "filters that are left" "$(count_procs lines)" 0
	[ -z "$(record web+filter state 2>/dev/null)" ]
	for name in web db; do
		wait_for "$PATIENCE" has_line "$name" EOF
		equals lines "$(wc -l <"$SD/log/$name.log")" 11
	done
}

@test "filter: an apply with another command restarts the filter only; without one, the program too" {
	stanza_file web <<-END
		program "web" { command = "$SD/bin/numbers 8000 100 100" log_filter = "exec:$SD/bin/lines /dev/stdout" }
	END
	sd_start
	wait_for "$PATIENCE" log_has_lines web 500
	pid=$(record web pid)
	stanza web <<-END
		program "web" { command = "$SD/bin/numbers 8000 100 100" log_filter = {"exec:$SD/bin/lines", "/proc/self/fd/1"} }
	END
	file_has "$SD/apply.out" 'web+filter: restart: command changed'
	wait_for "$PATIENCE" has web+filter starts 2
	wait_for "$PATIENCE" log_has web ' 8000 x'
	equals pid "$(record web pid)" "$pid"
	assert_numbers 8000 <"$SD/log/web.log"
	run sctl apply
	matches "$output" 'nothing'
	stanza web <<-END
		program "web" { command = "$SD/bin/numbers 10 0 100" }
	END
	wait_for "$PATIENCE" has web starts 2
	wait_for "$PATIENCE" log_has_lines web 8011
	has_line web EOF
	wait_for "$PATIENCE" no_procs lines
}

@test "filter: one that cannot run delays its program's start by nothing, and takes the lines once it can" {
	stanza_file web <<-END
		program "web" { command = "$SD/bin/numbers 100 0 100" log_filter = "exec:$SD/later /dev/stdout" }
	END
	sd_start
	wait_state web RUNNING
	wait_state web+filter BACKOFF
	cp "$SD/bin/lines" "$SD/bin/later"
	ln -s "$SD/bin/later" "$SD/later"
	wait_for "$PATIENCE" log_has_lines web 100
	assert_numbers 100 <"$SD/log/web.log"
	sctl stop web
}

@test "filter: where it cannot be, it is refused with the line" {
	stanza_file web <<-END
		program "web" { command = "/bin/true"
			stdout = "null"
			log_filter = "exec:/bin/cat"
		}
		program "db" { command = "/bin/true"
			log_filter = "/bin/cat"
		}
		program "x" { command = "/bin/true"
			requires = {"db+filter"}
		}
	END
	run "$SUPERVISORD" -t -c "$SD/supervisord.conf"
	equals status "$status" 1
	matches "$output" 'web.conf:3: log_filter: needs a stdout that the logger writes'
	matches "$output" "web.conf:6: log_filter: '/bin/cat' is not known: none or exec:COMMAND is allowed"
	matches "$output" 'web.conf:9: requires:'
}
