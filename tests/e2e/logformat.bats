# SPDX-License-Identifier: ISC
# What is in a log that is not raw, and what becomes of lines that cannot be written.  The logger alone, under
# tests/programs/logger_guardian.c, and then under a daemon.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "100ms" restart = "never" }'
	sd_start
}

teardown_file() {
	sd_down_all
}

setup() {
	LOGGER=$OUT/libexec/supervisord/logger
	GUARDIAN=$OUT/tests/programs/logger_guardian
	WRITER=$OUT/tests/programs/logger_writer
	T=$(mktemp -d "${TMPDIR:-/tmp}/logformat.XXXXXX")
}

teardown() {
	sd_tell_failure
	rm -rf "$T"
}

play() {
	"$GUARDIAN" "$LOGGER" 3>&- 4>&- >"$T/out" 2>"$T/err" || {
		cat "$T/out" "$T/err"
		return 1
	}
}

# check_stamped FILE [json]: what a stamped or JSON log says, as lines "NAME RUN STREAM TEXT" with the parts of each line
# put together, after each line was checked.
check_stamped() {
	"$PYTHON" -IS - "$@" <<-'END'
		import json, re, sys
		form = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (\S+) (\d+) (out|err|log)(\+?) (.*)", re.S)
		keys = ["time", "program", "name", "run", "stream", "text"]
		open_lines = {}
		data = open(sys.argv[1], "rb").read()
		if data and not data.endswith(b"\n"):
		    sys.exit("the last line is not whole")
		for number, line in enumerate(data.split(b"\n")[:-1], 1):
		    if len(sys.argv) > 2:
		        value = json.loads(line)
		        part = value.pop("partial", False)
		        if list(value) != keys or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value["time"]):
		            sys.exit("line %d: %r" % (number, line[:200]))
		        name, run, stream, text = value["name"], str(value["run"]), value["stream"], value["text"].encode()
		        if value["program"] != name.split("@")[0]:
		            sys.exit("line %d: program %r" % (number, value["program"]))
		    else:
		        match = form.fullmatch(line)
		        if not match:
		            sys.exit("line %d: %r" % (number, line[:200]))
		        name, run, stream, text = match[2].decode(), match[3].decode(), match[4].decode(), match[6]
		        part = match[5] == b"+"
		    before = open_lines.pop((name, stream), b"") if stream != "log" else b""
		    if part:
		        open_lines[name, stream] = before + text
		        continue
		    sys.stdout.buffer.write(("%s %s %s " % (name, run, stream)).encode() + before + text + b"\n")
		for (name, stream), text in open_lines.items():
		    sys.stdout.buffer.write(("%s ? %s " % (name, stream)).encode() + text + b"<\n")
	END
}

# is_complete FILE FORMAT NAME RUN COUNT WIDTH: exactly the numbered lines of logger_writer.
is_complete() {
	local json=()

	[ "$2" != json ] || json=(json)
	check_stamped "$1" "${json[@]}" >"$T/checked" || return 1
	awk -v name="$3" -v run="$4" -v count="$5" -v width="$6" '
		$1 != name || $2 != run || $3 != "out" || $4 + 0 != NR - 1 || length($4 " " $5) != width - 1 {
			print "line " NR " is " substr($0, 1, 80); bad = 1; exit 1 }
		END { if (!bad && NR != count) { print NR " lines of " count; exit 1 } }' "$T/checked"
}

@test "logformat: 50 programs, every line whole, complete and with its own name, in each format" {
	local format row

	for format in stamp json; do
		{
			for row in {1..50}; do
				echo "spec $row 0 0 0 web@$row $T/$format.$row"
				echo "set $row 0 format $format"
				echo "number $row $((row + 100))"
				echo "pipe $((row + 40)) $row 0"
			done
			echo specs
			echo start
			for row in {1..50}; do
				echo "run $((row + 40)) $WRITER 2000 300 $((row % 9 + 1))"
			done
			for row in {1..50}; do
				echo "wait $((row + 40))"
			done
			echo finish
		} >"$T/script"
		play <"$T/script"
		for row in {1..50}; do
			is_complete "$T/$format.$row" "$format" "web@$row" $((row + 100)) 2000 300
		done
	done
}

@test "logformat: a program that is not the last in the file is not mixed with it, line by line" {
	play <<-END
		spec 1 0 0 0 one $T/log
		set 1 0 format stamp
		spec 2 0 0 0 two $T/log
		set 2 0 format stamp
		specs
		pipe 41 1 0
		pipe 42 2 0
		start
		run 41 $WRITER 20000 90 7
		run 42 $WRITER 20000 90 5
		wait 41
		wait 42
		finish
	END
	grep ' one ' "$T/log" >"$T/one"
	grep ' two ' "$T/log" >"$T/two"
	is_complete "$T/one" stamp one 0 20000 90
	is_complete "$T/two" stamp two 0 20000 90
	equals lines "$(wc -l <"$T/log")" 40000
}

