# SPDX-License-Identifier: ISC
# Where lines go beside a file: syslog, the journal, supervisord's own output, other programs; one, several, away.

load lib.bash

setup() {
	RECEIVERS=()
	sd_new "syslog_socket = \"syslog.sock\"" "journal_socket = \"journal.sock\"" \
		'defaults { stable_after = "100ms" restart = "never" }'
	sed -i "s|= \"\([a-z]*\.sock\)\"|= \"$SD/\1\"|" "$SD/supervisord.conf"
}

teardown() {
	local pid

	sd_tell_failure
	for pid in "${RECEIVERS[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	sd_down
}

# receive KIND ADDRESS NAME: what comes there is in $SD/NAME.
receive() {
	"$PYTHON" -IS "$BATS_TEST_DIRNAME/receiver.py" "$1" "$2" "$SD/$3" >"$SD/$3.ready" 3>&- 4>&- &
	RECEIVER=$!
	RECEIVERS+=("$RECEIVER")
	wait_for "$PATIENCE" test -s "$SD/$3.ready"
}

free_port() {
	"$PYTHON" -ISc 'import socket, sys
s = socket.socket(socket.AF_INET, int(sys.argv[1])); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' "$1"
}

has_count() {
	[ "$(grep -c -- "$2" "$1" 2>/dev/null)" -eq "$3" ] || {
		echo "$1 has $(grep -c -- "$2" "$1") times $2"
		return 1
	}
}

has_no_log_file() {
	[ ! -e "$SD/log/$1.log" ]
}

@test "targets: syslog gets each line as RFC 5424, with facility and tag, and no file is made" {
	receive dgram "$SD/syslog.sock" got
	stanza_file web <<-END
		program "web" {
			command = "echo hello; echo oops >&2; exec sleep 1000"
			shell = true
			stdout = "syslog"
			stderr = "syslog"
		}
		program "db" {
			command = "printf 'tab\\\\tand bell\\\\007\\\\n'; exec sleep 1000"
			shell = true
			stdout = "syslog"
			syslog_facility = "local7"
			syslog_tag = "database"
		}
	END
	sd_start
	wait_for "$PATIENCE" has_count "$SD/got" ' - ' 3
	time='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z'
	grep -qE "^b'<30>1 $time $(hostname) web $(record web pid) out - hello'$" "$SD/got"
	grep -qE "^b'<27>1 $time $(hostname) web $(record web pid) err - oops'$" "$SD/got"
	grep -qE "^b'<190>1 $time $(hostname) database [0-9]+ out - tab\\\\tand bell#007'$" "$SD/got"
	has_no_log_file web
}

@test "targets: a syslog that listens on a stream, one by UDP, one by TCP with octet counts" {
	udp=$(free_port 2)
	tcp=$(free_port 1)
	receive stream "$SD/syslog.sock" got-stream
	receive udp "127.0.0.1:$udp" got-udp
	receive tcp "127.0.0.1:$tcp" got-tcp
	stanza_file web <<-END
		program "web" {
			command = "$SD/bin/numbers 5000 0 100"
			stdout = {"syslog", "syslog://127.0.0.1:$udp", "syslog+tcp://localhost:$tcp"}
		}
	END
	sd_start
	wait_for "$PATIENCE" has_count "$SD/got-stream" ' web [0-9]* out - [^ ]* 5000 x*' 1
	wait_for "$PATIENCE" has_count "$SD/got-tcp" ' web [0-9]* out - [^ ]* 5000 x*' 1
	equals "by stream" "$(wc -l <"$SD/got-stream")" 5000
	equals "by tcp" "$(wc -l <"$SD/got-tcp")" 5000
	# Nobody promises anything about UDP, but on loopback most arrive.
	at_least "by udp" "$(wc -l <"$SD/got-udp")" 100
}

@test "targets: the journal gets fields" {
	receive dgram "$SD/journal.sock" got
	stanza_file web <<-END
		program "web" {
			command = "echo hello; exec sleep 1000"
			shell = true
			stdout = "journal"
			syslog_tag = "www"
		}
	END
	sd_start
	wait_for "$PATIENCE" has_count "$SD/got" MESSAGE=hello 1
	for field in PRIORITY=6 SYSLOG_FACILITY=3 SYSLOG_IDENTIFIER=www "SYSLOG_PID=$(record web pid)" \
		SUPERVISORD_PROGRAM=web SUPERVISORD_NAME=web SUPERVISORD_RUN=1 SUPERVISORD_STREAM=out MESSAGE=hello; do
		grep -qF "$field\\n" "$SD/got"
	done
}

@test "targets: several at once all get every line, the raw file byte by byte, across deaths of the logger" {
	receive dgram "$SD/syslog.sock" got
	stanza_file web <<-END
		program "web" {
			command = "$SD/bin/numbers 20000 0 100"
			stdout = {"log", "syslog", "program:reader"}
		}
		program "reader" { command = "$SD/bin/lines $SD/read" }
	END
	sd_start
	for _ in 1 2 3; do
		kill_role logger
		wait_for "$PATIENCE" role_pid logger
	done
	wait_for "$PATIENCE" log_has_lines web 20000
	wait_for "$PATIENCE" has_count "$SD/got" ' - [^ ]* 20000 x' 1
	wait_for "$PATIENCE" has_count "$SD/read" '^[^ ]* 20000 x' 1
	assert_numbers 20000 <"$SD/log/web.log"
	# These may have lines twice, and say so; none is missing.
	equals "syslog" "$(grep -o ' - [^ ]* [0-9]* x' "$SD/got" | sort -u | wc -l)" 20000
	equals "reader" "$(grep -o '^[^ ]* [0-9]* x' "$SD/read" | sort -u | wc -l)" 20000
}

