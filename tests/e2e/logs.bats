# SPDX-License-Identifier: ISC
# superctl logs, and what is in a log; for the death of the logger see core.bats, and for its insides logger.bats.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "100ms" restart = "never" }'
	sd_start
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
	while read -r pid; do
		kill -KILL "$pid" 2>/dev/null || true
	done < <(cat "$SD/followers" 2>/dev/null)
	rm -f "$SD/followers"
}

@test "logs: -n gives the last lines, also across archives" {
	stanza many <<-END
		program "many" { command = "$SD/bin/numbers 1000 0 100" log_max_size = "10KB" log_keep = 100 }
	END
	wait_for "$PATIENCE" log_has_lines many 1000
	exits 0 sctl logs many
	equals "lines by default" "$(wc -l <<<"$output")" 10
	exits 0 sctl logs many -n 1
	matches "$output" '^[^ ]+ 1000 x+$'
	exits 0 sctl logs many -n 555
	equals lines "$(wc -l <<<"$output")" 555
	equals "first number" "$(head -n 1 <<<"$output" | cut -d' ' -f2)" 446
	equals "last number" "$(tail -n 1 <<<"$output" | cut -d' ' -f2)" 1000
	exits 0 sctl logs many -n 5000
	equals "all lines" "$(wc -l <<<"$output")" 1000
	assert_numbers 1000 <<<"$output"
	exits 0 sctl logs many -n 0
	equals "no lines" "$output" ""
}

@test "logs: rotation keeps whole lines and log_keep archives" {
	stanza rotated <<-END
		program "rotated" { command = "$SD/bin/numbers 2000 0 100" log_max_size = "10KB" log_keep = 3 }
	END
	wait_for "$PATIENCE" log_has rotated ' 2000 x*$'
	equals "archives" "$(archives "$SD/log/rotated.log" | wc -l)" 3
	for file in $(archives "$SD/log/rotated.log"); do
		equals "last byte" "$(tail -c 1 "$file" | od -An -tx1)" " 0a"
		at_most "size" "$(stat -c %s "$file")" 10200
		at_least "size" "$(stat -c %s "$file")" 9900
	done
}

# ends_with_line FILE TEXT: its last line has this text and is whole.
ends_with_line() {
	[ "$(tail -c 1 "$1" | od -An -tx1)" = " 0a" ] && tail -n 1 "$1" | grep -q -- "$2"
}

@test "logs: -f follows across rotation, and ends with its reader" {
	local client first last

	stanza followed <<-END
		program "followed" { command = "$SD/bin/numbers 3000 500 100" log_max_size = "20KB" log_keep = 100 }
	END
	wait_for "$PATIENCE" log_has followed ' 20 x'
	"$SUPERCTL" -s "$SD/run/control.sock" logs followed -n 5 -f >"$SD/followed.out" 2>"$SD/followed.err" 3>&- &
	client=$!
	wait_for 240 log_has_lines followed 3000
	wait_for "$PATIENCE" ends_with_line "$SD/followed.out" ' 3000 x'
	kill "$client"
	wait "$client" || true
	first=$(head -n 1 "$SD/followed.out" | cut -d' ' -f2)
	last=$(tail -n 1 "$SD/followed.out" | cut -d' ' -f2)
	equals "last number" "$last" 3000
	equals "lines" "$(wc -l <"$SD/followed.out")" $((3000 - first + 1))
	awk 'NR > 1 && $2 != last + 1 { exit 1 } { last = $2 }' "$SD/followed.out"
}

@test "logs: programs that name one file share it line by line" {
	stanza shared <<-END
		program "share-a" { command = "$SD/bin/numbers 3000 0 100" log_file = "shared/both.log" }
		program "share-b" { command = "$SD/bin/numbers 3000 0 100" log_file = "$SD/log/shared/both.log" }
	END
	wait_for "$PATIENCE" has_lines "$SD/log/shared/both.log" 6000
	cut -d' ' -f2- "$SD/log/shared/both.log" | sort | uniq -c | awk '$1 != 2 || $3 !~ /^x+$/ { exit 1 } END { exit NR != 3000 }'
	stanza_file disagree <<-END
		program "share-c" { command = "/bin/true" log_file = "shared/both.log" log_keep = 1 }
	END
	exits 1 sctl check
	matches "$output" "log_keep: differs from that of program 'share-a'"
	rm "$SD/conf.d/disagree.conf"
}

