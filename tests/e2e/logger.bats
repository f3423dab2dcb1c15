# SPDX-License-Identifier: ISC
# The logger alone, under a guardian that is a test program: tests/programs/logger_guardian.c has the commands.

bats_require_minimum_version 1.5.0

load logplay.bash

@test "logger: 100 kills while it writes and rotates lose, repeat and split nothing" {
	play <<-END
		spec 7 0 30000 1000 web $T/log/web.log
		spec 7 1 7000 1000 web $T/log/err.log
		specs
		pipe 40 7 0
		pipe 41 7 1
		start
		run 40 $WRITER 400000 61 1; touch $T/done
		run 41 $WRITER 60000 97 7
		storm 30
		sh test ! -e $T/done
		storm 70
		wait 40
		wait 41
		drained 40
		drained 41
		finish
	END
	[ "$(find "$T/log" -name 'web.log.*' | wc -l)" -gt 300 ]
	complete "$T/log/web.log" 400000 61
	complete "$T/log/err.log" 60000 97
}

@test "logger: rotation goes by size on whole lines and keeps the newest" {
	play <<-END
		spec 1 0 1000 3 web $T/web.log
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 500 100 3
		wait 40
		finish
	END
	[ "$(sizes "$T/web.log")" = "1000 1000 1000 1000" ]
	[ "$(stat -c %a "$T/web.log")" = 640 ]
	whole "$T/web.log" >"$T/all"
	[ "$(wc -l <"$T/all")" -eq 40 ]
	[ "$(tail -n 1 "$T/all" | cut -d' ' -f1)" = 000000000499 ]
}

@test "logger: keep 0 begins the file anew" {
	play <<-END
		spec 1 0 1000 0 web $T/web.log
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 55 100 1
		wait 40
		finish
	END
	[ "$(cd "$T" && echo web.log*)" = web.log ]
	[ "$(wc -l <"$T/web.log")" -eq 5 ]
}

@test "logger: a line longer than the limit is split at twice the limit" {
	play <<-END
		spec 1 0 1000 9 web $T/web.log
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 1 5000 1
		wait 40
		finish
	END
	[ "$(sizes "$T/web.log")" = "2000 2000 1000" ]
	[ "$(whole "$T/web.log" | wc -c)" -eq 5000 ]
}

@test "logger: archives are in order by name when the clock was ahead, and other files are left alone" {
	printf 'one\n' >"$T/web.log.20000101T000000.000000Z"
	printf 'two\n' >"$T/web.log.29991231T235959.999998Z"
	printf 'zero\n' >"$T/web.log"
	touch "$T/web.log.1" "$T/web.log.29991231T235959.999998Zz" "$T/web.log.20000230T000000.000000Z"
	play <<-END
		spec 1 0 3 3 web $T/web.log
		specs
		pipe 40 1 0
		start
		say 40 four
		say 40 five
		finish
	END
	rm "$T/web.log.20000230T000000.000000Z" "$T/web.log.29991231T235959.999998Zz" "$T/web.log.1"
	has_lines <(whole "$T/web.log") two zero four five
	[ -e "$T/web.log.29991231T235959.999999Z" ]
	[ -e "$T/web.log.30000101T000000.000000Z" ]
}

@test "logger: a pipe without a spec waits for it; MSG_FINISH drains" {
	play <<-END
		start
		pipe 40 1 0
		say 40 early
		spec 1 0 0 0 web $T/deep/er/web.log
		specs
		until grep -q early $T/deep/er/web.log
		say 40 late
		part 40 last
		finish
	END
	[ "$(cat "$T/deep/er/web.log")" = "$(printf 'early\nlate\nlast')" ]
	[ "$(stat -c %a "$T/deep/er")" = 755 ]
}

@test "logger: MSG_RELEASED drains, also after the spec has gone, and the slot serves another" {
	play <<-END
		spec 1 0 0 0 web $T/web.log
		spec 2 0 0 0 db $T/db.log
		specs
		pipe 40 1 0
		start
		say 40 one
		drained 40
		unspec 1 0
		specs
		say 40 two
		release 40
		pipe 40 2 0
		say 40 three
		finish
	END
	has_lines "$T/web.log" one two
	has_lines "$T/db.log" three
}

@test "logger: a changed path takes over at a line end" {
	play <<-END
		spec 1 0 0 0 web $T/old.log
		specs
		pipe 40 1 0
		start
		say 40 one
		part 40 tw
		drained 40
		spec 1 0 0 0 web $T/new.log
		spec 2 0 0 0 db $T/db.log
		specs
		pipe 41 2 0
		say 41 the specs came before this
		drained 41
		say 40 o
		say 40 three
		finish
	END
	has_lines "$T/old.log" one two
	has_lines "$T/new.log" three
}

