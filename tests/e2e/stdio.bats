# SPDX-License-Identifier: ISC
# Where standard input, output and error of a program go: every form of the keys stdin, stdout and stderr.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "100ms" restart = "never" start_limit = 1 }'
	sd_start
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# run_shell NAME COMMAND LINE…: a stanza with a shell command and these lines, run to its end.
run_shell() {
	local name=$1 command=$2

	shift 2
	{
		echo "program \"$name\" {"
		echo "	command = \"${command//\"/\\\"}\""
		echo '	shell = true'
		printf '\t%s\n' "$@"
		echo '}'
	} | stanza "$name"
	wait_state "$name" EXITED
	equals "last_exit of $name" "$(record "$name" last_exit.status)" 0
}

@test "stdio: by default both streams are in log_dir/NAME.log" {
	run_shell both 'echo one; echo two >&2; echo three'
	wait_for "$PATIENCE" log_has both three
	equals log "$(cat "$SD/log/both.log")" "$(printf 'one\ntwo\nthree')"
	[ ! -e "$SD/log/both.err.log" ]
}

@test "stdio: stderr = log has a file of its own" {
	run_shell apart 'echo one; echo two >&2; echo three' 'stderr = "log"'
	wait_for "$PATIENCE" log_has apart three
	wait_for "$PATIENCE" log_has apart.err two
	equals log "$(cat "$SD/log/apart.log")" "$(printf 'one\nthree')"
	equals "error log" "$(cat "$SD/log/apart.err.log")" two
}

@test "stdio: null goes nowhere" {
	run_shell void 'echo lost && echo lost >&2 && readlink /proc/self/fd/1 /proc/self/fd/2 >'"$SD/void" 'stdout = "null"' \
		'stderr = "null"'
	matches "$(tail -n 1 "$SD/void")" '^/dev/null$'
	[ ! -s "$SD/log/void.log" ]
}

@test "stdio: stderr = null beside stdout = log" {
	run_shell half 'echo kept; echo lost >&2' 'stderr = "null"'
	wait_for "$PATIENCE" log_has half kept
	equals log "$(cat "$SD/log/half.log")" kept
}

@test "stdio: inherit is supervisord's own" {
	run_shell inherit 'echo inherited-out; echo inherited-err >&2' 'stdout = "inherit"' 'stderr = "inherit"'
	wait_for "$PATIENCE" file_has "$SD/own.out" '^inherited-out$'
	wait_for "$PATIENCE" file_has "$SD/own.log" '^inherited-err$'
}

@test "stdio: append: adds to a file, and stderr = stdout goes there too" {
	echo old >"$SD/appended"
	run_shell append 'echo new; echo error >&2' "stdout = \"append:$SD/appended\"" 'stderr = "stdout"'
	equals file "$(cat "$SD/appended")" "$(printf 'old\nnew\nerror')"
}

@test "stdio: append: takes a relative path from directory, and creates the file" {
	run_shell relative 'echo here' "directory = \"$SD/conf.d\"" 'stdout = "append:relative.out"'
	equals file "$(cat "$SD/conf.d/relative.out")" here
}

@test "stdio: stderr = append: beside stdout = log" {
	run_shell errfile 'echo to-log; echo to-file >&2' "stderr = \"append:$SD/errfile\""
	wait_for "$PATIENCE" log_has errfile to-log
	equals file "$(cat "$SD/errfile")" to-file
}

@test "stdio: fifo: reaches who reads the FIFO" {
	mkfifo "$SD/fifo"
	timeout 30 cat "$SD/fifo" >"$SD/fifo.out" &
	run_shell fifo 'echo through the pipe' "stdout = \"fifo:$SD/fifo\""
	wait_for "$PATIENCE" file_has "$SD/fifo.out" '^through the pipe$'
	kill $! 2>/dev/null || true
}

