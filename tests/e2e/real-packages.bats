#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# packaging/install-deps real: the daemons of real.bats are a convenience, and nobody gets them unasked.

bats_require_minimum_version 1.5.0

# A PATH of two folders: stubs, and links to the few tools that install-deps itself needs.
setup()
{
	local tool

	mkdir "$BATS_TEST_TMPDIR/stubs" "$BATS_TEST_TMPDIR/links"
	for tool in sh awk sed tr cat env; do
		ln -s "$(command -v "$tool")" "$BATS_TEST_TMPDIR/links/$tool"
	done
	called=$BATS_TEST_TMPDIR/called
	: >"$called"
}

# stub NAME SCRIPT
stub()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$BATS_TEST_TMPDIR/stubs/$1"
	chmod +x "$BATS_TEST_TMPDIR/stubs/$1"
}

# On a machine with apk, a good compiler, and in no folder of its PATH a daemon: install_deps NAME=VALUE... GROUP...
# (nginx and others are looked for in /usr/sbin, too; redis-server and memcached are not there).
install_deps()
{
	stub cc 'cat >/dev/null'
	run env PATH="$BATS_TEST_TMPDIR/stubs:$BATS_TEST_TMPDIR/links" CC=cc "$@"
	echo "$output"
}

INSTALL="$BATS_TEST_DIRNAME/../../packaging/install-deps"
ALL="nginx redis memcached postgresql postgresql-client haproxy mosquitto lighttpd py3-gunicorn dbus util-linux-misc git-daemon nodejs"

@test "install-deps real names the packages of each distribution" {
	run "$INSTALL" --print --all --for apt real
	[[ $output == *"apt-get install"*" nginx redis-server memcached postgresql haproxy mosquitto lighttpd gunicorn dbus-daemon dbus-bin uuid-runtime git nodejs" ]]
	run "$INSTALL" --print --all --for dnf real
	[[ $output == *"dnf install"*" nginx valkey memcached postgresql-server postgresql haproxy mosquitto lighttpd python3-gunicorn dbus-daemon dbus-tools uuidd git-daemon nodejs" ]]
	run "$INSTALL" --print --all --for apk real
	[[ $output == *"apk add $ALL" ]]
	run "$INSTALL" --print --all --for pacman real
	[[ $output == *"pacman -S"*" nginx valkey memcached postgresql haproxy mosquitto lighttpd gunicorn dbus util-linux git nodejs" ]]
}

@test "install-deps real beside another group, as a user: nothing is installed, which is said and is no failure" {
	stub id 'echo 1000'
	stub sudo "echo \"sudo \$@\" >>'$called'"
	install_deps CI= "$INSTALL" --for apk asan real
	[ "$status" -eq 0 ]
	[ ! -s "$called" ]
	[[ $output == *"not installed:"*memcached*"needs root: packaging/install-deps real"*skipped* ]]
}

@test "install-deps real takes sudo where CI is set, or when it is what was asked for" {
	stub id 'echo 1000'
	stub sudo "echo \"sudo \$@\" >>'$called'"
	install_deps CI=true "$INSTALL" --for apk asan real
	[ "$status" -eq 0 ]
	[[ $(cat "$called") == "sudo apk add "*memcached* ]]
	: >"$called"
	install_deps CI= "$INSTALL" --for apk real
	[ "$status" -eq 0 ]
	[[ $(cat "$called") == "sudo apk add "*memcached* ]]
}

@test "install-deps real tries each package on its own when not all can be had, and never fails" {
	stub id 'echo 0'
	stub apk "echo \"\$@\" >>'$called'; exit 1"
	install_deps CI= "$INSTALL" --for apk asan real
	[ "$status" -eq 0 ]
	grep -qx 'update' "$called"
	grep -qx 'add redis' "$called"
	grep -qx 'add memcached' "$called"
	[[ $output == *"not installed:"*memcached*"no package for it could be installed"*skipped* ]]
}
