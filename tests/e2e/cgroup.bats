# SPDX-License-Identifier: ISC
# A cgroup for each program: stopped means that every process of it is gone, however it hides; and the way without
# cgroups, which SUPERVISORD_NO_CGROUP in the daemon's environment asks for.

load lib.bash

SETTINGS='defaults { stable_after = "100ms" restart_delay = "50ms" stop_timeout = "700ms" }'

setup_file() {
	sd_new "$SETTINGS"
	cp "$OUT/tests/programs/clan" "$SD/bin/"
	sd_start
	export CGROUP_MOUNT
	CGROUP_MOUNT=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# The rest of the file tests nothing where no cgroup can be made; the daemon has said why.
need_cgroups() {
	local why

	why=$(sed -n 's/.*no cgroups (\(.*\)):.*/\1/p' "$SD/own.log" | head -n 1)
	[ -z "$why" ] || skip "no cgroups: $why"
}

# Path of a process's cgroup.
cgroup_of() {
	sed -n 's/^0:://p' "/proc/$1/cgroup"
}

# The directory of the leaf of a running program.
leaf_of() {
	echo "$CGROUP_MOUNT$(cgroup_of "$(host_pid "$(record "$1" pid)")")"
}

start_clan() {
	local name=$1

	shift
	stanza "$name" <<-END
		program "$name" {
			command = "$SD/bin/clan $* $SD/$name.ready"
		}
	END
	wait_for "$PATIENCE" file_has "$SD/$name.ready" ready
	wait_state "$name" RUNNING
}

no_leaf() {
	[ ! -e "$1" ]
}

@test "cgroup: each program has a leaf of its own, and keeps it" {
	local leaf pid

	need_cgroups
	stanza pair <<-END
		program "left" { command = "$SD/bin/stamp $SD/left.stamps run" }
		program "right" { command = "$SD/bin/stamp $SD/right.stamps run" }
	END
	wait_state left RUNNING
	wait_state right RUNNING
	leaf=$(leaf_of left)
	matches "$leaf" '/supervisord\.[0-9a-f]{16}/[0-9]+-left$'
	matches "$(leaf_of right)" '/supervisord\.[0-9a-f]{16}/[0-9]+-right$'
	[ "$(cgroup_of "$(guardian)")" = "$(cgroup_of $$)" ]

	pid=$(record left pid)
	kill_program left
	wait_for "$PATIENCE" runs_anew left "$pid"
	wait_state left RUNNING
	equals "leaf of the next run" "$(leaf_of left)" "$leaf"

	exits 0 sctl stop left right
	[ -d "$leaf" ]
	: | stanza pair
	wait_for "$PATIENCE" no_leaf "$leaf"
}

@test "cgroup: stop ends what ignores TERM, has left the session and emptied its environment" {
	local before after

	need_cgroups
	start_clan hidden hidden
	equals "processes before" "$(count_procs clan)" 3
	before=$(now_ms)
	exits 0 sctl stop hidden
	after=$(now_ms)
	equals "processes after" "$(count_procs clan)" 0
	equals state "$(record hidden state)" STOPPED
	at_least "milliseconds of the stop" $((after - before)) 700
	wait_for "$PATIENCE" no_zombies
}

@test "cgroup: a crash of the main process leaves nothing behind for the next run" {
	local pid

	need_cgroups
	start_clan crash hidden
	rm "$SD/crash.ready"
	pid=$(record crash pid)
	kill_program crash
	wait_for "$PATIENCE" runs_anew crash "$pid"
	wait_for "$PATIENCE" file_has "$SD/crash.ready" ready
	equals processes "$(count_procs clan)" 3
	exits 0 sctl stop crash
	equals "processes after" "$(count_procs clan)" 0
}

@test "cgroup: two hundred processes get KILL at once" {
	need_cgroups
	start_clan many many 200
	equals "processes before" "$(count_procs clan)" 200
	exits 0 sctl stop many
	equals "processes after" "$(count_procs clan)" 0
	file_has "$SD/own.log" 'many: KILL to 200 processes'
	wait_for "$PATIENCE" no_zombies
}

@test "cgroup: an engine that is killed while it stops a program is followed by one that ends it" {
	local engine

	need_cgroups
	start_clan orphaned hidden
	engine=$(role_pid engine)
	exits any sctl stop --no-wait orphaned
	kill_role engine
	wait_for "$PATIENCE" has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
	wait_state orphaned STOPPED
	equals "processes after" "$(count_procs clan)" 0
}

@test "cgroup: what kill_mode = process leaves behind lives on" {
	need_cgroups
	stanza alone <<-END
		program "alone" {
			command = "$SD/bin/clan hidden $SD/alone.ready"
			kill_mode = "process"
		}
	END
	wait_for "$PATIENCE" file_has "$SD/alone.ready" ready
	wait_state alone RUNNING
	exits 0 sctl stop alone
	equals "processes left" "$(count_procs clan)" 2
	rm "$SD/alone.ready"
	exits 0 sctl start alone
	wait_for "$PATIENCE" file_has "$SD/alone.ready" ready
	equals "processes of both runs" "$(count_procs clan)" 5
	equals "processes of the present run" "$(wc -l <"$(leaf_of alone)/cgroup.procs")" 3
	exits 0 sctl stop alone
	# shellcheck disable=SC2046 # a list of numbers
	kill -KILL $(pgrep -f "^$SD/bin/clan")
	wait_for "$PATIENCE" no_procs clan
}

@test "cgroup: the shutdown leaves no directory behind" {
	local base

	need_cgroups
	start_clan last hidden
	base=$(dirname "$(leaf_of last)")
	[ -d "$base" ]
	exits 0 sctl shutdown
	wait_for "$PATIENCE" is_gone "$(guardian)"
	no_procs clan
	no_leaf "$base"
}

# The daemon dies with its guardian, the program does not.
kill_guardian() {
	local guardian engine logger

	guardian=$(guardian)
	engine=$(role_pid engine)
	logger=$(role_pid logger)
	kill -KILL "$guardian"
	wait_for "$PATIENCE" is_gone "$guardian"
	wait_for "$PATIENCE" is_gone "$engine"
	[ "${1:-}" = programs ] || return 0
	# shellcheck disable=SC2046 # a list of numbers
	kill -KILL $(pgrep -f "^$SD/bin/")
	wait_for "$PATIENCE" no_procs ""
	wait_for "$PATIENCE" is_gone "$logger"
}

@test "cgroup: the next start removes what a killed guardian has left, once it is empty" {
	local first second

	need_cgroups
	sd_new "$SETTINGS"
	stanza_file web <<-END
		program "web" { command = "$SD/bin/stamp $SD/web.stamps run" }
	END
	sd_start
	wait_state web RUNNING
	first=$(dirname "$(leaf_of web)")
	kill_guardian
	[ -d "$first" ]

	# It still has a process.
	sd_start
	wait_state web RUNNING
	[ -d "$first" ]
	file_has "$SD/own.log" "$first: programs of a supervisord that was killed still run there"
	second=$(dirname "$(leaf_of web)")
	[ "$first" != "$second" ]
	kill_guardian programs
	[ -d "$first" ]
	[ -d "$second" ]

	sd_start
	[ ! -e "$first" ]
	[ ! -e "$second" ]
	wait_state web RUNNING
	sd_down
}

@test "cgroup: without, a program is where the daemon is, and its strays are found by their mark" {
	sd_new "$SETTINGS"
	sd_start env SUPERVISORD_NO_CGROUP=1
	file_has "$SD/own.log" 'no cgroups (SUPERVISORD_NO_CGROUP is set)'
	stanza orphan <<-END
		program "orphan" {
			command = "$SD/bin/family orphan $SD/orphan.ready"
		}
	END
	wait_for "$PATIENCE" file_has "$SD/orphan.ready" ready
	wait_state orphan RUNNING
	equals "cgroup" "$(cgroup_of "$(host_pid "$(record orphan pid)")")" "$(cgroup_of "$(guardian)")"
	equals "processes before" "$(count_procs family)" 2
	exits 0 sctl stop orphan
	equals "processes after" "$(count_procs family)" 0
	sd_down
}
