#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# hello.bats: the worker alone, without a supervisor.
#
# tests/run: alone, one test needs the default port

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	HELLO=$PWD/${O:-build}/libexec/supervisord/hello
	case ${O:-build} in /*) HELLO=$O/libexec/supervisord/hello ;; esac
	DIR=$(mktemp -d)
	PIDS=()
	CLOSE='Connection: close\r\n'
	HOST='Host: a\r\n'
}

teardown() {
	local pid
	for pid in "${PIDS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	rm -rf "$DIR"
}

# Runs the command until a deadline; for conditions, so that nothing sleeps for time.
eventually() {
	local deadline=$((SECONDS + 60))
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.02
	done
}

# start [options]: on a free port; sets PID and PORT.
start() {
	start_raw "$HELLO" --listen 127.0.0.1:0 "$@"
	read_port
}

# The port of the first address printed.
read_port() {
	PORT=$(sed -n 's|^hello: listening on http://.*:\([0-9]*\)/$|\1|p' "$DIR/out" | head -n 1)
}

start_raw() {
	"$@" >"$DIR/out" 2>"$DIR/err" 3>&- &
	PID=$!
	PIDS+=("$PID")
	eventually grep -q '^hello: listening on ' "$DIR/out"
}

open_connection() {
	exec 9<>"/dev/tcp/127.0.0.1/$PORT"
}

# raw BYTES: sends them (printf's format) and prints all until the server closes.
raw() {
	open_connection
	# shellcheck disable=SC2059
	printf "$1" >&9
	timeout 60 cat <&9
	local r=$?
	exec 9>&-
	return "$r"
}

has_status() {
	[ "$(status_of "$2")" = "$1" ]
}

status_of() {
	raw "$1" | head -n 1 | cut -d' ' -f2
}

is_gone() {
	! kill -0 "$1"
}

# wait_exit PID: its exit status, within a deadline.
wait_exit() {
	eventually is_gone "$1" || return 99
	wait "$1"
}

@test "the default address is 127.0.0.1:8124" {
	if (exec 9<>/dev/tcp/127.0.0.1/8124) 2>/dev/null; then
		skip "8124 is in use"
	fi
	start_raw "$HELLO"
	[ "$(cat "$DIR/out")" = "hello: listening on http://127.0.0.1:8124/" ]
	[ "$(curl -s http://127.0.0.1:8124/)" = "Hello World" ]
}

@test "GET answers 200, text/plain, Hello World" {
	start
	run curl -si "http://127.0.0.1:$PORT/any/path?x=1"
	[[ "${lines[0]}" == "HTTP/1.1 200 OK"* ]]
	[[ "$output" == *$'Content-Type: text/plain\r\n'*$'\r\n\r\nHello World' ]]
	[[ "$output" == *"Date: "*" GMT"* ]]
}

@test "HEAD answers the same without a body" {
	start
	run curl -sI "http://127.0.0.1:$PORT/"
	[[ "${lines[0]}" == "HTTP/1.1 200 OK"* ]]
	[[ "$output" == *"Content-Length: 12"* ]]
	[[ "$output" != *"Hello"* ]]
}

@test "pipelined requests are answered in order" {
	start
	run raw "GET / HTTP/1.1\r\n${HOST}\r\nPOST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabcHEAD / HTTP/1.1\r\n${HOST}\r\nGET / HTTP/1.1\r\n$HOST$CLOSE\r\n"
	[ "$(grep -o 'HTTP/1.1 [0-9]*' <<<"$output" | tr '\n' ' ')" = "HTTP/1.1 200 HTTP/1.1 405 HTTP/1.1 200 HTTP/1.1 200 " ]
	[ "$(grep -c 'Hello World' <<<"$output")" = 2 ]
}

@test "thousands of pipelined requests are all answered" {
	start
	for _ in {1..5000}; do
		printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
	done >"$DIR/many"
	printf 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' >>"$DIR/many"
	open_connection
	cat "$DIR/many" >&9 &
	[ "$(timeout 60 grep -c 'Hello World' <&9)" = 5001 ]
	wait $!
}

@test "keep-alive: one connection serves many requests, also of HTTP/1.0" {
	start
	run curl -sv "http://127.0.0.1:$PORT/1" "http://127.0.0.1:$PORT/2" "http://127.0.0.1:$PORT/3"
	[ "$(grep -c 'Re-using existing connection' <<<"$output")" = 2 ]
	run curl -sv0 -H 'Connection: keep-alive' "http://127.0.0.1:$PORT/1" "http://127.0.0.1:$PORT/2"
	[ "$(grep -c 'Re-using existing connection' <<<"$output")" = 1 ]
	[[ "$output" == *"< Connection: keep-alive"* ]]
	run raw 'GET / HTTP/1.0\r\n\r\n'
	[[ "$output" == *"Connection: close"*"Hello World" ]]
}

@test "request bodies are skipped: chunked with trailers, and larger than any buffer" {
	start
	[ "$(raw "GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5;x=y\r\n12345\r\n0\r\nT: x\r\n\r\nGET / HTTP/1.1\r\n$HOST$CLOSE\r\n" | grep -c 'Hello World')" = 2 ]
	head -c 500000 /dev/zero >"$DIR/body"
	[ "$(curl -s -X GET -T "$DIR/body" "http://127.0.0.1:$PORT/")" = "Hello World" ]
	[ "$(curl -s -X GET -H 'Transfer-Encoding: chunked' -T "$DIR/body" "http://127.0.0.1:$PORT/")" = "Hello World" ]
}

@test "Expect: 100-continue is answered before the body" {
	start
	open_connection
	printf 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n' >&9
	read -r -t 60 line <&9
	[ "$line" = $'HTTP/1.1 100 Continue\r' ]
	printf 'ab' >&9
	[[ "$(timeout 60 cat <&9)" == *"Hello World" ]]
}

@test "malformed and ambiguous requests get 400 and the connection is closed" {
	start
	[ "$(status_of 'GET / HTTP/1.1\r\n\r\n')" = 400 ]
	[ "$(status_of "GET / HTTP/1.1\r\n$HOST folded\r\n\r\n")" = 400 ]
	[ "$(status_of "GET / HTTP/1.1\r\n${HOST}X : y\r\n\r\n")" = 400 ]
	[ "$(status_of "GET / HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n")" = 400 ]
	[ "$(status_of "GET / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n")" = 400 ]
	[ "$(status_of "GET / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")" = 400 ]
}

@test "405 with Allow, 501, 505, 413, 414, 431" {
	start
	run raw "DELETE / HTTP/1.1\r\n$HOST$CLOSE\r\n"
	[[ "$output" == "HTTP/1.1 405 "*$'\r\nAllow: GET, HEAD\r\n'* ]]
	[ "$(status_of "BREW / HTTP/1.1\r\n$HOST$CLOSE\r\n")" = 501 ]
	[ "$(status_of 'GET / HTTP/2.0\r\n\r\n')" = 505 ]
	[ "$(status_of "POST / HTTP/1.1\r\n${HOST}Content-Length: 99999999\r\n\r\n")" = 413 ]
	local long
	long=$(printf '%20000s' '' | tr ' ' x)
	[ "$(status_of "GET / HTTP/1.1\r\n${HOST}X: $long\r\n\r\n")" = 431 ]
	[ "$(status_of "GET /$long HTTP/1.1\r\n$HOST\r\n")" = 414 ]
}

@test "413 reaches a client that is still sending" {
	start
	head -c 8000000 /dev/zero >"$DIR/body"
	run curl -s -o /dev/null -w '%{http_code}' -H 'Expect:' -T "$DIR/body" "http://127.0.0.1:$PORT/"
	[ "$output" = 413 ]
}

@test "a slow head gets 408, a slow body too, a silent connection is closed" {
	start --header-timeout 200ms --body-timeout 300ms --idle-timeout 200ms
	# On a busy machine it may take us longer to send anything.
	eventually has_status 408 'GET / HT'
	eventually has_status 408 "GET / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\n12"
	[ -z "$(raw '')" ]
	eventually has_status 200 "GET / HTTP/1.1\r\n$HOST\r\n"
}

@test "a client that drips its request byte by byte does not hold up others" {
	start
	open_connection
	local i text=$'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
	for ((i = 0; i < ${#text}; i++)); do
		printf '%s' "${text:i:1}" >&9
		[ $((i % 10)) != 0 ] || [ "$(curl -s "http://127.0.0.1:$PORT/")" = "Hello World" ]
	done
	[[ "$(timeout 60 cat <&9)" == *"Hello World" ]]
}

@test "a client that never reads is dropped by the write timeout" {
	start --write-timeout 300ms
	run timeout 90 python3 - "$PORT" <<-'EOF'
		import socket, sys
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		s.settimeout(60)
		try:
		    while True:
		        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
		except (ConnectionResetError, BrokenPipeError):
		    print("dropped")
	EOF
	[ "$output" = "dropped" ]
	[ "$(curl -s "http://127.0.0.1:$PORT/")" = "Hello World" ]
}

@test "at the connection limit an idle connection makes room" {
	start --max-connections 2
	run timeout 90 python3 - "$PORT" <<-'EOF'
		import socket, sys
		def client(close=""):
		    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    s.settimeout(60)
		    s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		    data = b""
		    while not data.endswith(b"Hello World\n"):
		        data += s.recv(1000)
		    return s
		first = client()
		rest = [client() for _ in range(5)]
		print("closed" if first.recv(1) == b"" else "open")
	EOF
	[ "$output" = "closed" ]
}

@test "without descriptors it neither spins nor dies, and serves again later" {
	start_raw bash -c "ulimit -n 40; exec '$HELLO' --listen 127.0.0.1:0 --header-timeout 1s"
	read_port
	run timeout 90 python3 - "$PORT" "$PID" <<-'EOF'
		import socket, sys
		def ticks():
		    return sum(map(int, open(f"/proc/{sys.argv[2]}/stat").read().rsplit(")", 1)[1].split()[11:13]))
		before = ticks()
		conns = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(80)]
		conns[0].settimeout(60)
		conns[0].recv(1)
		print("calm" if ticks() - before < 30 else "spins")
	EOF
	[ "$output" = "calm" ]
	[ "$(curl -s --max-time 60 "http://127.0.0.1:$PORT/")" = "Hello World" ]
}

@test "inherited sockets (LISTEN_FDS) win over the default" {
	cat >"$DIR/pass.py" <<-'EOF'
		import os, socket, sys
		s = socket.create_server(("127.0.0.1", 0))
		os.dup2(s.fileno(), 3)
		os.set_inheritable(3, True)
		os.environ["LISTEN_FDS"] = "1"
		os.environ["LISTEN_PID"] = str(os.getpid())
		os.execv(sys.argv[1], sys.argv[1:])
	EOF
	start_raw python3 "$DIR/pass.py" "$HELLO"
	[ "$(wc -l <"$DIR/out")" = 1 ]
	run ! grep -q ':8124/' "$DIR/out"
	[ "$(curl -s "$(sed 's/hello: listening on //' "$DIR/out")")" = "Hello World" ]
}

@test "LISTEN_FDS of another process are not touched; a bad descriptor is named" {
	LISTEN_FDS=1 LISTEN_PID=1 start
	[ "$(curl -s "http://127.0.0.1:$PORT/")" = "Hello World" ]
	# shellcheck disable=SC2016
	run bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" 3</dev/null' "$HELLO"
	[ "$status" = 1 ]
	[[ "$output" == *"inherited descriptor 3"* ]]
}

@test "IPv6: [::1] and [::] with IPv4 too" {
	[ -e /proc/net/if_inet6 ] || skip "no IPv6"
	start_raw "$HELLO" --listen '[::1]:0' --listen '[::]:0'
	run sed -n 's/hello: listening on //p' "$DIR/out"
	[ "$(curl -gs "${lines[0]}")" = "Hello World" ]
	[ "$(curl -gs "${lines[1]}")" = "Hello World" ]
	[ "$(curl -s "http://127.0.0.1:${lines[1]##*:}")" = "Hello World" ]
}

@test "unix socket: stale is replaced, live and foreign are not, removed at exit" {
	local path=$DIR/h.sock
	start_raw "$HELLO" --listen "unix:$path"
	[ "$(curl -s --unix-socket "$path" http://a/)" = "Hello World" ]
	run "$HELLO" --listen "unix:$path"
	[ "$status" = 1 ]
	[[ "$output" == *"unix:$path: Address already in use" ]]
	kill -KILL "$PID"
	wait "$PID" || true
	[ -S "$path" ]
	start_raw "$HELLO" --listen "unix:$path"
	[ "$(curl -s --unix-socket "$path" http://a/)" = "Hello World" ]
	kill -TERM "$PID"
	wait_exit "$PID"
	[ ! -e "$path" ]
	echo precious >"$path"
	run "$HELLO" --listen "unix:$path"
	[ "$status" = 1 ]
	[ "$(cat "$path")" = precious ]
}

@test "SIGTERM: the next request on an idle connection is answered as the last one" {
	start
	exec 8<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' >&8
	while read -r -t 60 line <&8 && [ "$line" != "Hello World" ]; do :; done
	kill -TERM "$PID"
	eventually bash -c "! (exec 7<>/dev/tcp/127.0.0.1/$PORT) 2>/dev/null"
	printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' >&8
	run timeout 60 cat <&8
	[[ "$output" == "HTTP/1.1 200 "*"Connection: close"*"Hello World" ]]
	wait_exit "$PID"
}

@test "SIGTERM: a request in flight is finished, idle connections close, exit 0" {
	start
	open_connection
	printf 'GET / HTTP/1.1\r\nHost: a\r\n' >&9
	# An idle keep-alive connection beside it.
	exec 8<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' >&8
	while read -r -t 60 line <&8 && [ "$line" != "Hello World" ]; do :; done
	kill -TERM "$PID"
	[ -z "$(timeout 60 cat <&8)" ]
	kill -0 "$PID"
	run ! curl -s --max-time 5 "http://127.0.0.1:$PORT/"
	printf '\r\n' >&9
	run timeout 60 cat <&9
	[[ "$output" == "HTTP/1.1 200 "*"Connection: close"*"Hello World" ]]
	wait_exit "$PID"
}

@test "SIGTERM: grace bounds a request that does not come; a second TERM ends at once" {
	start --grace 200ms
	open_connection
	printf 'GET / HT' >&9
	kill -TERM "$PID"
	wait_exit "$PID"
	start --grace 1h
	open_connection
	printf 'GET / HT' >&9
	exec 8<>"/dev/tcp/127.0.0.1/$PORT"
	kill -TERM "$PID"
	eventually bash -c "! (exec 7<>/dev/tcp/127.0.0.1/$PORT) 2>/dev/null"
	kill -0 "$PID"
	kill -TERM "$PID"
	wait_exit "$PID"
}

@test "SIGTERM: what waits in the backlog is served" {
	start
	kill -STOP "$PID"
	curl -s --max-time 60 "http://127.0.0.1:$PORT/" >"$DIR/answer" 3>&- &
	local client=$!
	PIDS+=("$client")
	eventually grep -q ":$(printf %04X "$PORT") .* 01 .*00000000:[0-9A-F]*[1-9A-F]" /proc/net/tcp
	kill -TERM "$PID"
	kill -CONT "$PID"
	wait "$client"
	[ "$(cat "$DIR/answer")" = "Hello World" ]
	wait_exit "$PID"
}

@test "SIGINT ends it too" {
	start_raw env --default-signal=INT "$HELLO" --listen 127.0.0.1:0
	kill -INT "$PID"
	wait_exit "$PID"
}

# The time that must pass is the condition: there is nothing to wait for.
sleeps_on() {
	local before

	before=$(grep ctxt_switches "/proc/$PID/status")
	sleep 1
	[ "$(grep ctxt_switches "/proc/$PID/status")" = "$before" ]
}

@test "idle means idle: no wake-up without connections" {
	start
	[ "$(curl -s "http://127.0.0.1:$PORT/")" = "Hello World" ]
	# The end of that connection may be still to come.
	eventually sleeps_on
}

@test "bad arguments: exit 2 and one line" {
	local arguments
	for arguments in --bogus extra "--listen nowhere" "--listen localhost:80" "--grace soon" --listen \
		"--max-connections 0" "--user no-such-user-here"; do
		# shellcheck disable=SC2086
		run --separate-stderr "$HELLO" $arguments
		[ "$status" = 2 ]
		[ -z "$output" ]
		# shellcheck disable=SC2154
		[ "${#stderr_lines[@]}" = 1 ]
		[[ "${stderr_lines[0]}" == "hello: "* ]]
	done
}

@test "--help and --version" {
	run "$HELLO" --help
	[ "$status" = 0 ]
	[[ "$output" == "usage: hello"*"--listen"*"--debug"* ]]
	run "$HELLO" -V
	[ "$status" = 0 ]
	[[ "$output" == "hello (supervisord) "[0-9]* ]]
}

@test "failure to bind: exit 1 naming address and reason" {
	start
	run "$HELLO" --listen "127.0.0.1:$PORT"
	[ "$status" = 1 ]
	[ "$output" = "hello: cannot listen on http://127.0.0.1:$PORT/: Address already in use" ]
	run "$HELLO" --listen 192.0.2.1:1
	[ "$status" = 1 ]
	[[ "$output" == *"192.0.2.1:1/: Cannot assign requested address" ]]
}

# check_ids UID GID: of the running process, all four of each, and no other group.
check_ids() {
	grep -qx "Uid:	$1	$1	$1	$1" "/proc/$PID/status"
	grep -qx "Gid:	$2	$2	$2	$2" "/proc/$PID/status"
	grep -qE '^Groups:[[:space:]]*$' "/proc/$PID/status"
	grep -qx "CapEff:	0000000000000000" "/proc/$PID/status"
	grep -qx "NoNewPrivs:	1" "/proc/$PID/status"
}

@test "--user: binds first, then drops everything" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	mkdir "$DIR/root-only"
	chmod 711 "$DIR" "$DIR/root-only"
	start --user nobody --listen "unix:$DIR/root-only/s"
	check_ids "$(id -u nobody)" "$(id -g nobody)"
	[ "$(stat -c %u "$DIR/root-only/s")" = 0 ]
	[ "$(curl -s "http://127.0.0.1:$PORT/")" = "Hello World" ]
	start --user 12345:23456
	check_ids 12345 23456
}

@test "--user @sudo: SUDO_UID and SUDO_GID, which must be there" {
	run env -u SUDO_UID -u SUDO_GID "$HELLO" --user @sudo
	[ "$status" = 2 ]
	[[ "$output" == *SUDO_UID* ]]
	run env SUDO_UID=1x SUDO_GID=1 "$HELLO" --user @sudo
	[ "$status" = 2 ]
	[ "$(id -u)" = 0 ] || skip "needs root for the rest"
	SUDO_UID=1234 SUDO_GID=2345 start --user @sudo
	check_ids 1234 2345
}

@test "--user of an ordinary user: itself is fine, another one is not" {
	[ "$(id -u)" = 0 ] || skip "needs root to become an ordinary user"
	command -v setpriv >/dev/null || skip "needs setpriv"
	start_raw setpriv --reuid 12345 --regid 12345 --clear-groups \
		"$HELLO" --listen 127.0.0.1:0 --user 12345:12345
	run timeout 60 setpriv --reuid 12345 --regid 12345 --clear-groups \
		"$HELLO" --listen 127.0.0.1:0 --user 12346:12346
	[ "$status" = 1 ]
	[[ "$output" == *"cannot become user 12346"* ]]
}

@test "--debug: /exit?code=7, /crash, /hang" {
	local code=0
	start --debug
	run curl -s "http://127.0.0.1:$PORT/exit?code=7"
	wait_exit "$PID" || code=$?
	[ "$code" = 7 ]
	start --debug
	run curl -s "http://127.0.0.1:$PORT/crash"
	wait_exit "$PID" || code=$?
	[ "$code" = 134 ]
	start --debug --grace 100ms --idle-timeout 50ms --header-timeout 50ms
	# These times are for our sending, too.
	eventually hangs "http://127.0.0.1:$PORT/hang"
	eventually curl -fs "http://127.0.0.1:$PORT/"
}

hangs() {
	local code=0

	curl -s --max-time 0.5 "$1" || code=$?
	[ "$code" = 28 ]
}

@test "without --debug those are ordinary paths" {
	start
	[ "$(curl -s "http://127.0.0.1:$PORT/exit?code=7")" = "Hello World" ]
	[ "$(curl -s "http://127.0.0.1:$PORT/crash")" = "Hello World" ]
	[ "$(curl -s "http://127.0.0.1:$PORT/hang")" = "Hello World" ]
}