@test "targets: a dead receiver delays nobody, and hears how many lines it missed" {
	tcp=$(free_port 1)
	stanza_file web <<-END
		program "web" {
			command = "$SD/bin/numbers 5000 0 100"
			stdout = {"log", "syslog", "syslog+tcp://127.0.0.1:$tcp"}
		}
		program "other" { command = "$SD/bin/numbers 5000 0 100" log_format = "stamp" }
	END
	sd_start
	wait_for "$PATIENCE" log_has_lines web 5000
	wait_for "$PATIENCE" log_has_lines other 5000
	wait_for "$PATIENCE" grep -q 'syslog.sock: cannot send log lines' "$SD/own.log"
	receive dgram "$SD/syslog.sock" got
	receive tcp "127.0.0.1:$tcp" got-tcp
	for got in got got-tcp; do
		wait_for "$PATIENCE" has_count "$SD/$got" ' web [0-9-]* log - 5000 lines dropped' 1
		has_count "$SD/$got" ' out - ' 0
	done
	wait_for "$PATIENCE" grep -q 'syslog.sock: takes log lines again' "$SD/own.log"
}

@test "targets: a receiver that hangs holds up the one program that wants it, not the others" {
	receive dgram "$SD/syslog.sock" got
	kill -STOP "$RECEIVER"
	stanza_file web <<-END
		program "web" { command = "$SD/bin/numbers 3000 0 100" stdout = {"log", "syslog"} }
		program "other" { command = "$SD/bin/numbers 3000 0 100" log_format = "json" }
	END
	sd_start
	wait_for "$PATIENCE" log_has_lines other 3000
	kill -CONT "$RECEIVER"
	wait_for "$PATIENCE" has_count "$SD/got" ' - [^ ]* 3000 x' 1
	equals "syslog and dropped" $(($(grep -c ' out - ' "$SD/got") +
		$(grep -oE '[0-9]+ lines? dropped' "$SD/got" | awk '{ n += $1 } END { print n + 0 }'))) 3000
	wait_for "$PATIENCE" log_has_lines web 3000
	assert_numbers 3000 <"$SD/log/web.log"
}

@test "targets: inherit with the name in front, or as JSON, by setting and by option" {
	stanza_file web <<-END
		program "web" { command = "echo hello; echo oops >&2; exec sleep 1000" shell = true stdout = "inherit" stderr = "inherit" }
		program "db" { command = "echo there; exec sleep 1000" shell = true stdout = {"inherit", "log"} }
	END
	echo 'inherit_format = "prefix"' >>"$SD/supervisord.conf"
	sd_start
	wait_for "$PATIENCE" grep -qx 'web | hello' "$SD/own.out"
	wait_for "$PATIENCE" grep -qx 'db | there' "$SD/own.out"
	wait_for "$PATIENCE" grep -qx 'web | oops' "$SD/own.log"
	wait_for "$PATIENCE" grep -qx 'there' "$SD/log/db.log"
}

@test "targets: --log-format goes before the setting, and is refused when it is none" {
	stanza_file web <<-END
		program "web" { command = "echo hello; exec sleep 1000" shell = true stdout = "inherit" }
	END
	SD_OPTION=--log-format=json sd_start
	wait_for "$PATIENCE" grep -qE '^\{"time":"[^"]*","program":"web","name":"web","run":1,"stream":"out","text":"hello"\}$' \
		"$SD/own.out"
	run "$SUPERVISORD" --log-format=xml
	equals status "$status" 2
	equals message "$output" "supervisord: --log-format=xml: raw, prefix or json is allowed"
}

@test "targets: lines of 50 programs that inherit one output are whole" {
	for i in {1..50}; do
		echo "program \"p$i\" { command = \"$SD/bin/numbers 300 0 $((i * 80))\" stdout = \"inherit\" }"
	done | stanza_file many
	echo 'inherit_format = "prefix"' >>"$SD/supervisord.conf"
	sd_start
	wait_for "$PATIENCE" has_count "$SD/own.out" ' | [^ ]* 300 x' 50
	equals "whole lines" "$(grep -cE '^p[0-9]+ \| [^ ]+ [0-9]+ x+$' "$SD/own.out")" 15000
	awk '{ sub(/^p/, "", $1); if (length($0) - length($1) - 3 != $1 * 80 - 1) { print; exit 1 } }' "$SD/own.out"
}

@test "targets: places that do not go together, or have no address, are refused with the line" {
	stanza_file web <<-END
		program "web" { command = "/bin/true"
			stdout = {"log", "append:/tmp/x"}
		}
		program "db" { command = "/bin/true"
			stdout = {"log", "program:nobody"}
		}
	END
	run "$SUPERVISORD" -t -c "$SD/supervisord.conf"
	equals status "$status" 1
	matches "$output" "web.conf:2: stdout: 'append:/tmp/x' stands alone"
	matches "$output" "web.conf:5: stdout: there is no program 'nobody'"
}

@test "targets: what is kept in memory of 300 programs without a file stays below log_memory" {
	[ -z "${SAN:-}" ] || skip "the sanitizers have memory of their own"
	for i in {1..300}; do
		echo "program \"p$i\" { command = \"$SD/bin/numbers 200 0 200\" stdout = \"syslog\" }"
	done | stanza_file many
	echo 'log_memory = "4MB"' >>"$SD/supervisord.conf"
	receive dgram "$SD/syslog.sock" got
	sd_start
	wait_for "$PATIENCE" has_count "$SD/got" ' - [^ ]* 200 x' 300
	# 12 MB have gone through; the rest of what it needs is for 300 streams and the table of specs.
	at_most "kB of the logger" "$(awk '/^RssAnon:/ { print $2 }' "/proc/$(role_pid logger)/status")" 6000
}
