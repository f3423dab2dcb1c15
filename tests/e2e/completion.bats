#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The completion files of bash, zsh and fish: what they offer at places of a line, with names from a daemon that answers
# from a table.

bats_require_minimum_version 1.5.0

setup_file() {
	local root

	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	O=${O:-build}
	[[ $O == /* ]] || O=$root/$O
	export FILES=$O/completion
	export PATH=$O/bin:$PATH
	WORK=$(mktemp -d /tmp/superctl-complete.XXXXXX)
	export WORK
	export SUPERCTL_SOCKET=$WORK/control.sock
	cat >"$WORK/table.json" <<-'END'
		{"io.superctl.Status": [[{"parameters": {"programs": [
			{"name": "db", "state": "RUNNING"}, {"name": "web@1", "program": "web", "state": "RUNNING"}, {"name": "web@2", "program": "web", "state": "RUNNING"}]}}]]}
	END
	python3 "$BATS_TEST_DIRNAME/fake_daemon.py" "$SUPERCTL_SOCKET" "$WORK/table.json" 3>&- &
	export FAKE_PID=$!
	until [ -e "$SUPERCTL_SOCKET.ready" ]; do sleep 0.02; done
	cp "$SUPERCTL_SOCKET.ready" "$WORK/other.conf"
}

teardown_file() {
	kill "$FAKE_PID"
	rm -rf "$WORK"
}

# in_bash LINE: what bash would offer, in one line.
in_bash() {
	# shellcheck disable=SC2016 # for the inner shell
	bash --norc -c '
		source "$1"
		COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=" "
		_superctl
		echo "${COMPREPLY[*]}"
	' - "$FILES/superctl" "$1"
}

# in_zsh LINE: the same; what compadd and _describe are given is filtered as they would.
in_zsh() {
	# shellcheck disable=SC2016 # for the inner shell
	zsh -f -c '
		found=()
		compdef() { : }
		compadd() { [[ $1 == -a ]] && found+=("${(P@)2}") }
		_describe() { while [[ $1 == -* ]]; do [[ $1 == -t ]] && shift; shift; done; found+=("${(P@)2}") }
		_files() { found+=(FILES) }
		_call_program() { shift; eval "$*" }
		source $1
		words=("${(@s: :)2}")
		CURRENT=$#words
		_superctl
		for one in $found; do
			one=${one%%:*}
			[[ $one == FILES || $one == ${words[-1]}* ]] && print -n -- "$one "
		done
		print
	' - "$FILES/_superctl" "$1"
}

in_fish() {
	HOME=$WORK fish --no-config -c "source '$FILES/superctl.fish'; complete -C '$1'" | cut -f1 | tr '\n' ' '
}

# offers SHELL LINE WORD...: exactly these.
offers() {
	local shell=$1 line=$2 output

	shift 2
	output=$("in_$shell" "$line" | tr ' ' '\n' | sed '/^$/d' | sort | tr '\n' ' ')
	if [ "$output" != "$(printf '%s\n' "$@" | sed '/^$/d' | sort | tr '\n' ' ')" ]; then
		echo "$shell: '$line' offers: $output"
		echo "instead of: $*"
		return 1
	fi
}

common() {
	offers "$1" "superctl sta" start status
	offers "$1" "superctl stop web" web web@1 web@2
	offers "$1" "superctl stop db web@" web@1 web@2
	offers "$1" "superctl logs -n 5 d" db
	offers "$1" "superctl signal US" USR1 USR2
	offers "$1" "superctl signal HUP d" db
	offers "$1" "superctl config k" keys
	offers "$1" "superctl config show d" db
	offers "$1" "superctl config keys restart_delay" restart_delay restart_delay_max
	offers "$1" "superctl config keys log_memo" log_memory
	offers "$1" "superctl set db log_memory" ""
	offers "$1" "superctl set db log_mo" log_mode
	offers "$1" "superctl help sig" signal
	offers "$1" "superctl start --fo" --force
	offers "$1" "superctl reload --fo" ""
	offers "$1" "superctl status --js" --json
	offers "$1" "superctl -s $WORK/none start d" ""
	offers "$1" "superctl -s $SUPERCTL_SOCKET start d" db
	offers "$1" "superctl complet" ""
	offers "$1" "superctl version d" ""
}

@test "completion of bash" {
	bash -n "$FILES/superctl"
	common bash
	# Only what comes after the last of bash's word breaks is replaced.
	run bash --norc -c 'source "$1"; COMP_WORDBREAKS=" @="; COMP_LINE="superctl stop web@"; COMP_POINT=${#COMP_LINE}; _superctl; echo "${COMPREPLY[*]}"' \
		- "$FILES/superctl"
	[ "$output" = "1 2" ]
	offers bash "superctl check $WORK/oth" "$WORK/other.conf"
	offers bash "superctl start --timeout " ""
}

@test "completion of zsh" {
	command -v zsh >/dev/null || skip "needs zsh"
	zsh -n "$FILES/_superctl"
	common zsh
	offers zsh "superctl check $WORK/oth" FILES
}

@test "completion of fish" {
	command -v fish >/dev/null || skip "needs fish"
	fish -n "$FILES/superctl.fish"
	common fish
	offers fish "superctl check $WORK/oth" "$WORK/other.conf"
}

@test "the completion files know every verb that help lists" {
	local verb

	for verb in $(superctl help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do
		grep -q "^	$verb) options=" "$FILES/superctl"
		grep -q "^	$verb) options=" "$FILES/_superctl"
		grep -q "needs_verb -a $verb " "$FILES/superctl.fish"
	done
	[ -n "$verb" ]
}

@test "names are offered without a daemon too: none, and no complaint" {
	run env SUPERCTL_SOCKET="$WORK/none" superctl complete names
	[ "$status" -eq 4 ]
	[ -z "$output" ]
}