@test "stdio: fifo: without a reader holds up nobody else" {
	mkfifo "$SD/lonely"
	stanza lonely <<-END
		program "lonely" {
			command = "$SD/bin/stamp $SD/lonely.stamps run"
			stdout = "fifo:$SD/lonely"
		}
	END
	exits any timeout 10 "$SUPERCTL" -s "$SD/run/control.sock" status
	run_shell after-lonely 'echo fine'
	exits 0 sctl stop lonely
}

@test "stdio: stdin is /dev/null by default" {
	run_shell nostdin 'cat; readlink /proc/self/fd/0 >'"$SD/nostdin"
	[ -e "$SD/nostdin" ]
}

@test "stdio: stdin = file: is read from its beginning" {
	printf 'first\nsecond\n' >"$SD/input"
	run_shell filein 'cat' "stdin = \"file:$SD/input\""
	wait_for "$PATIENCE" log_has filein second
	equals log "$(cat "$SD/log/filein.log")" "$(printf 'first\nsecond')"
}

@test "stdio: text without a newline at its end is in the log" {
	run_shell tail 'printf unfinished'
	wait_for "$PATIENCE" log_has tail unfinished
}

has_run() {
	[ "$(cut -d' ' -f1 "$1" | sort -u | wc -l)" -ge "$2" ]
}

# At least so many more lines than now: grows FILE COUNT.
grows() {
	wait_for "$PATIENCE" has_lines "$1" $(($(count_lines "$1") + $2))
}

@test "stdio: program:NAME feeds another program, and either side may be restarted" {
	local source sink

	stanza pipe <<-END
		program "source" {
			command = "$SD/bin/numbers 0 2000 60"
			stdout = "program:sink"
		}
		program "sink" { command = "$SD/bin/lines $SD/sink" }
	END
	wait_state source RUNNING
	wait_state sink RUNNING
	grows "$SD/sink" 20

	# The reader comes and goes: the writer gets no SIGPIPE.
	source=$(record source pid)
	exits 0 sctl restart sink
	grows "$SD/sink" 20
	exits 0 sctl stop sink
	exits 0 sctl start sink
	grows "$SD/sink" 20
	equals "pid of the writer" "$(record source pid)" "$source"

	# The writer comes and goes: the reader sees no end of file.
	sink=$(record sink pid)
	exits 0 sctl restart source
	grows "$SD/sink" 20
	exits 0 sctl stop source
	exits 0 sctl start source
	grows "$SD/sink" 20
	equals "pid of the reader" "$(record sink pid)" "$sink"
	has_run "$SD/sink" 3
	if file_has "$SD/sink" EOF; then
		echo "the reader saw the end of its input" >&2
		return 1
	fi
	assert_numbers 100 <"$SD/sink"

	# Nor does SIGKILL of either end the other.
	source=$(record source pid)
	kill_program sink
	wait_state sink EXITED
	exits 0 sctl start sink
	grows "$SD/sink" 20
	equals "pid of the writer" "$(record source pid)" "$source"
	sink=$(record sink pid)
	kill_program source
	wait_state source EXITED
	exits 0 sctl start source
	grows "$SD/sink" 20
	equals "pid of the reader" "$(record sink pid)" "$sink"
	exits 0 sctl stop source sink
}

@test "stdio: program:NAME survives kill -9 of the engine" {
	local source sink engine

	# A pair of its own: what a source wrote before its sink was stopped stays in the pipe for the next one.
	stanza spring <<-END
		program "spring" {
			command = "$SD/bin/numbers 0 2000 60"
			stdout = "program:basin"
		}
		program "basin" { command = "$SD/bin/lines $SD/basin" }
	END
	grows "$SD/basin" 20
	source=$(record spring pid)
	sink=$(record basin pid)
	engine=$(role_pid engine)
	kill_role engine
	wait_for "$PATIENCE" has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
	grows "$SD/basin" 20
	equals pids "$(record spring pid) $(record basin pid)" "$source $sink"
	exits 0 sctl restart basin
	exits 0 sctl restart spring
	grows "$SD/basin" 20
	exits 0 sctl stop spring basin
	assert_numbers 60 <"$SD/basin"
}
