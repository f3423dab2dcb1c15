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