@test "logs: another file, mode, owner and compression take effect without a restart" {
	local pid uid=12345

	[ "$(id -u)" -eq 0 ] || uid=$(id -u)
	stanza moving <<-END
		program "moving" { command = "$SD/bin/numbers 100000 200 100" log_max_size = "20KB" log_keep = 1000 }
	END
	wait_for "$PATIENCE" log_has moving ' 20 x'
	pid=$(record moving pid)
	stanza moving <<-END
		program "moving" {
			command = "$SD/bin/numbers 100000 200 100"
			log_file = "elsewhere.log"
			log_max_size = "20KB"
			log_keep = 1000
			log_mode = "0604"
			log_user = $uid
			log_compress = "gzip"
		}
	END
	wait_for "$PATIENCE" has_archive elsewhere gz
	equals pid "$(record moving pid)" "$pid"
	equals "mode and owner" "$(stat -c '%a %u' "$(archives "$SD/log/elsewhere.log" | grep -m 1 'gz$')")" "604 $uid"
	exits 0 sctl stop moving
	rm "$SD/conf.d/moving.conf"
}

# has_archive NAME SUFFIX
has_archive() {
	archives "$SD/log/$1.log" | grep -q "$2\$"
}

@test "logs: --stderr shows the other stream" {
	stanza apart <<-END
		program "apart" { command = "echo out; echo err >&2" shell = true stderr = "log" }
	END
	wait_for "$PATIENCE" log_has apart.err err
	wait_for "$PATIENCE" log_has apart out
	exits 0 sctl logs apart
	equals stdout "$output" out
	exits 0 sctl logs apart --stderr
	equals stderr "$output" err
	stanza together <<-END
		program "together" { command = "echo out; echo err >&2" shell = true }
	END
	exits 1 sctl logs together --stderr
	matches "$output" 'together: its stderr has no log of its own; .*: superctl logs together$'
}

@test "logs: of an unknown program" {
	exits 4 sctl logs nobody
}

@test "logs: a grandchild that keeps the pipe open delays nothing and loses nothing" {
	stanza linger <<-END
		program "linger" { command = "$SD/bin/linger $SD/linger.go" }
	END
	wait_state linger EXITED
	wait_for "$PATIENCE" log_has linger '^early$'
	equals processes "$(count_procs linger)" 1
	touch "$SD/linger.go"
	wait_for "$PATIENCE" log_has linger '^late$'
	wait_for "$PATIENCE" no_procs linger
	equals log "$(cat "$SD/log/linger.log")" "$(printf 'early\nlate')"
}

@test "logs: what a program wrote before it died is in the file" {
	stanza dying <<-END
		program "dying" { command = "i=0; while [ \$i -lt 500 ]; do echo line \$i; i=\$((i + 1)); done; kill -9 \$\$" shell = true }
	END
	wait_state dying EXITED
	wait_for "$PATIENCE" log_has_lines dying 500
	log_has dying '^line 499$'
	equals lines "$(count_lines "$SD/log/dying.log")" 500
}

@test "logs: two programs do not mix" {
	stanza two <<-END
		program "left" { command = "$SD/bin/numbers 3000 0 80" }
		program "right" { command = "$SD/bin/numbers 3000 0 90" }
	END
	wait_for "$PATIENCE" log_has_lines left 3000
	wait_for "$PATIENCE" log_has_lines right 3000
	equals "bytes of left" "$(stat -c %s "$SD/log/left.log")" 240000
	equals "bytes of right" "$(stat -c %s "$SD/log/right.log")" 270000
}

# ---- several logs, archives of every kind, and what happens to a reader ---------------------------

# follow OUTPUT OPTION… NAME…: superctl logs -f in the background, from the first line on, whenever it comes to look; its pid
# is in $follower, and in a file for teardown().
follow() {
	local out=$1

	shift
	"$SUPERCTL" -s "$SD/run/control.sock" logs -f -n all "$@" >"$out" 2>"$out.err" 3>&- &
	follower=$!
	echo "$follower" >>"$SD/followers"
}

# Exactly the numbered lines FIRST to LAST are in the file, whatever stands before them.
has_exactly() {
	grep -o ' [0-9]* x*$' "$1" | awk -v first="$2" -v last="$3" '
		$1 != first + NR - 1 || $2 == "" { print "line " NR " is " $0; bad = 1; exit 1 }
		END { if (!bad && first + NR - 1 != last) { print "the last one is " first + NR - 1; exit 1 } }'
}

