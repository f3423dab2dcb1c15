# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# lib.bash: what the end-to-end tests share: a private daemon, its programs, and waiting for conditions.
#
# A daemon lives in one directory, $SD: supervisord.conf, conf.d/, run/, log/, own.log (its descriptor 2), own.out
# (1), guardian (its pid, as seen from here) and bin/ (copies of tests/programs, so that a process is known
# as ours by its command line).  Every function works on the daemon of the current $SD; a test with two
# daemons changes SD.  Tests wait with wait_for and never sleep for time.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
OUT=${O:-build}
[[ $OUT == /* ]] || OUT=$ROOT/$OUT
SUPERVISORD=$OUT/sbin/supervisord
SUPERCTL=$OUT/bin/superctl
PYTHON=$(command -v /usr/bin/python3 python3 | head -n 1) # not some manager's wrapper: it is called often
PROGRAMS=(context family hangfs lines linger looper numbers orphans polluted stamp)

# How long to wait for what should take no time, in seconds: enough for a machine that is slow and busy with other
# things.  Only a test that fails waits that long.
PATIENCE=${SD_PATIENCE:-60}

# ---- the daemon ---------------------------------------------------------------------------------

# A directory for a daemon, with a configuration that includes conf.d; the words are added to it as lines.
sd_new() {
	local name

	SD=$(mktemp -d "${TMPDIR:-/tmp}/sd.XXXXXX") # short: a socket's path has 107 bytes
	export SD
	echo "$SD" >>"$BATS_FILE_TMPDIR/daemons"
	chmod 755 "$SD"
	mkdir "$SD/conf.d" "$SD/bin"
	for name in "${PROGRAMS[@]}"; do
		cp "$OUT/tests/programs/$name" "$SD/bin/"
	done
	{
		echo "run_dir = \"$SD/run\""
		echo "log_dir = \"$SD/log\""
		echo 'include = {"conf.d/*.conf"}'
		printf '%s\n' "$@"
	} >"$SD/supervisord.conf"
}

# Start supervisord in the foreground, as a job of this shell, under the words given; wait until it serves.  $SD_OPTION is
# one more option of it.
sd_start() {
	"$@" "$SUPERVISORD" -n -c "$SD/supervisord.conf" ${SD_OPTION:+"$SD_OPTION"} \
		</dev/null >>"$SD/own.out" 2>>"$SD/own.log" 3>&- 4>&- 5>&- &
	SD_JOB=$!
	if ! wait_for "$PATIENCE" sd_serves; then
		cat "$SD/own.log" >&2
		return 1
	fi
	sd_find_guardian "$SD_JOB" >"$SD/guardian"
}

# The same as PID 1 of a namespace; see can_be_pid1.
sd_start_pid1() {
	if [ "$(id -u)" -eq 0 ]; then
		sd_start unshare -pf --kill-child --mount-proc
	else
		sd_start unshare -Urpf --kill-child --mount-proc
	fi
}

can_be_pid1() {
	if [ "$(id -u)" -eq 0 ]; then
		unshare -pf --mount-proc true 2>/dev/null
	else
		unshare -Urpf --mount-proc true 2>/dev/null
	fi
}

# supervisord may be the job itself or, under unshare, the job's child.
sd_find_guardian() {
	local pid

	for pid in "$1" $(children_of "$1"); do
		if [ "$(comm_of "$pid")" = supervisord ]; then
			echo "$pid"
			return
		fi
	done
	return 1
}

sd_serves() {
	sctl version >/dev/null 2>&1
}

guardian() {
	cat "$SD/guardian"
}

# End the daemon of $SD and everything of it.  Fails when something was left that TERM should have ended.
sd_down() {
	local guardian others=() other pid left=0

	guardian=$(cat "$SD/guardian" 2>/dev/null) || guardian=
	# By its name, too: the pid of one that a test has ended may be a stranger's by now.
	if [ -n "$guardian" ] && [ "$(comm_of "$guardian")" = supervisord ]; then
		for pid in $guardian $(children_of "$guardian"); do
			others+=("$pid $(birth_of "$pid")")
		done
		kill -TERM "$guardian"
		for other in "${others[@]}"; do
			# shellcheck disable=SC2086 # two words: a pid and its birth
			wait_for "$PATIENCE" same_ended $other || { kill -KILL "${other% *}" && left=1; }
		done
	fi
	# A daemon that no test wrote down, and what is left of one.
	for pid in $(pgrep -f -- "-c $SD/supervisord.conf"; pgrep -f "^$SD/bin/"); do
		! ended "$pid" 2>/dev/null || continue
		echo "left behind: $(tr '\0' ' ' <"/proc/$pid/cmdline")" >&2
		kill -KILL "$pid"
		left=1
	done
	[ "$left" -eq 0 ] || tail -n 40 "$SD/own.log" >&2
	rm -rf "$SD"
	return "$left"
}

# For teardown_file(): every daemon that a test of this file has made.
sd_down_all() {
	local directory left=0

	while read -r directory; do
		[ ! -d "$directory" ] || SD=$directory sd_down || left=1
	done < <(cat "$BATS_FILE_TMPDIR/daemons" 2>/dev/null)
	return "$left"
}

# For teardown(): what the daemon said and thinks, when a test has failed.
sd_tell_failure() {
	[ -z "${BATS_TEST_COMPLETED:-}" ] || return 0
	[ -d "${SD:-/nonexistent}" ] || return 0
	echo "--- own.log (last lines)"
	tail -n 25 "$SD/own.log" 2>/dev/null || true
	echo "--- status"
	timeout 5 "$SUPERCTL" -s "$SD/run/control.sock" status 2>&1 | head -n 40 || true
}

# ---- programs and commands ----------------------------------------------------------------------

sctl() {
	"$SUPERCTL" -s "$SD/run/control.sock" "$@"
}

# Put a file with stanzas, standard input, into conf.d and apply, without waiting for the programs.
stanza() {
	cat >"$SD/conf.d/$1.conf"
	sctl apply --no-wait >"$SD/apply.out" 2>&1 || {
		cat "$SD/apply.out" >&2
		return 1
	}
}

# The same for a daemon that is not started yet.
stanza_file() {
	cat >"$SD/conf.d/$1.conf"
}

# One field of a program's record: record NAME FIELD.  FIELD may be a path, last_exit.status; null is the empty string.
record() {
	sctl status --json "$1" 2>/dev/null | json_field 0 "$2"
}

# One field of what Version replies.
version_field() {
	varlink io.superctl.Version | json_field parameters "$1"
}

# One Varlink call, the reply on standard output: varlink METHOD PARAMETERS.
varlink() {
	"$PYTHON" -IS - "$SD/run/control.sock" "$1" "${2:-{\}}" <<-'END'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.settimeout(60)
		s.connect(sys.argv[1])
		s.sendall(json.dumps({"method": sys.argv[2], "parameters": json.loads(sys.argv[3])}).encode() + b"\0")
		reply = b""
		while not reply.endswith(b"\0"):
		    block = s.recv(65536)
		    if not block:
		        break
		    reply += block
		print(json.dumps(json.loads(reply[:-1])))
	END
}

# Walk the JSON of standard input: a number is an index, and a word with dots a path of keys.
json_field() {
	"$OUT/tests/programs/json_field" "$@"
}

is_state() {
	[ "$(record "$1" state 2>/dev/null)" = "$2" ]
}

# wait_state NAME STATE [SECONDS]
wait_state() {
	wait_for "${3:-$PATIENCE}" is_state "$1" "$2" || {
		echo "$1 is $(record "$1" state): $(record "$1" reason)" >&2
		return 1
	}
}

# Whether a field has a value: has NAME FIELD VALUE.
has() {
	[ "$(record "$1" "$2" 2>/dev/null)" = "$3" ]
}

# Running again, and not as that pid: runs_anew NAME PID.
runs_anew() {
	local pid

	pid=$(record "$1" pid 2>/dev/null)
	[ -n "$pid" ] && [ "$pid" != "$2" ]
}

# Let time pass in which the programs of the test would have been restarted, had somebody meant to: a
# program that fails is started three times meanwhile.  It has the longest delay of its file.
settle() {
	exits any sctl start settle
	wait_state settle FATAL
}

settle_stanza() {
	stanza settle <<-END
		program "settle" {
			command = "$SD/bin/stamp $SD/settle.stamps exit 1"
			autostart = false
			start_limit = 3
			restart_delay = "150ms"
		}
	END
}

# ---- processes ----------------------------------------------------------------------------------

comm_of() {
	cat "/proc/$1/comm" 2>/dev/null
}

children_of() {
	cat "/proc/$1/task/$1/children" 2>/dev/null
}

is_gone() {
	[ ! -e "/proc/$1" ]
}

# Gone, or a zombie that somebody else has to reap; otherwise says what it is.
ended() {
	[ ! -e "/proc/$1" ] || [ "$(awk '/^State:/ { print $2 }' "/proc/$1/status" 2>/dev/null)" = Z ] || {
		echo "process $1 ($(comm_of "$1")) is still there" >&2
		return 1
	}
}

# When a process was started, in ticks: its pid may be another one's later.  Empty when it is gone.
birth_of() {
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

# same_ended PID BIRTH: likewise, or the pid is somebody else's by now.
same_ended() {
	[ "$(birth_of "$1")" != "${2-}" ] || ended "$1"
}

# What status says besides the table, of all or of those named; once files that have changed are read.
status_notes() {
	local notes

	while notes=$({ sctl status "$@" >/dev/null || true; } 2>&1) && [[ $notes == *"are being read"* ]]; do
		sleep 0.05
	done
	echo "$notes"
}

# A wait of so long, which had begun at BEGIN (now_ms), goes on, whoever has looked at it anew since: goes_on NAME MS BEGIN.
goes_on() {
	local now next

	now=$(now_ms)
	next=$(sctl why --json "$1" | json_field 0 next_ms)
	at_most "milliseconds of the wait of $1" $((now - $3 + next)) "$2"
}

# The pid of "engine" or "logger", as seen from here.
role_pid() {
	local pid

	for pid in $(children_of "$(guardian)"); do
		if [ "$(comm_of "$pid")" = "$1" ]; then
			echo "$pid"
			return
		fi
	done
	return 1
}

# SIGKILL for "engine" or "logger"; returns when it has been reaped.  After an earlier kill there may be none for a moment.
kill_role() {
	local pid

	wait_for "$PATIENCE" role_pid "$1"
	pid=$(role_pid "$1")
	kill -KILL "$pid"
	wait_for "$PATIENCE" is_gone "$pid"
}

has_new_role() {
	local pid

	pid=$(role_pid "$1") && [ "$pid" != "$2" ]
}

# The pid here of a program's pid in the guardian's namespace.
host_pid() {
	local pid

	for pid in $(children_of "$(guardian)"); do
		if [ "$(awk '/^NSpid:/ { print $NF }' "/proc/$pid/status" 2>/dev/null)" = "$1" ]; then
			echo "$pid"
			return
		fi
	done
	return 1
}

# kill_program NAME [SIGNAL]: from outside, as an accident would.
kill_program() {
	kill "-${2:-KILL}" "$(host_pid "$(record "$1" pid)")"
}

# How many live processes of $SD/bin have this command line: count_procs 'family .*stubborn'.
count_procs() {
	pgrep -cf "^$SD/bin/$1" || true
}

no_procs() {
	[ "$(count_procs "$1")" -eq 0 ]
}

# Children of the guardian that nobody has reaped.
count_zombies() {
	local pid count=0

	for pid in $(children_of "$(guardian)"); do
		[ "$(awk '/^State:/ { print $2 }' "/proc/$pid/status" 2>/dev/null)" != Z ] || count=$((count + 1))
	done
	echo "$count"
}

no_zombies() {
	[ "$(count_zombies)" -eq 0 ]
}

# ---- files --------------------------------------------------------------------------------------

# The archives of a log file, oldest first, one a line.
archives() {
	find "${1%/*}" -name "${1##*/}.????????T??????.??????Z*" ! -name '*.tmp' 2>/dev/null | sort
}

