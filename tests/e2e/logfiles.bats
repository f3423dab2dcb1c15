# SPDX-License-Identifier: ISC
# The logger and its files: shared ones, other people who move them, compression, limits, full disks.

bats_require_minimum_version 1.5.0

load logplay.bash

# Every line is of one writer, and the lines of each writer (the letters of $2) are 0 … $3 - 1 in order.
shared_complete() {
	whole "$1" | awk -v letters="$2" -v count="$3" '
		{
			letter = substr($2, 1, 1)
			if ($2 !~ "^" letter "+$" || length($0) != width && NR > 1) { print "mixed: " substr($0, 1, 60); exit 1 }
			width = length($0)
			if ($1 + 0 != next_of[letter]++) { print "line " NR " is " substr($0, 1, 40) ", not " next_of[letter] - 1; exit 1 }
		}
		END {
			for (i = 1; i <= length(letters); i++)
				if (next_of[substr(letters, i, 1)] != count) {
					print substr(letters, i, 1) ": " next_of[substr(letters, i, 1)] " lines of " count
					exit 1
				}
		}'
}

@test "logfiles: writers that share a file never mix their lines, through kills and rotations" {
	play <<-END
		spec 1 0 50000 1000 a $T/log/all.log
		spec 1 1 50000 1000 a $T/log/all.log
		spec 2 0 50000 1000 c $T/log/all.log
		spec 3 0 50000 1000 d $T/log/all.log
		specs
		pipe 40 1 0
		pipe 41 1 1
		pipe 42 2 0
		pipe 43 3 0
		start
		run 40 $WRITER 60000 71 1 a
		run 41 $WRITER 60000 71 5 b
		run 42 $WRITER 60000 71 3 c 100
		run 43 $WRITER 60000 71 700 d; touch $T/done
		storm 60
		wait 40
		wait 41
		wait 42
		wait 43
		drained 40
		drained 41
		drained 42
		drained 43
		finish
	END
	shared_complete "$T/log/all.log" abcd 60000
	[ "$(archives "$T/log/all.log" | wc -l)" -gt 50 ]
	for file in $(archives "$T/log/all.log"); do
		[ "$(tail -c 1 "$file" | od -An -c | tr -d ' ')" = '\n' ]
		[ "$(stat -c %s "$file")" -lt 50100 ]
	done
}

@test "logfiles: a line that is not finished is waited for, then shown, and never mixed" {
	play <<-END
		spec 1 0 0 0 a $T/all.log
		spec 2 0 0 0 b $T/all.log
		specs
		pipe 40 1 0
		pipe 41 2 0
		start
		part 40 half and
		say 41 another's
		until grep -q another $T/all.log
		sh test \$(wc -l <$T/all.log) -eq 1
		say 40 half
		part 40 prompt
		say 41 line
		until grep -q prompt $T/all.log
		kill
		start
		say 41 waits for its end
		until grep -q end $T/all.log
		say 40 that comes late
		part 41 at the end
		drained 40
		finish
	END
	has_lines "$T/all.log" "another's" "half andhalf" line prompt "waits for its end" "that comes late" "at the end"
}

@test "logfiles: lines longer than a pipe, and a pipe that goes in the middle of one" {
	play <<-END
		spec 1 0 0 0 a $T/all.log
		spec 2 0 0 0 b $T/all.log
		specs
		pipe 40 1 0
		pipe 41 2 0
		start
		run 40 $WRITER 20 300000 1 a
		run 41 $WRITER 20 300000 1 b
		wait 40
		wait 41
		drained 40
		drained 41
		part 40 last words
		release 40
		until grep -q 'last words' $T/all.log
		say 41 of another
		finish
	END
	head -n 40 "$T/all.log" >"$T/long.log"
	shared_complete "$T/long.log" ab 20
	tail -n 2 "$T/all.log" >"$T/tail"
	has_lines "$T/tail" "last words" "of another"
}

@test "logfiles: the first line of another hour begins a file, also after a kill" {
	printf 'two hours ago\n' >"$T/web.log"
	touch -d '2 hours ago' "$T/web.log"
	play <<-END
		spec 1 0 0 9 web $T/web.log hourly
		specs
		pipe 40 1 0
		start
		kill
		start
		say 40 now
		say 40 and again
		finish
	END
	has_lines "$(archives "$T/web.log")" "two hours ago"
	has_lines "$T/web.log" now "and again"
}