@test "logs: archives are read compressed or not, with -n and from the beginning" {
	local archives

	stanza packed <<-END
		program "packed" { command = "$SD/bin/numbers 2000 0 100" log_max_size = "20KB" log_keep = 100 }
	END
	wait_for "$PATIENCE" log_has_lines packed 2000
	archives=("$SD"/log/packed.log.*Z)
	at_least archives "${#archives[@]}" 8
	gzip "${archives[0]}" "${archives[1]}" "${archives[4]}"
	if command -v zstd >/dev/null; then
		zstd -q --rm "${archives[2]}" "${archives[5]}"
	fi
	for lines in 1 199 200 201 555 1000 1777 2000 9999; do
		exits 0 sctl logs packed -n "$lines"
		equals "lines of -n $lines" "$(wc -l <<<"$output")" $((lines < 2000 ? lines : 2000))
		equals "last number" "$(tail -n 1 <<<"$output" | cut -d' ' -f2)" 2000
	done
	exits 0 sctl logs packed -n all
	assert_numbers 2000 <<<"$output"
	exits 0 sctl logs packed --grep ' (7|77|777|1777) '
	equals "numbers" "$(cut -d' ' -f2 <<<"$output" | tr '\n' ' ')" "7 77 777 1777 "
	# A damaged one is said, and costs no more than itself.
	truncate -s 100 "${archives[1]}.gz"
	exits 0 sctl logs packed -n all
	matches "$output" 'lines are missing here: an archive is damaged'
	equals "last number" "$(tail -n 1 <<<"$output" | cut -d' ' -f2)" 2000
}

@test "logs: --since begins with the first file that was written to since then" {
	stanza since <<-END
		program "since" { command = "$SD/bin/lines one" autostart = false }
	END
	mkdir -p "$SD/log"
	echo old >"$SD/log/since.log.20260101T000000.000000Z"
	echo newer >"$SD/log/since.log.20260201T000000.000000Z"
	echo new >"$SD/log/since.log"
	exits 0 sctl logs since --since 2026-01-15
	equals lines "$(tail -n 2 <<<"$output" | tr '\n' ' ')" "newer new "
	matches "$output" 'since: its lines have no time'
	exits 0 sctl logs since --since 1h
	equals lines "$(tail -n 1 <<<"$output")" new
	touch -d '2 hours ago' "$SD/log/since.log"
	exits 0 sctl logs since --since 1h
	[[ $output != *new* ]]
}

@test "logs: of several programs each line has its name; globs, groups and all" {
	stanza several <<-END
		program "sev-a" { command = "echo of a" shell = true }
		program "sev-bcd" { command = "echo of b" shell = true }
		program "sev-mute" { command = "echo of mute" shell = true stdout = "null" }
		group "sevs" { members = {"sev-a", "sev-bcd"} }
	END
	wait_for "$PATIENCE" log_has sev-a 'of a'
	wait_for "$PATIENCE" log_has sev-bcd 'of b'
	exits 0 sctl logs 'sev-*'
	equals output "$output" $'sev-a   | of a\nsev-bcd | of b'
	exits 0 sctl logs sevs
	equals output "$output" $'sev-a   | of a\nsev-bcd | of b'
	exits 0 sctl logs sev-bcd sev-a --json
	equals output "$output" '{"time":null,"program":"sev-a","name":"sev-a","run":null,"stream":"out","text":"of a"}
{"time":null,"program":"sev-bcd","name":"sev-bcd","run":null,"stream":"out","text":"of b"}'
	exits 0 sctl logs 'sev-*' --grep 'b$'
	equals output "$output" 'sev-bcd | of b'
	exits 1 sctl logs sev-a sev-mute
	matches "$output" 'sev-mute: this output does not go to a log'
	matches "$output" 'sev-a \| of a'
	exits 1 sctl logs sev-mute
	exits 4 sctl logs sev-b
	matches "$output" 'sev-b: no such program: did you mean sev-bcd'
	exits 4 sctl logs 'nosev*'
	exits 1 sctl logs sev-a --run 1
	matches "$output" 'do not say of which run'
}

@test "logs: -f of several programs gets all lines of each, and ends when they are no more" {
	stanza chorus <<-END
		program "chorus-1" { command = "$SD/bin/numbers 2000 500 60" autostart = false log_max_size = "10KB" log_keep = 100 }
		program "chorus-2" { command = "$SD/bin/numbers 2000 500 70" autostart = false log_max_size = "10KB" log_keep = 100 }
	END
	follow "$SD/chorus.out" 'chorus-*'
	sctl start 'chorus-*' --no-wait >/dev/null
	for name in chorus-1 chorus-2; do
		wait_for "$PATIENCE" file_has "$SD/chorus.out" "^$name | .* 2000 x"
		grep "^$name | " "$SD/chorus.out" >"$SD/$name.out"
		has_exactly "$SD/$name.out" 1 2000
	done
	rm "$SD/conf.d/chorus.conf"
	sctl apply >/dev/null
	wait_for "$PATIENCE" ended "$follower"
	wait "$follower"
}

