# SPDX-License-Identifier: ISC
# What a program is started with: exactly what its stanza says, whatever supervisord was started with.

# shellcheck disable=SC2030,SC2031 # a test is a subshell, and that is what it is for

load lib.bash

# The daemon's limit of descriptors, to be the programs' too.
NOFILE=700

setup_file() {
	# No program here has to live for a time, so none becomes RUNNING because the machine was slow.
	sd_new 'defaults { stable_after = "1h" restart = "never" start_limit = 1 }'
	sd_start env -i PATH="$PATH" HOME=/home/wrong ASAN_OPTIONS="${ASAN_OPTIONS:-}" "$SD/bin/polluted" $NOFILE
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
}

# run_context NAME LINE…: run context with these lines in its stanza; what it wrote is then in $SD/NAME.
# WORDS, when set, go to its command.
run_context() {
	local name=$1

	shift
	{
		echo "program \"$name\" {"
		[[ "$*" == *"command ="* ]] || echo "	command = \"$SD/bin/context $SD/$name ${WORDS:-}\""
		printf '\t%s\n' "$@"
		echo "}"
	} | stanza "$name"
	wait_state "$name" EXITED
	equals "last_exit of $name" "$(record "$name" last_exit.status)" 0
	file_has "$SD/$name" '^end$'
}

# The lines of one kind: context_of NAME KEY.
context_of() {
	sed -n "s/^$2[ 	]*//p" "$SD/$1"
}

# The words after those of the test itself, each ended by "~".
words_of() {
	context_of "$1" argv | tail -n +3 | sed 's/^[0-9]* //' | tr '\n' '~'
}

# A file that any user may write: context_file NAME.
context_file() {
	: >"$SD/$1"
	chmod 666 "$SD/$1"
}

@test "context: descriptors 0, 1 and 2 and no other" {
	run_context fds
	equals numbers "$(context_of fds fd | cut -d' ' -f1 | tr '\n' ' ')" "0 1 2 "
	equals stdin "$(context_of fds 'fd 0')" /dev/null
	matches "$(context_of fds 'fd 1')" '^pipe:'
	equals stderr "$(context_of fds 'fd 2')" "$(context_of fds 'fd 1')"
}

@test "context: no signal is blocked or ignored" {
	run_context signals
	equals blocked "$(context_of signals SigBlk:)" 0000000000000000
	equals ignored "$(context_of signals SigIgn:)" 0000000000000000
}

@test "context: the descriptor limit is the one supervisord was started with" {
	run_context nofile
	equals nofile "$(context_of nofile nofile)" "$NOFILE $(ulimit -Hn)"
}

@test "context: a session and a process group of its own" {
	run_context session
	equals session "$(context_of session session)" own
	equals group "$(context_of session group)" own
}

@test "context: the environment has what the stanza says and nothing of the caller's" {
	run_context environment 'environment = {"GREETING=hello  world", "EMPTY=", "PERCENT=100%20"}'
	equals GREETING "$(context_of environment 'env GREETING=')" "hello  world"
	file_has "$SD/environment" '^env EMPTY=$'
	equals PERCENT "$(context_of environment 'env PERCENT=')" "100%20"
	equals name "$(context_of environment 'env SUPERVISORD_NAME=')" environment
	equals instance "$(context_of environment 'env SUPERVISORD_INSTANCE=')" 1
	matches "$(context_of environment 'env SUPERVISORD_RUN=')" '.+'
	matches "$(context_of environment 'env PATH=')" '/'
	equals rest "$(context_of environment env |
		grep -vE '^(GREETING|EMPTY|PERCENT|PATH|HOME|USER|LOGNAME|SHELL|SUPERVISORD_NAME|SUPERVISORD_INSTANCE|SUPERVISORD_RUN)=')" ""
}

@test "context: SUPERVISORD_RUN differs from run to run" {
	stanza run <<-END
		program "run" { command = "$SD/bin/stamp $SD/run.stamps exit 1" restart = "on-failure"
			start_limit = 3 restart_delay = "10ms" }
	END
	wait_state run FATAL
	equals "distinct runs" "$(cut -d' ' -f3 "$SD/run.stamps" | sort -u | wc -l)" 3
}

@test "context: umask is 022 unless the stanza says otherwise" {
	run_context umask-default
	equals umask "$(context_of umask-default umask)" 0022
	run_context umask-own 'umask = "027"'
	equals umask "$(context_of umask-own umask)" 0027
}

@test "context: directory, and a relative command taken from there" {
	run_context directory-default
	equals cwd "$(context_of directory-default cwd)" /
	run_context directory-own "directory = \"$SD/bin\"" "command = \"./context $SD/directory-own\""
	equals cwd "$(context_of directory-own cwd)" "$SD/bin"
	run_context directory-deep "directory = \"$SD\"" "command = \"bin/context directory-deep\""
	equals cwd "$(context_of directory-deep cwd)" "$SD"
}

@test "context: PATH is searched for a name without a slash" {
	stanza path <<-END
		program "path" { command = "sh -c 'exit 7'" }
	END
	wait_state path EXITED
	equals last_exit "$(record path last_exit.status)" 7
}