@test "logformat: 100 kills while it writes and rotates lose nothing and repeat only after a mark" {
	local format

	for format in stamp json; do
		rm -rf "$T/log"
		play <<-END
			spec 7 0 500000 1000 web $T/log/web.log
			set 7 0 format $format
			specs
			pipe 40 7 0
			start
			run 40 $WRITER 1000000 61 3
			storm 100
			wait 40
			drained 40
			finish
		END
		find "$T/log" -name 'web.log.*' | sort | xargs cat "$T/nothing" 2>/dev/null >"$T/whole" || true
		cat "$T/log/web.log" >>"$T/whole"
		if [ "$format" = json ]; then check_stamped "$T/whole" json; else check_stamped "$T/whole"; fi >"$T/checked"
		# After a mark the numbers may go back, but never over the first line that was not there before.
		awk '
			$3 == "log" { if ($0 !~ /restarted: what follows may repeat$/) { print; bad = 1; exit 1 } marks++; marked = 1; next }
			{ number = $4 + 0 }
			number == next_number { next_number++; marked = 0; next }
			number < next_number && (marked || repeating == number) { marked = 0; repeating = number + 1; repeats++
				if (repeating == next_number) repeating = -1; next }
			{ print "line " NR ": " $0 " in place of " next_number; bad = 1; exit 1 }
			END { if (bad) exit 1; print marks + 0 " marks, " repeats + 0 " repeats"; if (next_number != 1000000 || marks < 1) exit 1 }
		' "$T/checked"
	done
}

@test "logformat: a line of 10 MB is written in marked parts, and is whole when they are put together" {
	play <<-END
		spec 1 0 0 0 web $T/log
		set 1 0 format stamp
		specs
		pipe 40 1 0
		start
		run 40 head -c 10000000 /dev/zero | tr '\\0' x; echo end; echo next
		wait 40
		finish
	END
	at_least "parts" "$(grep -c ' out+ ' "$T/log")" 152
	# Where the user's pipes may not grow any more (pipe(7), pipe-user-pages-soft), a part ends with the pipe.
	at_most "parts" "$(grep -c ' out+ ' "$T/log")" 320
	check_stamped "$T/log" >"$T/checked"
	equals "length" "$(head -n 1 "$T/checked" | wc -c)" $((10000000 + 3 + 10 + 1))
	equals "next" "$(tail -n 1 "$T/checked")" "web 0 out next"
}

@test "logformat: a line as long as log_line_max is whole, whatever the pieces it comes in" {
	"$PYTHON" -ISc 'import fcntl, os; fcntl.fcntl(os.pipe()[0], 1031, 524288)' 2>"$T/err" ||
		skip "pipes may not grow here: $(tail -n 1 "$T/err")"
	play <<-END
		spec 1 0 0 0 web $T/log
		set 1 0 format stamp
		set 1 0 line_max 200000
		specs
		pipe 40 1 0
		start
		run 40 $PYTHON -ISc 'import os; [os.write(1, b"x" * 2049) for _ in range(97)]; os.write(1, b"end\\n")'
		wait 40
		finish
	END
	equals lines "$(wc -l <"$T/log")" 1
	check_stamped "$T/log" >"$T/checked"
	equals "length" "$(wc -c <"$T/checked")" $((97 * 2049 + 3 + 10 + 1))
}

@test "logformat: a line without end appears after two seconds, and goes on where it was" {
	play <<-END
		spec 1 0 0 0 web $T/log
		set 1 0 format stamp
		spec 2 0 0 0 other $T/json
		set 2 0 format json
		specs
		pipe 40 1 0
		pipe 41 2 0
		start
		part 40 Continue? [y/N] 
		part 41 Name: 
		until grep -q 'web 0 out+ Continue' $T/log
		until grep -q '"text":"Name: ","partial":true' $T/json
		say 40 yes
		say 41 me
		until grep -q 'out yes' $T/log
		part 40 last words
		finish
	END
	equals log "$(check_stamped "$T/log")" "web 0 out Continue? [y/N] yes
web ? out last words<"
	equals json "$(check_stamped "$T/json" json)" "other 0 out Name: me"
}

@test "logformat: writes larger than the pipe, which end within lines, are not waited for" {
	"$WRITER" 200000 100 1000 >"$T/data"
	play <<-END
		spec 1 0 0 0 web $T/log
		set 1 0 format stamp
		specs
		pipe 40 1 0
		start
		run 40 dd if=$T/data bs=262147 2>/dev/null
		wait 40
		finish
	END
	is_complete "$T/log" stamp web 0 200000 100
}