@test "logger: new limits apply at once" {
	play <<-END
		spec 1 0 1000 9 web $T/web.log
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 100 100 1
		wait 40
		drained 40
		sh test \$(ls $T | grep -c Z) -eq 9
		spec 1 0 300 2 web $T/web.log
		specs
		until test \$(ls $T | grep -c Z) -eq 2
		run 40 $WRITER 6 100 1
		wait 40
		finish
	END
	[ "$(sizes "$T/web.log")" = "1000 300 300" ]
}

@test "logger: a deleted, a moved and a truncated file" {
	play <<-END
		spec 1 0 0 0 web $T/web.log
		specs
		pipe 40 1 0
		start
		say 40 lost
		drained 40
		sh rm $T/web.log
		say 40 one
		drained 40
		sh mv $T/web.log $T/moved
		say 40 two
		drained 40
		sh cp $T/web.log $T/copy; : >$T/web.log
		say 40 three
		finish
	END
	has_lines "$T/moved" one
	has_lines "$T/copy" two
	has_lines "$T/web.log" three
}

@test "logger: a full disk holds one program back and is told once; others go on" {
	mkdir "$T/small"
	mount -t tmpfs -o size=64k supervisord-test "$T/small" 2>/dev/null || skip "may not mount"
	# shellcheck disable=SC2034 # teardown() of logplay.bash uses it
	MOUNTED=$T/small
	play <<-END
		spec 1 0 0 0 web $T/small/web.log
		spec 2 0 0 0 db $T/db.log
		specs
		pipe 40 1 0
		pipe 41 2 0
		start
		run 40 $WRITER 3000 100 1
		until grep -q "web: stdout: cannot write $T/small/web.log: No space left" $T/err
		until test \$(stat -c %s $T/small/web.log) -eq 65536
		say 41 fine
		drained 41
		kill
		start
		say 41 still
		drained 41
		sh mount -o remount,size=4m $T/small
		wait 40
		until grep -q "web: stdout: .* is written again" $T/err
		finish
	END
	has_lines "$T/db.log" fine still
	[ "$(grep -c 'cannot write' "$T/err")" -le 2 ]
	complete "$T/small/web.log" 3000 100
}

@test "logger: releasing a pipe whose file cannot be written loses nothing when it can again" {
	mkdir "$T/dir"
	play <<-END
		spec 1 0 0 0 web $T/dir/web.log
		specs
		sh rmdir $T/dir && touch $T/dir
		pipe 40 1 0
		start
		say 40 one
		until grep -q 'cannot write .*: Not a directory' $T/err
		release 40
		sh rm $T/dir
		until test -s $T/dir/web.log
		finish
	END
	has_lines "$T/dir/web.log" one
}

@test "logger: it outlives the guardian until the last writer has ended" {
	play <<-END
		spec 1 0 0 0 web $T/web.log
		spec 4294967295 0 0 0 supervisord $T/own.log
		specs
		own 5
		pipe 40 1 0
		start
		run 40 until test -e $T/go; do :; done; echo last words
		say 40 first
		drained 40
		sh { until grep -q 'the guardian is gone' $T/own.log; do :; done; touch $T/go; } >/dev/null 2>&1 &
		abandon
	END
	has_lines "$T/web.log" first "last words"
}

@test "logger: its own messages go through its own pipe" {
	play <<-END
		spec 4294967295 0 0 0 supervisord $T/own.log
		spec 1 0 0 0 web /proc/no/such/web.log
		specs
		own 5
		pipe 40 1 0
		start
		say 40 x
		until grep -q 'logger: error: web: stdout: cannot write /proc/no/such/web.log: ' $T/own.log
		read 4294967295 0 1 0 0 $T/reply
		until grep -q closed $T/reply
		finish
	END
	grep -q 'cannot write' "$T/reply"
	grep -q 'web: stdout: 2 bytes are lost: ' "$T/own.log"
}

# One reply without data, which says where to go on, and the end.
has_empty_reply() {
	if ! tail -n 2 "$1" | head -n 1 | grep -qE '^\{"parameters":\{"data":"","format":"raw","next":"[0-9a-f.]+"\}\}$' ||
		[ "$(tail -n 1 "$1")" != closed ]; then
		cat "$1"
		return 1
	fi
}