# A program's whole log, archives first.  The log is opened before they are listed, so that a rotation meanwhile hides
# nothing.
log_text() {
	local base=$SD/log/$1.log log file try

	# Between rename and open there is none for a moment.
	for ((try = 0; try < 50; try++)); do
		{ exec {log}<"$base"; } 2>/dev/null && break
	done
	[ "$try" -lt 50 ] || exec {log}</dev/null
	archives "$base" | while read -r file; do
		[ "$file" -ef "/dev/fd/$log" ] || cat_archive "$file" 2>/dev/null
	done
	cat <&"$log"
	exec {log}<&-
}

cat_archive() {
	case $1 in
	*.gz) gzip -dc "$1" ;;
	*.zst) zstd -dcq "$1" ;;
	*) cat "$1" ;;
	esac
}

count_lines() {
	if [ -e "$1" ]; then
		wc -l <"$1"
	else
		echo 0
	fi
}

# has_lines FILE COUNT: at least so many.
has_lines() {
	[ "$(count_lines "$1")" -ge "$2" ]
}

file_has() {
	grep -q -- "$2" "$1" 2>/dev/null
}

# Of what superctl printed: the result.  What comes before it tells, when that takes long, what is waited for.
last_line() {
	tail -n 1 "$1"
}

log_has() {
	log_text "$1" | grep -q -- "$2"
}

