# SPDX-License-Identifier: ISC
# superctl run and forget: programs that are in no file.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" }'
	sd_start
}

teardown_file() {
	sd_down_all
}

# Every test begins with other, running and applied.
setup() {
	rm -f "$SD"/conf.d/*.conf
	echo "program \"other\" { command = \"$SD/bin/stamp $SD/other.stamps run\" }" >"$SD/conf.d/other.conf"
	exits 0 sctl apply
	exits 0 sctl start other
	OTHER=$(record other pid)
}

teardown() {
	sd_tell_failure
}

is_forgotten() {
	[[ $(sctl status "$1" 2>&1) == *'no such program'* ]]
}

@test "run: a command is a program beside the others, and each apply keeps it" {
	local pid

	exits 0 sctl run job max_runtime=1h -- "$SD/bin/stamp" "$SD/job.stamps" run
	matches "$output" '^job: started'
	pid=$(record job pid)
	is_state job RUNNING
	matches "$(sctl config show job)" 'max_runtime = 1h'
	matches "$(sctl config show job)" '^# superctl run job'
	exits 0 sctl plan
	exits 0 sctl apply
	equals output "$output" "nothing changed"
	exits 0 sctl apply job other
	equals output "$output" "nothing changed"
	matches "$(sctl status 2>&1)" 'job'
	! [[ $(status_notes) == *differ* ]] || false

	# Also when the files change, and for a new engine.
	echo "program \"more\" { command = \"$SD/bin/stamp $SD/more.stamps run\" }" >"$SD/conf.d/more.conf"
	exits 2 sctl plan
	! [[ $output == *job* ]] || false
	exits 0 sctl apply
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	equals pid "$(record job pid)" "$pid"
	exits 0 sctl plan
	exits 0 sctl set job log_max_size=1MB
	exits 0 sctl apply
	matches "$(sctl set job)" 'log_max_size = 1MB'
	equals pid "$(record job pid)" "$pid"
	equals other "$(record other pid)" "$OTHER"

	exits 1 sctl forget job
	matches "$output" 'job: not forgotten: it is running'
	exits 1 sctl run job -- true
	matches "$output" 'there is a program or group of that name'
	exits 0 sctl stop job
	exits 0 sctl forget job
	wait_for "$PATIENCE" is_forgotten job
	exits 0 sctl plan
	exits 0 sctl set
	equals list "$output" "nothing is overridden"
}

@test "run: arguments arrive as they are" {
	local bytes=$'a\\b"c\'d\x01\x7f\t\n%{name}%{}%%{percent}${HOME}$(x)`y`;|&*?~ {x},=#//\xc3\xa4 '

	# shellcheck disable=SC2016 # for the other shell
	exits 0 sctl run --wait odd directory="$SD" -- /bin/sh -c 'pwd >odd.out; for word; do printf "%s\0" "$word" >>odd.out; done' '%{x}' \
		"$bytes" '' ' ' '--' '-f' '--json' 'x=y' '%{' '{a, b}' '}'
	printf '%s\n' "$SD" >"$SD/odd.expected"
	printf '%s\0' "$bytes" '' ' ' '--' '-f' '--json' 'x=y' '%{' '{a, b}' '}' >>"$SD/odd.expected"
	cmp "$SD/odd.expected" "$SD/odd.out"
	exits 2 sctl run -- printf $'\xff'
	matches "$output" 'word 2 of the command is not UTF-8'
	exits 1 sctl run -- true "$(printf '%05000d' 0)"
	matches "$output" 'run-[0-9]+: command: word 2 is too long'
}

@test "run --wait: the status of the command is that of superctl" {
	exits 0 sctl run --wait -- true
	exits 7 sctl run --wait -- sh -c 'exit 7'
	matches "$output" '^superctl: run-[0-9]+: EXITED'
	exits 143 sctl run --wait -- sh -c 'kill -TERM $$'
	exits 127 sctl run --wait -- "$SD/none"
	matches "$output" 'No such file'
	exits 2 sctl run --wait true
	matches "$output" 'a command behind -- is needed'
	exits 2 sctl run job
	exits 2 sctl run job --
	exits 1 sctl run instances=3 -- true
	matches "$output" 'instances: cannot be set for superctl run'
	exits 1 sctl run umaks=3 -- true
	matches "$output" "umaks: unknown key: did you mean 'umask'"
}

@test "run -f: all output is shown, none of an earlier one, whoever dies meanwhile" {
	local slow status=0

	exits 0 sctl run -f job -- printf 'one\ntwo\nrest'
	equals output "$output" $'one\ntwo\nrest'
	sctl forget job
	wait_for "$PATIENCE" is_forgotten job
	exits 3 sctl run -f job -- sh -c 'echo three; exit 3'
	matches "$output" '^three'
	! [[ $output == *two* ]] || false
	exits 0 sctl run -f stdout=null -- true
	matches "$output" 'this output does not go to a log'
	exits 0 sctl run -f -- seq 20000
	equals lines "$(wc -l <<<"$output")" 20000

	# The engine and the logger are killed while it writes.
	sctl run -f slow -- sh -c "i=0; while [ \$i -lt 300 ]; do echo line \$i; i=\$((i + 1)); done; until [ -e $SD/go ]; do sleep 0.05; done; echo end; exit 5" >"$SD/slow.out" 2>&1 3>&- &
	slow=$!
	wait_for "$PATIENCE" file_has "$SD/slow.out" 'line 299'
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	kill_role logger
	touch "$SD/go"
	wait "$slow" || status=$?
	equals status "$status" 5
	equals lines "$(grep -c '^line' "$SD/slow.out")" 300
	equals end "$(grep -c '^end' "$SD/slow.out")" 1
}

@test "run: what has ended well is forgotten after a while, what failed stays until forget" {
	exits 0 sctl run good -- true
	exits any sctl run bad -- false
	is_state good EXITED
	# Another engine does it as well.
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	wait_for "$PATIENCE" is_forgotten good
	is_state bad EXITED
	matches "$(sctl why bad)" 'bad'
	exits 0 sctl plan
	exits 0 sctl apply
	is_state bad EXITED
	exits 0 sctl forget bad
	wait_for "$PATIENCE" is_forgotten bad
	exits 4 sctl forget bad
	exits 1 sctl forget other
	matches "$output" 'not one of superctl run'
	exits 0 sctl run bad -- true
	equals other "$(record other pid)" "$OTHER"
}