@test "logger: the last lines, across archives, in one reply or several" {
	play <<-END
		spec 1 0 1000 100 web $T/web.log
		spec 2 0 1000 100 none $T/none.log
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 95 100 1
		wait 40
		drained 40
		read 1 0 25 0 0 $T/one
		read 1 0 25 0 1 $T/several
		read 1 0 -1 0 1 $T/all
		read 1 0 0 0 0 $T/zero
		read 2 0 10 0 0 $T/none
		read 9 0 10 0 1 $T/unknown
		until test \$(cat $T/one $T/several $T/all $T/zero $T/none $T/unknown | grep -c '^closed') -eq 6
		finish
	END
	[ "$(wc -l <"$T/one")" -eq 2 ]
	[ "$(grep -o '0000000000[0-9]* x' "$T/one" | tr -d ' x' | tr '\n' ' ')" = "$(printf '%012d ' {70..94})" ]
	run ! grep -q continues "$T/one"
	[ "$(grep -o '0000000000[0-9]* x' "$T/several" | tr -d ' x' | tr '\n' ' ')" = "$(printf '%012d ' {70..94})" ]
	[ "$(grep -o '0000000000[0-9]* x' "$T/all" | wc -l)" -eq 95 ]
	[ "$(grep -c '"continues":true' "$T/all")" -eq 9 ]
	has_empty_reply "$T/zero"
	has_empty_reply "$T/none"
	# It may be told of that one only later: who asks comes again.
	has_lines "$T/unknown" closed
}

@test "logger: one reply holds the newest 512 KB at whole lines" {
	play <<-END
		spec 1 0 100000 100 web $T/web.log
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 9000 100 10
		wait 40
		drained 40
		read 1 0 -1 0 0 $T/reply
		until grep -q closed $T/reply
		finish
	END
	[ "$(grep -o '[0-9]\{12\} x' "$T/reply" | wc -l)" -eq 5242 ]
	[ "$(grep -o '[0-9]\{12\} x' "$T/reply" | tail -n 1)" = "000000008999 x" ]
}

@test "logger: a follower gets every line once through many rotations; one that never reads delays nobody" {
	play <<-END
		spec 1 0 3000 1000 web $T/web.log
		specs
		pipe 40 1 0
		start
		say 40 before
		drained 40
		hang 1 0 0
		read 1 0 1 1 1 $T/reply
		until grep -q before $T/reply
		run 40 $WRITER 30000 100 7
		wait 40
		drained 40
		until grep -q 000000029999 $T/reply
		finish
		until grep -q closed $T/reply
	END
	grep -o '[0-9]\{12\} x' "$T/reply" | awk '$1 + 0 != NR - 1 { exit 1 } END { exit NR != 30000 }'
}

@test "logger: a follower whose lines were rotated away is told so, and goes on" {
	play <<-END
		spec 1 0 3000 1 web $T/web.log
		specs
		pipe 40 1 0
		start
		say 40 before
		drained 40
		read 1 0 1 1 1 $T/reply
		until grep -q before $T/reply
		run 40 $WRITER 200000 100 600
		wait 40
		drained 40
		until grep -q 000000199999 $T/reply
		finish
	END
	grep -o '[0-9]\{12\} x' "$T/reply" | awk '{ n = $1 + 0 } NR > 1 && n <= last { exit 1 } { last = n }'
	# Each gap has its note, and a note stands for a gap.
	notes=$(grep -c '"lost":true' "$T/reply" || true)
	gaps=$(grep -o '[0-9]\{12\} x' "$T/reply" | awk 'BEGIN { last = -1 } $1 + 0 != last + 1 { n++ } { last = $1 + 0 } END { print n + 0 }')
	[ "$notes" -ge 1 ] && [ "$notes" -eq "$gaps" ]
	[ "$notes" -eq "$(grep -o 'lines are missing here: removed before they were read' "$T/reply" | wc -l)" ]
}

@test "logger: a follower goes along when the path changes and ends with the log" {
	play <<-END
		spec 1 0 0 0 web $T/old.log
		spec 2 0 0 0 db $T/db.log
		specs
		pipe 40 1 0
		pipe 41 2 0
		start
		say 40 one
		drained 40
		sh echo unrelated >$T/new.log
		read 1 0 1 1 1 $T/reply
		until grep -q one $T/reply
		spec 1 0 0 0 web $T/new.log
		specs
		pipe 42 2 0
		say 42 the specs came before this
		drained 42
		say 40 two
		until grep -q two $T/reply
		unspec 1 0
		specs
		until grep -q closed $T/reply
		finish
	END
	run ! grep -q unrelated "$T/reply"
	has_empty_reply "$T/reply"
}

@test "logger: readers past the limit are refused" {
	{
		printf '%s\n' "spec 1 0 0 0 web $T/web.log" specs "pipe 40 1 0" start "say 40 x" "drained 40"
		for ((i = 0; i < 128; i++)); do echo "hang 1 0 1"; done
		printf '%s\n' "read 1 0 1 1 1 $T/reply" "until grep -q closed $T/reply" finish
	} >"$T/script"
	play <"$T/script"
	grep -q '{"error":"io.superctl.Busy","parameters":{"reason":"128 log readers are being served"}}' "$T/reply"
}