# At least so many whole lines in a log with its archives: log_has_lines NAME COUNT.  Who has seen the words of a line
# has not yet seen its end.
log_has_lines() {
	[ "$(log_text "$1" | wc -l)" -ge "$2" ]
}

# started_as_often_as NAME FILE: each start of a program that was stopped is a line of FILE, or the stop has ended the last
# one before it could write.
started_as_often_as() {
	local starts lines

	starts=$(record "$1" starts)
	lines=$(count_lines "$2")
	if [ "$starts" -eq $((lines + 1)) ]; then
		equals "last_exit of $1, which has not written" "$(record "$1" last_exit.signal)" TERM
	else
		equals "starts of $1" "$starts" "$lines"
	fi
}

# told_in_order LINE TEXT…: the daemon's own messages after that line have these texts, in this order.  What a program
# writes down comes as late as the machine pleases; these are the decisions themselves.
told_in_order() {
	local line texts=("${@:2}") next=0

	while [ "$next" -lt "${#texts[@]}" ] && IFS= read -r line; do
		[[ $line != *"${texts[next]}"* ]] || next=$((next + 1))
	done < <(tail -n "+$(($1 + 1))" "$SD/own.log")
	[ "$next" -eq "${#texts[@]}" ] || {
		echo "not told, or not in this order: ${texts[next]}" >&2
		return 1
	}
}

