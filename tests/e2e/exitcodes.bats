# SPDX-License-Identifier: ISC
# Every command of superctl on a program in each state: its exit status, as superctl(1) has it; and --json is JSON.

load lib.bash

STATES=(stopped running fatal exited backoff waiting)

# A row is a command on a program; a column its state, then: there is no such program, no daemon, no right to.  Commands
# that change a state have a program of their own for each, COMMAND-STATE; the others look at look-STATE.
table() {
	cat <<-END
		command   stopped running fatal exited backoff waiting missing nodaemon denied
		status          3       0     3      3       3       3       4        4      5
		start           0       0     1      0       1       1       4        4      5
		stop            0       0     0      0       0       0       4        4      5
		restart         0       0     1      0       1       1       4        4      5
		reload          7       0     7      7       7       7       4        4      5
		signal          7       0     7      7       7       7       4        4      5
		logs            0       0     0      0       0       0       4        4      5
		why             0       0     0      0       0       0       4        4      5
		runs            0       0     0      0       0       0       4        4      5
		events          0       0     0      0       0       0       4        4      5
		graph           0       0     0      0       0       0       4        4      5
		doctor          0       0     0      0       0       0       4        4      5
		config          0       0     0      0       0       0       4        4      5
		top             0       0     0      0       0       0       4        4      5
		set             0       0     0      0       0       0       4        4      5
		unset           0       0     0      0       0       0       4        4      5
		disable         0       0     0      0       0       0       4        4      5
		enable          0       0     0      0       0       0       4        4      5
		forget          1       1     1      1       1       1       4        4      5
	END
}

# Those that are about no program: with a daemon, without, without the right to.
table_of_all() {
	cat <<-END
		version   0 4 5
		check     0 4 5
		apply     0 4 5
		bridge    0 4 5
		run       0 4 5
	END
}

# Tested in files of their own.
ELSEWHERE=' attach send messages plan edit blame scale upgrade shutdown help '

setup_file() {
	local verb state

	sd_new 'defaults { stable_after = "20ms" }'
	{
		for verb in look start stop restart reload signal; do
			for state in "${STATES[@]}"; do
				printf 'program "%s-%s" { reload_command = "true" ' "$verb" "$state"
				case $state in
				stopped) echo "command = \"$SD/bin/stamp $SD/stamps run\" autostart = false }" ;;
				running) echo "command = \"$SD/bin/stamp $SD/stamps run\" }" ;;
				fatal) echo 'command = "false" start_limit = 1 stable_after = "1h" }' ;;
				exited) echo 'command = "true" }' ;;
				backoff) echo 'command = "false" start_limit = 0 stable_after = "1h" restart_delay = "1h" restart_delay_max = "1h" }' ;;
				waiting) echo "command = \"$SD/bin/stamp $SD/stamps run\" requires = {\"never:ready\"} }" ;;
				esac
			done
		done
		echo "program \"never\" { command = \"$SD/bin/stamp $SD/stamps run\" ready = \"file:$SD/never\" start_timeout = \"1h\" }"
	} >"$SD/conf.d/programs.conf"
	sd_start
	for verb in look start stop restart reload signal; do
		for state in "${STATES[@]}"; do
			wait_state "$verb-$state" "${state^^}"
		done
	done
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# words COMMAND NAME: into `words`, how it is called.
words() {
	case $1 in
	start | restart)
		words=("$1" "$2")
		[[ $2 != *-waiting ]] || words+=(--timeout 700ms) # it would wait for ever
		;;
	signal) words=(signal CONT "$2") ;;
	config) words=(config show "$2") ;;
	set) words=(set "$2" log_keep=3) ;;
	top) words=(top --once -d 100ms "$2") ;;
	events) words=(events -n 1 "$2") ;;
	*) words=("$1" "$2") ;;
	esac
}

program_of() {
	case $1 in
	start | stop | restart | reload | signal) echo "$1-$2" ;;
	*) echo "look-$2" ;;
	esac
}

