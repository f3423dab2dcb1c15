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

@test "logfiles: writes larger than the pipe, which end within lines, are not waited for in a shared file" {
	"$WRITER" 200000 100 1000 a >"$T/a"
	"$WRITER" 200000 100 1000 b >"$T/b"
	# 77 writes each: two seconds for each of them would be two minutes and a half, and play() waits for one.
	play <<-END
		spec 1 0 0 0 a $T/all.log
		spec 2 0 0 0 b $T/all.log
		specs
		pipe 40 1 0
		pipe 41 2 0
		start
		run 40 dd if=$T/a bs=262147 2>/dev/null
		run 41 dd if=$T/b bs=262147 2>/dev/null
		wait 40
		wait 41
		drained 40
		drained 41
		finish
	END
	shared_complete "$T/all.log" ab 200000
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

# answer FILE: of a request, without what stands around it.
answer() {
	sed 's/^{"parameters":\(.*\)}$/\1/' "$1"
}

@test "logfiles: rotate and reopen on demand, between lines" {
	play <<-END
		spec 1 0 0 9 web $T/web.log
		spec 1 1 0 9 web $T/web.log
		spec 2 0 0 9 quiet $T/quiet.log
		specs
		pipe 40 1 0
		start
		say 40 one
		drained 40
		rotate 1 3 $T/first
		part 40 tw
		until grep -q tw $T/web.log
		rotate 1 1 $T/second
		say 40 o
		say 40 three
		drained 40
		sh mv $T/web.log $T/moved.log
		reopen 1 1 $T/third
		sh test ! -s $T/web.log
		say 40 four
		rotate 2 3 $T/fourth
		rotate 3 3 $T/fifth
		finish
	END
	[ "$(answer "$T/first")" = "{\"files\":[\"$T/web.log\"]}" ]
	[ "$(answer "$T/second")" = "{\"files\":[\"$T/web.log\"]}" ]
	[ "$(answer "$T/third")" = "{\"files\":[\"$T/web.log\"]}" ]
	[ "$(answer "$T/fourth")" = "{\"files\":[\"$T/quiet.log\"]}" ]
	grep -q NoLog "$T/fifth"
	has_lines "$(archives "$T/web.log" | head -n 1)" one
	has_lines "$(archives "$T/web.log" | tail -n 1)" two
	has_lines "$T/moved.log" three
	has_lines "$T/web.log" four
	[ -z "$(archives "$T/quiet.log")" ]
}

@test "logfiles: a rotation on demand that fails is answered with the reason" {
	local name

	name=$(printf '%0240d' 0)
	play <<-END
		spec 1 0 0 9 web $T/$name
		specs
		pipe 40 1 0
		start
		say 40 one
		drained 40
		rotate 1 1 $T/answer
		say 40 two
		finish
	END
	grep -q '"error":"io.superctl.LogFailed","parameters":{"name":"web","reason":"File name too long"}' "$T/answer"
	has_lines "$T/$name" one two
}

@test "logfiles: clear removes what was written, archives too, and nothing that comes later" {
	printf 'old\n' >"$T/web.log.20200131T000000.000000Z.gz"
	play <<-END
		spec 1 0 20000 1000 web $T/web.log
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 200000 61 7; touch $T/done
		until test \$(ls $T | grep -c Z) -gt 20
		sh ls $T | grep Z >$T/before
		clear 1 1 $T/answer
		sh ls $T >$T/after
		wait 40
		drained 40
		finish
	END
	[ "$(answer "$T/answer")" = "{\"files\":[\"$T/web.log\"]}" ]
	[ ! -e "$T/web.log.20200131T000000.000000Z.gz" ]
	run ! grep -qxFf "$T/before" "$T/after"
	# From the first whole line on there is none missing, to the last.
	whole "$T/web.log" | sed 1d | awk 'NR > 1 && $1 + 0 != n + 1 { print "gap at " $1; exit 1 } { n = $1 + 0 } END { if (n != 199999) exit 1 }'
}

@test "logfiles: logrotate, as it comes and with copytruncate" {
	local logrotate

	logrotate=$(PATH=$PATH:/usr/sbin type -P logrotate) || skip "logrotate is not installed"
	cat >"$T/rename.conf" <<-END
		$T/log/renamed.log {
		size 1
		rotate 10000
		nocompress
		missingok
		nocreate
		}
	END
	sed 's/renamed/copied/; s/nocreate/copytruncate/' "$T/rename.conf" >"$T/copy.conf"
	cat >"$T/rotate" <<-END
		#!/bin/sh
		# Often while it writes, and at the end.
		while [ ! -e $T/done ]; do
			$logrotate -s $T/state -f $T/\$1.conf || exit 1
		done
	END
	chmod +x "$T/rotate"
	mkdir -m 700 "$T/log"
	play <<-END
		spec 1 0 0 9 renamed $T/log/renamed.log
		spec 2 0 0 9 copied $T/log/copied.log
		specs
		pipe 40 1 0
		pipe 41 2 0
		start
		run 40 $WRITER 100000 61 1; touch $T/done
		sh $T/rotate rename
		wait 40
		drained 40
		say 41 one
		drained 41
		sh $logrotate -s $T/state -f $T/copy.conf
		say 41 two
		finish
	END
	# shellcheck disable=SC2012 # names of our own
	ls "$T"/log/renamed.log.* | sort -t. -k4nr | xargs cat >"$T/all"
	[ ! -e "$T/log/renamed.log" ] || cat "$T/log/renamed.log" >>"$T/all"
	awk '$1 + 0 != NR - 1 { print "line " NR " is " $0; exit 1 } END { if (NR != 100000) { print NR; exit 1 } }' "$T/all"
	has_lines "$T/log/copied.log.1" one
	has_lines "$T/log/copied.log" two
}

@test "logfiles: archives are compressed, exactly, whoever is killed meanwhile" {
	play <<-END
		spec 1 0 30000 1000 web $T/log/web.log gzip
		spec 2 0 30000 1000 db $T/log/db.log zstd
		specs
		pipe 40 1 0
		pipe 41 2 0
		start
		run 40 $WRITER 40000 61 1
		run 41 $WRITER 40000 61 7
		storm 30
		wait 40
		wait 41
		drained 40
		drained 41
		until test -z "\$(find $T/log -name '*Z' -o -name '*.tmp')"
		finish
	END
	complete "$T/log/web.log" 40000 61
	complete "$T/log/db.log" 40000 61
	[ "$(archives "$T/log/web.log" | grep -c 'gz$')" -gt 70 ]
	[ "$(archives "$T/log/db.log" | grep -c 'zst$')" -gt 70 ]
}

@test "logfiles: a compressed archive keeps mode and time, and half-made ones are removed at start" {
	printf 'old\n' >"$T/web.log.20200131T000000.000000Z"
	chmod 604 "$T/web.log.20200131T000000.000000Z"
	touch -d '2020-01-31 00:00:00 UTC' "$T/web.log.20200131T000000.000000Z"
	touch "$T/web.log.20200131T000000.000000Z.gz.tmp" "$T/web.log.20200101T000000.000000Z.gz.tmp" "$T/other.gz.tmp"
	play <<-END
		spec 1 0 0 9 web $T/web.log gzip
		specs
		start
		until test ! -e $T/web.log.20200131T000000.000000Z
		finish
	END
	[ "$(gzip -dc "$T/web.log.20200131T000000.000000Z.gz")" = old ]
	[ "$(stat -c '%a %Y' "$T/web.log.20200131T000000.000000Z.gz")" = "604 1580428800" ]
	[ ! -e "$T/web.log.20200101T000000.000000Z.gz.tmp" ]
	[ -e "$T/other.gz.tmp" ]
}

@test "logfiles: age and total size remove the oldest, also of a log that is quiet" {
	printf 'too old\n' >"$T/web.log.20200131T000000.000000Z.gz"
	printf 'soon\n' >"$T/web.log.$(date -u -d '-3598 seconds' +%Y%m%dT%H%M%S.000000Z)"
	printf 'later\n' >"$T/web.log.$(date -u -d '-1800 seconds' +%Y%m%dT%H%M%S.000000Z)"
	play <<-END
		spec 1 0 0 9 web $T/web.log age=3600
		spec 2 0 1000 99 db $T/db.log total=3500
		specs
		pipe 40 2 0
		start
		until test \$(ls $T | grep -c web) -le 2
		until test \$(ls $T | grep -c web) -eq 1
		run 40 $WRITER 100 100 1
		wait 40
		finish
	END
	has_lines "$(archives "$T/web.log")" later
	[ "$(sizes "$T/db.log")" = "1000 1000 1000" ]
}

@test "logfiles: on a full disk the oldest archives make room, and the newest lines are all there" {
	mkdir "$T/small"
	mount -t tmpfs -o size=400k supervisord-test "$T/small" 2>/dev/null || skip "may not mount"
	# shellcheck disable=SC2034 # teardown() of logplay.bash uses it
	MOUNTED=$T/small
	play <<-END
		spec 1 0 20000 1000 web $T/small/web.log total=300000
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 2000 100 1
		wait 40
		drained 40
		sh ! dd if=/dev/zero of=$T/small/junk bs=1k count=1000 2>$T/dd
		run 40 $WRITER 20000 100 3
		wait 40
		drained 40
		sh ! grep 'cannot write' $T/err
		finish
	END
	whole "$T/small/web.log" | awk 'NR > 1 && $1 + 0 != n + 1 { print "gap at " $1; exit 1 } { n = $1 + 0 }
		END { if (n != 19999 || NR < 500) { print NR " lines to " n; exit 1 } }'
}

@test "logfiles: a full disk is told once for all logs on it, and not a byte of them is lost" {
	local i

	mkdir "$T/small"
	mount -t tmpfs -o size=64k supervisord-test "$T/small" 2>/dev/null || skip "may not mount"
	# shellcheck disable=SC2034 # teardown() of logplay.bash uses it
	MOUNTED=$T/small
	{
		for i in 1 2 3 4 5; do
			echo "spec $i 0 0 0 p$i $T/small/p$((i < 5 ? i : 4)).log"
			echo "pipe 4$i $i 0"
		done
		echo specs
		echo start
		for i in 1 2 3; do
			echo "run 4$i $WRITER 3000 97 $i"
		done
		echo "run 44 $WRITER 3000 97 5 a"
		echo "run 45 $WRITER 3000 97 5 b"
		echo "until grep -q 'No space left' $T/err"
		echo "kill"
		echo "start"
		echo "sh mount -o remount,size=8m $T/small"
		for i in 1 2 3 4 5; do
			echo "wait 4$i"
			echo "drained 4$i"
		done
		echo finish
	} | play
	[ "$(grep -c 'cannot write' "$T/err")" -le 2 ]
	for i in 1 2 3; do
		complete "$T/small/p$i.log" 3000 97
	done
	shared_complete "$T/small/p4.log" ab 3000
}

@test "logfiles: a disk that is full in the middle of a program's last words gets the rest later" {
	mkdir "$T/small"
	mount -t tmpfs -o size=64k supervisord-test "$T/small" 2>/dev/null || skip "may not mount"
	# shellcheck disable=SC2034 # teardown() of logplay.bash uses it
	MOUNTED=$T/small
	play <<-END
		spec 1 0 0 0 web $T/small/web.log
		specs
		pipe 40 1 0
		run 40 $WRITER 600 100 1
		wait 40
		sh head -c 40960 /dev/zero >$T/small/junk
		start
		release 40
		until grep -q 'No space left' $T/err
		sh mount -o remount,size=1m $T/small
		until test \$(wc -l <$T/small/web.log) -eq 600
		finish
	END
	complete "$T/small/web.log" 600 100
}

@test "logfiles: a disk that is full in the middle of a write does not hold up who drops" {
	mkdir "$T/small"
	mount -t tmpfs -o size=64k supervisord-test "$T/small" 2>/dev/null || skip "may not mount"
	# shellcheck disable=SC2034 # teardown() of logplay.bash uses it
	MOUNTED=$T/small
	play <<-END
		spec 1 0 0 0 web $T/small/web.log
		set 1 0 full drop
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 600 100 600; $WRITER 20000 100 5000
		wait 40
		finish
	END
	grep -q 'No space left' "$T/err"
}