@test "logs: -f goes on without a gap when the logger is killed, rotates and compresses meanwhile" {
	stanza killed <<-END
		program "killed" { command = "$SD/bin/numbers 6000 300 80" log_max_size = "20KB" log_keep = 1000 autostart = false }
	END
	follow "$SD/killed.out" killed
	follow "$SD/killed.json" killed --json
	sctl start killed --no-wait >/dev/null
	for number in 500 1500 2500; do
		wait_for "$PATIENCE" file_has "$SD/killed.out" " $number x"
		kill_role logger
		# What was the log a moment ago may be a compressed archive when it is asked for again.
		for archive in "$SD"/log/killed.log.*Z; do
			[ ! -e "$archive" ] || gzip -q "$archive"
		done
	done
	wait_for "$PATIENCE" file_has "$SD/killed.out" ' 6000 x'
	wait_for "$PATIENCE" file_has "$SD/killed.json" ' 6000 x'
	has_exactly "$SD/killed.out" 1 6000
	equals "lines of JSON" "$(count_lines "$SD/killed.json")" 6000
	sed -E 's/.*"text":"(.*)"\}$/\1/' "$SD/killed.json" >"$SD/killed.text"
	has_exactly "$SD/killed.text" 1 6000
	equals "messages" "$(cat "$SD/killed.out.err" "$SD/killed.json.err")" ""
}

@test "logs: -f goes on without a gap when the engine is killed" {
	stanza orphaned <<-END
		program "orphaned" { command = "$SD/bin/numbers 1500 500 80" }
	END
	follow "$SD/orphaned.out" orphaned
	wait_for "$PATIENCE" file_has "$SD/orphaned.out" ' 200 x'
	kill_role engine
	wait_for "$PATIENCE" file_has "$SD/orphaned.out" ' 1500 x'
	has_exactly "$SD/orphaned.out" 1 1500
}

@test "logs: a reader that stands still delays nobody, and gets everything when it goes on" {
	stanza stalled <<-END
		program "stalled" { command = "$SD/bin/numbers 60000 0 100" log_max_size = "200KB" log_keep = 1000 autostart = false }
	END
	follow "$SD/stalled.out" -n all stalled
	sctl start stalled --no-wait >/dev/null
	wait_for "$PATIENCE" file_has "$SD/stalled.out" ' 1 x'
	kill -STOP "$follower"
	wait_for "$PATIENCE" log_has_lines stalled 60000
	[ "$(count_lines "$SD/stalled.out")" -lt 60000 ]
	kill -CONT "$follower"
	wait_for "$PATIENCE" file_has "$SD/stalled.out" ' 60000 x'
	has_exactly "$SD/stalled.out" 1 60000
}

@test "logs: what is removed before a slow reader comes to it is said" {
	stanza missed <<-END
		program "missed" { command = "$SD/bin/numbers 60000 0 100" log_max_size = "200KB" log_keep = 2 autostart = false }
	END
	follow "$SD/missed.out" missed
	sctl start missed --no-wait >/dev/null
	wait_for "$PATIENCE" file_has "$SD/missed.out" ' 1 x'
	kill -STOP "$follower"
	wait_for "$PATIENCE" log_has missed ' 60000 x'
	kill -CONT "$follower"
	wait_for "$PATIENCE" file_has "$SD/missed.out" ' 60000 x'
	# At each place, and nowhere else; one that comes back when too much is gone to tell says so.
	equals "places where it is not said, or said without need" "$(awk '
		/lines are missing here/ { said = "are"; next }
		/lines may be missing here/ { said = "may be"; next }
		match($0, / [0-9]+ x*$/) {
			split(substr($0, RSTART), number, " ")
			gap = number[1] != last + 1
			if (gap ? said == "" : said == "are") print last, number[1], said
			last = number[1]; said = ""
		}' "$SD/missed.out")" ""
	at_least notes "$(grep -c 'lines \(are\|may be\) missing here' "$SD/missed.out")" 1
}