# cell COMMAND COLUMN STATUS
cell() {
	local status=0 said words

	case $2 in
	missing)
		words "$1" nosuch
		said=$(sctl "${words[@]}" 2>&1) || status=$?
		;;
	nodaemon)
		words "$1" look-running
		said=$("$SUPERCTL" -s "$SD/run/none.sock" "${words[@]}" 2>&1) || status=$?
		;;
	denied)
		[ "$(id -u)" -eq 0 ] || return 0
		words "$1" look-running
		said=$(setpriv --reuid 65534 --regid 65534 --clear-groups "$SD/superctl" -s "$SD/run/control.sock" "${words[@]}" 2>&1) || status=$?
		;;
	*)
		words "$1" "$(program_of "$1" "$2")"
		said=$(sctl "${words[@]}" 2>&1) || status=$?
		;;
	esac
	if [ "$status" -ne "$3" ]; then
		echo "$1 $2: exit status $status, not $3: $said"
		return 1
	fi
	# Who fails says why; status has its table.
	[ "$status" -eq 0 ] || [ -n "$said" ] || {
		echo "$1 $2: fails and says nothing"
		return 1
	}
}

allow_nobody() {
	cp "$SUPERCTL" "$SD/superctl"
	chmod 755 "$SD/superctl"
}

@test "exit codes: every command on a program in every state" {
	local columns row verb i wrong=0

	allow_nobody
	{
		read -ra columns
		while read -ra row; do
			for ((i = 1; i < ${#row[@]}; i++)); do
				cell "${row[0]}" "${columns[i]}" "${row[i]}" 3>&- || wrong=$((wrong + 1))
			done
		done
	} < <(table)
	equals "wrong cells" "$wrong" 0
}

@test "exit codes: commands about no program" {
	local verb with without denied words

	allow_nobody
	while read -r verb with without denied; do
		words=("$verb")
		[ "$verb" != run ] || words=(run -- true)
		exits "$with" sctl "${words[@]}" </dev/null
		exits "$without" "$SUPERCTL" -s "$SD/run/none.sock" "${words[@]}" </dev/null
		[ "$(id -u)" -ne 0 ] ||
			exits "$denied" setpriv --reuid 65534 --regid 65534 --clear-groups "$SD/superctl" -s "$SD/run/control.sock" "${words[@]}" </dev/null
	done < <(table_of_all)
}

@test "exit codes: the tables have every command" {
	local verb known

	known=" $({ table; table_of_all; } | awk '{ print $1 }' | tr '\n' ' ')$ELSEWHERE"
	for verb in $("$SUPERCTL" help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do
		[[ $known == *" $verb "* ]] || { echo "no row for: $verb"; return 1; }
	done
	[ -n "$verb" ]
}

@test "--json of every command is JSON: an array, an object, or an object on each line" {
	local verb words state

	mkdir "$SD/json"
	while read -r verb _; do
		[ "$verb" != command ] || continue
		for state in stopped running fatal; do
			words "$verb" "$(program_of "$verb" "$state")"
			sctl "${words[@]}" --json >"$SD/json/$verb.$state" 2>/dev/null || true
		done
	done < <(table)
	for verb in version check apply; do
		sctl "$verb" --json >"$SD/json/$verb"
	done
	"$PYTHON" -ISc 'import json, os, sys
for name in os.listdir(sys.argv[1]):
    text = open(sys.argv[1] + "/" + name).read()
    try:
        try:
            assert isinstance(json.loads(text), (list, dict))
        except ValueError:
            assert all(isinstance(json.loads(line), dict) for line in text.splitlines())
    except (AssertionError, ValueError):
        sys.exit(f"{name}: no JSON: {text[:300]}")' "$SD/json"
}

@test "--quiet of every command says nothing when all is well" {
	local verb words

	while read -r verb _; do
		case $verb in command | signal | forget) continue ;; esac # that one has nothing to forget
		words "$verb" "$(program_of "$verb" running)"
		exits any sctl -q "${words[@]}"
		[ -z "$output" ] || { echo "$verb -q says: $output"; return 1; }
	done < <(table)
}
