# SPDX-License-Identifier: ISC
# What goes wrong around the logger, and that every line of its programs is in their logs all the same: once, whole, in order.
#
# The logger runs under tests/programs/logger_guardian.c (its commands are in its head), the lines are logger_writer.c's, and
# logger_verify.c proves the result.  FAULT_KILLS: kills of a storm, for `make soak`.
#
# tests/run: long

bats_require_minimum_version 1.5.0

setup() {
	local root
	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	OUT=${O:-build}
	[[ $OUT == /* ]] || OUT=$root/$OUT
	LOGGER=$OUT/libexec/supervisord/logger
	GUARDIAN=$OUT/tests/programs/logger_guardian
	WRITER=$OUT/tests/programs/logger_writer
	VERIFY=$OUT/tests/programs/logger_verify
	T=$(mktemp -d "${TMPDIR:-/tmp}/fault.XXXXXX")
	chmod 755 "$T"
	KILLS=${FAULT_KILLS:-100}
	MOUNTED=
}

teardown() {
	[ -z "$MOUNTED" ] || umount "$MOUNTED"
	rm -rf "$T"
}

# Run a script of guardian commands from stdin, under the words given.
play() {
	"$@" "$GUARDIAN" "$LOGGER" 3>&- 4>&- >"$T/out" 2>"$T/err" || {
		cat "$T/out"
		tail -n 30 "$T/err"
		return 1
	}
}

# The same with a plan of what fails; the commands "fault NAME VALUE" change it.
play_faults() {
	FAULT_SHIM=$OUT/tests/fault/shim.so FAULT_PLAN=$T/plan \
		ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" play
}

# Lines that keep a writer busy for as long as a storm of $KILLS takes, at $1 a kill: 20 ms with the pauses of the tests.
lines_for() {
	echo $((KILLS * $1))
}

said() {
	grep -c -- "$1" "$T/err" || true
}

@test "fault: SIGKILL at random moments, two streams that rotate" {
	local out err

	out=$(lines_for 400)
	err=$(lines_for 60)
	play <<-END
		spec 7 0 30000 1000000 web $T/log/web.log
		spec 7 1 7000 1000000 web $T/log/err.log
		specs
		pipe 40 7 0
		pipe 41 7 1
		start
		run 40 $WRITER $out 61 10 a 0 400
		run 41 $WRITER $err 97 7 b 0 2000
		storm $KILLS
		wait 40
		wait 41
		drained 40
		drained 41
		finish
	END
	"$VERIFY" raw "$T/log/web.log" 61 a="$out"
	"$VERIFY" raw "$T/log/err.log" 97 b="$err"
}

@test "fault: rotation every 100 ms by size, and by others with rename, under kills" {
	play <<-END
		spec 1 0 60000 1000000 web $T/web.log
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 30000 100 1 a 0 100
		sh { i=0; while [ ! -e $T/done ]; do mv $T/web.log $T/web.log.moved.\$i 2>/dev/null && i=\$((i + 1)); sleep 0.1; done; } &
		storm 20
		wait 40
		sh touch $T/done
		drained 40
		finish
	END
	[ "$(find "$T" -name 'web.log.moved.*' | wc -l)" -ge 10 ]
	# In the order in which they were moved; what the logger itself rotated lies between, so all are sorted by their first line.
	merge_by_first_line "$T"/web.log* >"$T/all"
	"$VERIFY" raw "$T/all" 100 a=30000
}

# Each file is whole lines; those of one writer sort by number.
merge_by_first_line() {
	local file

	for file in "$@"; do
		[ ! -s "$file" ] || echo "$(head -c 12 "$file") $file"
	done | sort | cut -d' ' -f2- | xargs cat
}

@test "fault: a file that is deleted takes with it only what was in it" {
	local fds=() fd

	play <<-END &
		spec 1 0 0 0 web $T/web.log
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 20000 100 3 a 0 200
		wait 40
		drained 40
		finish
	END
	# What is deleted is still held open here: what went into it counts as read.
	for ((i = 0; i < 10; i++)); do
		until [ -s "$T/web.log" ]; do sleep 0.02; done
		exec {fd}<"$T/web.log"
		fds+=("$fd")
		rm "$T/web.log"
	done
	wait $!
	for fd in "${fds[@]}"; do
		cat <&"$fd" >>"$T/all"
		exec {fd}<&-
	done
	cat "$T/web.log" >>"$T/all"
	"$VERIFY" raw "$T/all" 100 a=20000
}

@test "fault: a tiny file system that is full again and again, under kills" {
	mkdir "$T/small" "$T/saved"
	mount -t tmpfs -o size=256k supervisord-test "$T/small" 2>/dev/null || skip "may not mount"
	MOUNTED=$T/small
	# Somebody makes room by moving archives away, one at a time, so there is never much.
	play <<-END
		spec 1 0 40000 1000 web $T/small/web.log
		spec 2 0 0 0 db $T/db.log
		specs
		pipe 40 1 0
		pipe 41 2 0
		start
		run 40 $WRITER 30000 100 1 a
		run 41 $WRITER 3000 100 1 b 0 500
		until grep -q 'web: stdout: cannot write .*No space left' $T/err
		sh { i=0; until [ -e $T/done ]; do for f in $T/small/web.log.*; do i=\$((i + 1)); mv \$f $T/saved/\$i 2>/dev/null; done; sleep 0.02; done; touch $T/moved; } &
		storm 20
		wait 41
		wait 40
		drained 40
		drained 41
		sh touch $T/done
		until test -e $T/moved
		finish
	END
	merge_by_first_line "$T"/saved/* "$T"/small/* >"$T/all"
	"$VERIFY" raw "$T/all" 100 a=30000
	"$VERIFY" raw "$T/db.log" 100 b=3000
}

@test "fault: EIO and short transfers" {
	play_faults <<-END
		spec 1 0 50000 1000 web $T/log/web.log
		specs
		pipe 40 1 0
		fault splice_errno 5
		fault splice_every 3
		fault splice_most 777
		start
		run 40 $WRITER 3000 100 2 a 0 200
		until test \$(stat -c %s $T/log/web.log 2>/dev/null || echo 0) -gt 4000
		until grep -q 'web: stdout: cannot write .*: Input/output error' $T/err
		fault splice_every 0
		wait 40
		drained 40
		finish
	END
	[ "$(od -An -t d8 -j 88 -N 8 "$T/plan")" -gt 10 ]
	grep -q 'web: stdout: .* is written again' "$T/err"
	"$VERIFY" raw "$T/log/web.log" 100 a=3000
}

@test "fault: files that cannot be made or renamed for a while" {
	play_faults <<-END
		spec 1 0 5000 1000 web $T/log/web.log
		specs
		pipe 40 1 0
		fault rename_errno 13
		fault rename_every 6
		fault open_errno 30
		fault open_every 7
		start
		run 40 $WRITER 3000 100 2 a 0 100
		wait 40
		fault open_every 0
		fault rename_every 0
		drained 40
		finish
	END
	[ "$(od -An -t d8 -j 88 -N 8 "$T/plan")" -gt 3 ]
	"$VERIFY" raw "$T/log/web.log" 100 a=3000
}

@test "fault: the wall clock steps back and forth while files rotate" {
	play_faults <<-END
		spec 1 0 3000 10000 web $T/log/web.log
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 6000 100 2 a 0 300
		until test \$(ls $T/log | wc -l) -gt 5
		fault clock_step_s 86400
		until test \$(ls $T/log | wc -l) -gt 20
		fault clock_step_s -400000000
		kill
		start
		until test \$(ls $T/log | wc -l) -gt 40
		fault clock_step_s 0
		wait 40
		drained 40
		finish
	END
	"$VERIFY" raw "$T/log/web.log" 100 a=6000
}

@test "fault: a directory that may not be written, or not even be read, for a while" {
	local words=()

	mkdir -m 500 "$T/log"
	# Root's logger may write anywhere.
	if [ "$(id -u)" -eq 0 ]; then
		command -v setpriv >/dev/null || skip "no setpriv"
		words=(setpriv --reuid 65534 --regid 65534 --clear-groups)
		chown 65534:65534 "$T/log"
	fi
	chmod 777 "$T"
	play "${words[@]}" <<-END
		spec 1 0 20000 1000 web $T/log/web.log
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 5000 100 1 a
		until grep -q 'web: stdout: cannot write .*: Permission denied' $T/err
		sh chmod 700 $T/log
		wait 40
		drained 40
		sh chmod 000 $T/log
		run 40 $WRITER 5000 100 1 b
		until grep -q 'web: stdout: cannot rotate .*: Permission denied' $T/err
		sh chmod 700 $T/log
		wait 40
		drained 40
		finish
	END
	"$VERIFY" raw "$T/log/web.log" 100 a=5000 b=5000
}

@test "fault: more pipes and files than descriptors" {
	local slot script=$T/script

	{
		for ((slot = 40; slot < 60; slot++)); do
			echo "spec $slot 0 0 0 p$slot $T/log/p$slot.log"
		done
		echo specs
		for ((slot = 40; slot < 60; slot++)); do
			echo "pipe $slot $slot 0"
		done
		echo "nofile 26" # for ten of the pipes, and not for all of their files
		echo start
		for ((slot = 40; slot < 60; slot++)); do
			echo "run $slot $WRITER 2000 100 1 a"
		done
		echo "until grep -q 'cannot write .*: Too many open files' $T/err"
		echo "until grep -q 'too many open files: some programs wait' $T/err"
		echo "nofile 256"
		echo "sh prlimit --pid \$LOGGER_PID --nofile=256:"
		for ((slot = 40; slot < 60; slot++)); do
			printf '%s\n' "wait $slot" "drained $slot"
		done
		echo finish
	} >"$script"
	play <"$script"
	for ((slot = 40; slot < 60; slot++)); do
		"$VERIFY" raw "$T/log/p$slot.log" 100 a=2000
	done
}

@test "fault: another logger takes over, and the first one again" {
	mkdir "$T/new"
	cp "$LOGGER" "$T/new/logger"
	play <<-END
		spec 1 0 20000 1000 web $T/log/web.log
		specs
		pipe 40 1 0
		start
		run 40 $WRITER 20000 100 4 a 0 200
		logger $T/new/logger
		storm 1
		until test \$(readlink /proc/\$LOGGER_PID/exe) = $T/new/logger
		logger $LOGGER
		storm 1
		wait 40
		drained 40
		finish
	END
	"$VERIFY" raw "$T/log/web.log" 100 a=20000
}

# storm_of FORMAT: kills while a log of that format is written and rotated.
storm_of() {
	local out

	out=$(lines_for 100)
	play <<-END
		spec 7 0 60000 1000000 web $T/log/web.log
		set 7 0 format $1
		specs
		pipe 40 7 0
		start
		run 40 $WRITER $out 90 5 a 0 800
		storm $KILLS
		wait 40
		drained 40
		finish
	END
	"$VERIFY" "$1" "$T/log/web.log" 90 a="$out" >"$T/figures" || {
		cat "$T/figures"
		return 1
	}
	cat "$T/figures"
}

@test "fault: SIGKILL at random moments, stamped lines: nothing is missing, and what repeats is marked" {
	storm_of stamp
}

@test "fault: SIGKILL at random moments, JSON lines" {
	storm_of json
}

@test "fault: EIO and short writes of stamped lines" {
	play_faults <<-END
		spec 1 0 20000 1000 web $T/log/web.log
		set 1 0 format stamp
		specs
		pipe 40 1 0
		fault write_errno 5
		fault write_every 7
		fault write_most 333
		start
		run 40 $WRITER 3000 100 2 a 0 200
		until grep -q 'web: stdout: cannot write .*: Input/output error' $T/err
		until test \$(cat $T/log/web.log* | wc -c) -gt 4000
		fault write_every 0
		wait 40
		drained 40
		finish
	END
	[ "$(od -An -t d8 -j 88 -N 8 "$T/plan")" -gt 10 ]
	"$VERIFY" stamp "$T/log/web.log" 100 a=3000
}