@test "logs: --rotate, --reopen and --clear while somebody follows" {
	mkfifo "$SD/acted.in"
	stanza acted <<-END
		program "acted" { command = "while read -r line; do echo \"\$line\"; done <$SD/acted.in" shell = true log_keep = 5 }
	END
	exec 5>"$SD/acted.in"
	follow "$SD/acted.out" acted
	echo one >&5
	wait_for "$PATIENCE" file_has "$SD/acted.out" '^one$'
	exits 0 sctl logs --rotate acted
	equals output "$output" "acted: $SD/log/acted.log rotated"
	equals archives "$(cat "$SD"/log/acted.log.*Z)" one
	echo two >&5
	wait_for "$PATIENCE" file_has "$SD/acted.out" '^two$'
	equals log "$(cat "$SD/log/acted.log")" two
	mv "$SD/log/acted.log" "$SD/log/acted.moved"
	exits 0 sctl logs --reopen acted
	[ -e "$SD/log/acted.log" ]
	echo three >&5
	wait_for "$PATIENCE" file_has "$SD/acted.out" '^three$'
	exits 0 sctl logs --clear acted
	run ! ls "$SD"/log/acted.log.*Z
	equals log "$(cat "$SD/log/acted.log")" ""
	echo four, longer than three >&5
	wait_for "$PATIENCE" file_has "$SD/acted.out" '^four'
	exec 5>&-
	equals followed "$(cat "$SD/acted.out")" $'one\ntwo\nthree\nfour, longer than three'
	exits 4 sctl logs --rotate nobody
	exits 2 sctl logs --rotate --clear acted
	matches "$output" 'does not go with'
	exits 4 sctl logs rotate acted
	matches "$output" 'superctl logs --rotate'
}

@test "logs: stamped logs are merged by time, and know runs and times" {
	stanza stamped <<-END
		program "stamp-a" { command = "$SD/bin/numbers 300 300 40" log_format = "stamp" log_max_size = "5KB" log_keep = 100 }
		program "stamp-b" { command = "$SD/bin/numbers 300 300 50" log_format = "json" log_max_size = "5KB" log_keep = 100 }
	END
	wait_for "$PATIENCE" log_has stamp-a ' 300 x'
	wait_for "$PATIENCE" log_has stamp-b ' 300 x'
	exits 0 sctl logs 'stamp-*' -n all
	equals lines "$(wc -l <<<"$output")" 600
	cut -d'|' -f2 <<<"$output" | cut -d' ' -f2 | LC_ALL=C sort -c
	exits 0 sctl logs 'stamp-*' -n 5 --json
	equals lines "$(wc -l <<<"$output")" 10
	equals names "$(grep -o '"name":"[^"]*"' <<<"$output" | sort | uniq -c | tr -s ' ' | tr '\n' ,)" \
		' 5 "name":"stamp-a", 5 "name":"stamp-b",'
	exits 0 sctl restart stamp-a
	wait_for "$PATIENCE" has_run stamp-a 2
	exits 0 sctl logs stamp-a --run 1
	equals lines "$(wc -l <<<"$output")" 300
	exits 0 sctl logs stamp-a --run 1 --grep ' 2[0-9] x' -n 3
	equals numbers "$(awk '{ print $6 }' <<<"$output" | tr '\n' ' ')" "27 28 29 "
	exits 0 sctl logs stamp-a --since 2d
	at_least lines "$(wc -l <<<"$output")" 301
	exits 0 sctl logs stamp-a --since 2200-01-01
	equals output "$output" ""
}

# has_run NAME RUN: there is a line of that run.
has_run() {
	[ -n "$(sctl logs "$1" --run "$2")" ]
}

@test "logs: of a program without a file come from memory, and end with the program" {
	local follower

	stanza memory <<-END
		program "memory" { command = "$SD/bin/numbers 100 500 40" stdout = "syslog" }
	END
	wait_for "$PATIENCE" in_memory memory ' 100 x'
	[ ! -e "$SD/log/memory.log" ]
	exits 0 sctl logs memory -n 3
	equals numbers "$(awk '{ print $6 }' <<<"$output" | tr '\n' ' ')" "98 99 100 "
	matches "$output" '^20[0-9-]*T[0-9:.]*Z memory 1 out '
	exits 0 sctl logs memory --grep ' 50 x' --json
	matches "$output" '^\{"time":"20.*Z","program":"memory","name":"memory","run":1,"stream":"out","text":".* 50 x*"\}$'
	exits 1 sctl logs --rotate memory
	follow "$SD/memory.out" memory
	wait_for "$PATIENCE" file_has "$SD/memory.out" ' 100 x'
	has_exactly "$SD/memory.out" 1 100
	kill_role logger
	sctl restart memory >/dev/null
	wait_for "$PATIENCE" file_has "$SD/memory.out" 'memory 2 out .* 100 x'
	equals notes "$(grep -c 'lines may be missing here' "$SD/memory.out")" 1
	rm "$SD/conf.d/memory.conf"
	sctl apply >/dev/null
	wait_for "$PATIENCE" ended "$follower"
	wait "$follower"
}

in_memory() {
	sctl logs "$1" -n all | grep -q -- "$2"
}