@test "logformat: an unfinished line in the pipe costs no CPU" {
	play <<-END
		spec 1 0 0 0 web $T/log
		set 1 0 format stamp
		specs
		pipe 40 1 0
		start
		say 40 first
		until grep -q first $T/log
		part 40 unfinished
		sh cut -d' ' -f14-15 /proc/\$LOGGER_PID/stat >$T/before
		until grep -q unfinished $T/log
		sh cut -d' ' -f14-15 /proc/\$LOGGER_PID/stat >$T/after
		finish
	END
	# Two seconds of spinning would be 200 ticks.
	at_most ticks $(($(tr ' ' '+' <"$T/after") - ($(tr ' ' '+' <"$T/before")))) 20
}

@test "logformat: lines that a file does not take are dropped and counted, exactly" {
	local format written dropped

	for format in stamp json raw; do
		rm -rf "$T/log"
		play <<-END
			spec 1 0 0 0 web $T/log
			set 1 0 format $format
			set 1 0 full drop
			specs
			pipe 40 1 0
			sh mkdir $T/log
			start
			run 40 $WRITER 30000 77 5
			wait 40
			drained 40
			sh rmdir $T/log
			until test -s $T/log
			run 40 $WRITER 100 77 1
			wait 40
			finish
		END
		written=$(grep -c 'xxxx' "$T/log")
		dropped=$(grep -oE '[0-9]+ lines? dropped' "$T/log" | awk '{ n += $1 } END { print n + 0 }')
		equals "$format: written and dropped" $((written + dropped)) 30100
		at_least "$format: dropped" "$dropped" 30000
		[ "$format" != raw ] || grep -qx '\[supervisord: 30000 lines dropped\]' "$T/log"
		[ "$format" != stamp ] || grep -qE ' web 0 log 30000 lines dropped$' "$T/log"
		grep -q 'cannot write .*its output is dropped and counted' "$T/err"
	done
}

@test "logformat: what a file does not take waits, and is all there when it does" {
	play <<-END
		spec 1 0 0 0 web $T/log
		set 1 0 format stamp
		specs
		pipe 40 1 0
		sh mkdir $T/log
		start
		run 40 $WRITER 30000 77 5
		until test \$(wc -l <$T/err) -gt 0
		sh rmdir $T/log
		wait 40
		drained 40
		finish
	END
	is_complete "$T/log" stamp web 0 30000 77
}

@test "logformat: a stamped log is rotated on whole lines" {
	local file

	play <<-END
		spec 1 0 10000 1000 web $T/log
		set 1 0 format stamp
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 5000 77 5
		wait 40
		finish
	END
	at_least archives "$(find "$T" -name 'log.*' | wc -l)" 40
	for file in "$T"/log.*; do
		at_least size "$(stat -c %s "$file")" 10000
		at_most size "$(stat -c %s "$file")" 10200
	done
	find "$T" -name 'log.*' | sort | xargs cat >"$T/whole"
	cat "$T/log" >>"$T/whole"
	is_complete "$T/whole" stamp web 0 5000 77
}

@test "logformat: under a daemon, with runs, both streams, a change of format and a new logger" {
	stanza talker <<-END
		program "talker" {
			command = "echo to out; echo to err >&2; exec sleep 1000"
			shell = true
			stderr = "log"
			log_format = "stamp"
		}
	END
	wait_for "$PATIENCE" grep -q 'talker 1 out to out$' "$SD/log/talker.log"
	wait_for "$PATIENCE" grep -q 'talker 1 err to err$' "$SD/log/talker.err.log"
	exits 0 sctl restart talker
	wait_for "$PATIENCE" grep -q 'talker 2 out to out$' "$SD/log/talker.log"
	pid=$(record talker pid)
	stanza talker <<-END
		program "talker" {
			command = "echo to out; echo to err >&2; exec sleep 1000"
			shell = true
			stderr = "log"
			log_format = "json"
		}
	END
	equals pid "$(record talker pid)" "$pid"
	kill_role logger
	exits 0 sctl restart talker
	wait_for "$PATIENCE" grep -q '"run":3,"stream":"out","text":"to out"' "$SD/log/talker.log"
	wait_for "$PATIENCE" grep -q '"run":3,"stream":"err","text":"to err"' "$SD/log/talker.err.log"
	run ! grep -q 'restarted' "$SD/log/talker.log"
}

@test "logformat: a grandchild that keeps the pipe is logged after its parent has ended" {
	stanza parent <<-END
		program "parent" {
			command = "(sleep 1; echo late) & echo early"
			shell = true
			kill_mode = "process"
			log_format = "stamp"
		}
	END
	wait_for "$PATIENCE" grep -q 'parent 1 out early$' "$SD/log/parent.log"
	wait_for "$PATIENCE" grep -q 'parent 1 out late$' "$SD/log/parent.log"
}