# Lines of numbers.c on standard input: every run counts 1, 2, 3 … with nothing missing, doubled or torn.
assert_numbers() {
	awk -v least="${1:-1}" '
		NF != 3 || $3 !~ /^x+$/ { print "torn line " NR ": " $0; bad = 1; exit 1 }
		$2 != last[$1] + 1 { print "run " $1 ": " $2 " after " last[$1] + 0; bad = 1; exit 1 }
		{ last[$1] = $2 }
		END { if (!bad && NR < least) { print "only " NR " lines"; exit 1 } }'
}

# Milliseconds between the start stamps of stamp.c in a file, one a line: the delays as the program saw them.
start_gaps() {
	awk '$1 == "start" { if (last) printf "%d\n", ($5 - last) / 1000000; last = $5 }' "$1"
}

# ---- asserting and waiting ----------------------------------------------------------------------

# wait_for SECONDS COMMAND…: until it succeeds.
wait_for() {
	local deadline=$((SECONDS + $1 + 1)) seconds=$1

	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			echo "still not after $seconds s: $*" >&2
			return 1
		fi
		sleep 0.03
	done
}

# exits STATUS COMMAND…: it ends with this status ("any": whatever); its output is left in $output.
exits() {
	local wanted=$1 status=0

	shift
	output=$("$@" 2>&1) || status=$?
	[ "$wanted" = any ] || [ "$status" -eq "$wanted" ] || {
		echo "exit status $status, not $wanted: $*" >&2
		echo "$output" >&2
		return 1
	}
}

# equals WHAT ACTUAL WANTED
equals() {
	[ "$2" = "$3" ] || {
		echo "$1 is \"$2\", not \"$3\"" >&2
		return 1
	}
}

# at_least WHAT ACTUAL WANTED, and at most likewise, of numbers.
at_least() {
	[ "$2" -ge "$3" ] || {
		echo "$1 is $2, less than $3" >&2
		return 1
	}
}

at_most() {
	[ "$2" -le "$3" ] || {
		echo "$1 is $2, more than $3" >&2
		return 1
	}
}

# matches TEXT EXTENDED-REGEXP
matches() {
	[[ $1 =~ $2 ]] || {
		echo "no match of /$2/ in: $1" >&2
		return 1
	}
}

now_ms() {
	local now=${EPOCHREALTIME/[.,]/}

	echo $((now / 1000))
}