@test "context: words reach the program unchanged" {
	sed "s|@SD@|$SD|g" <<-'END' | stanza words
		program "words" {
			command = "@SD@/bin/context @SD@/words 100%20x ;a;b; $HOME * | > \"two words\" 'three more words' date+%s \\\\ end"
		}
	END
	wait_state words EXITED
	# shellcheck disable=SC2016 # nothing of this is for a shell
	equals words "$(words_of words)" '100%20x~;a;b;~$HOME~*~|~>~two words~three more words~date+%s~\~end~'
}

@test "context: a list is taken word by word" {
	stanza list <<-END
		program "list" { command = {"$SD/bin/context", "$SD/list", "two words", "", "'quoted'", "%20;"} }
	END
	wait_state list EXITED
	equals words "$(words_of list)" \
		"two words~~'quoted'~%20;~"
}

@test "context: %{name} and its kin are expanded" {
	WORDS='%{name}-%{program} %{run_dir}' run_context expand
	equals words "$(words_of expand)" \
		"expand-expand~$SD/run~"
}

@test "context: shell = true runs a shell" {
	stanza shell <<-END
		program "shell" { command = "echo \$((6 * 7)); exit 5" shell = true }
	END
	wait_state shell EXITED
	equals last_exit "$(record shell last_exit.status)" 5
	wait_for "$PATIENCE" log_has shell '^42$'
}

@test "context: user gives the ids, the groups and the login variables" {
	[ "$(id -u)" -eq 0 ] || skip "only root may change users"
	local uid gid

	uid=$(id -u nobody)
	gid=$(id -g nobody)
	context_file user
	run_context user 'user = "nobody"'
	equals Uid "$(context_of user Uid:)" "$uid	$uid	$uid	$uid"
	equals Gid "$(context_of user Gid:)" "$gid	$gid	$gid	$gid"
	equals Groups "$(context_of user Groups: | xargs -n1 | sort -n | xargs)" "$(id -G nobody | xargs -n1 | sort -n | xargs)"
	equals USER "$(context_of user 'env USER=')" nobody
	equals LOGNAME "$(context_of user 'env LOGNAME=')" nobody
	equals HOME "$(context_of user 'env HOME=')" "$(getent passwd nobody | cut -d: -f6)"
	equals SHELL "$(context_of user 'env SHELL=')" "$(getent passwd nobody | cut -d: -f7)"
}

@test "context: group wins over the user's own, and numbers work" {
	[ "$(id -u)" -eq 0 ] || skip "only root may change users"
	context_file group
	run_context group 'user = "54321"' 'group = "12345"'
	equals Uid "$(context_of group Uid:)" "54321	54321	54321	54321"
	equals Gid "$(context_of group Gid:)" "12345	12345	12345	12345"
	[[ " $(context_of group Groups:) " != *" 0 "* ]]
}

# exec_error NAME EXTENDED-REGEXP LINE…: the launch fails, and the record says at which step and why.
exec_error() {
	local name=$1 wanted=$2

	shift 2
	{
		echo "program \"$name\" {"
		printf '\t%s\n' "$@"
		echo "}"
	} | stanza "$name"
	wait_for "$PATIENCE" has_failed "$name"
	matches "$(record "$name" reason)" "$wanted"
	equals pid "$(record "$name" pid)" ""
	exits 1 sctl start "$name"
	matches "$output" "$wanted"
}

has_failed() {
	is_state "$1" FATAL || is_state "$1" EXITED
}

@test "exec error: missing binary" {
	exec_error missing 'exec.*No such file or directory' 'command = "/nonexistent/binary"'
}

@test "exec error: a name that is nowhere in PATH" {
	exec_error nowhere 'exec.*No such file or directory' 'command = "no-such-command-anywhere"'
}

@test "exec error: not executable" {
	echo "not a program" >"$SD/plain-file"
	exec_error plain 'exec.*Permission denied' "command = \"$SD/plain-file\""
}

@test "exec error: missing directory" {
	exec_error nodir 'chdir.*/nonexistent/dir.*No such file or directory' 'command = "/bin/true"' \
		'directory = "/nonexistent/dir"'
}

@test "exec error: bad interpreter" {
	printf '#!/nonexistent/interpreter\n' >"$SD/script"
	chmod +x "$SD/script"
	exec_error interpreter 'exec.*No such file or directory' "command = \"$SD/script\""
}

@test "exec error: not a format the kernel knows" {
	printf '\177NOT' >"$SD/rubbish"
	chmod +x "$SD/rubbish"
	exec_error format 'exec.*Exec format error' "command = \"$SD/rubbish\""
}

@test "exec error: a file for standard input that is not there" {
	exec_error nostdin '/nonexistent/input.*No such file or directory' 'command = "/bin/true"' \
		'stdin = "file:/nonexistent/input"'
}

@test "context: a daemon that was started with HUP ignored still applies on HUP" {
	cat >"$SD/conf.d/hup.conf" <<-END
		program "hup" { command = "$SD/bin/stamp $SD/hup.stamps run" stable_after = "100ms" }
	END
	kill -HUP "$(guardian)"
	wait_state hup RUNNING
}
