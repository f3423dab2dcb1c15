#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The Debian package: built, installed, hello answering, superctl talking to it, removed again.
#
# It installs into this machine, so it needs root, and nothing of ours may be there already.  The tests are steps of one
# story and run in their order; when one fails, the later ones are skipped.
#
# tests/run: alone

bats_require_minimum_version 1.5.0

setup_file()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	export O=${O:-build}
	unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR PREFIX SUPERCTL_SOCKET
	export STATE=$BATS_FILE_TMPDIR
	export POLICY=/usr/sbin/policy-rc.d
	reason=$(why_not)
	[ -z "$reason" ] || { echo "$reason" >"$STATE/skip"; return 0; }
	# Installing a package that ships a service starts it: not here.
	if [ ! -e "$POLICY" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$POLICY"
		chmod 755 "$POLICY"
		touch "$STATE/own-policy"
	fi
}

why_not()
{
	if [ "$(id -u)" -ne 0 ]; then
		echo "needs root"
	elif [ -n "${SAN:-}" ]; then
		echo "the package is built without sanitizers"
	elif ! command -v dpkg-buildpackage >/dev/null || ! command -v dh >/dev/null; then
		echo "no dpkg-buildpackage or debhelper here"
	elif dpkg-query -W -f '${Status}' supervisord 2>/dev/null | grep -q ' installed'; then
		echo "a supervisord package is installed here"
	elif [ -e /etc/supervisord ] || is_served; then
		echo "a supervisord lives here already"
	elif (exec 3<>/dev/tcp/127.0.0.1/8124) 2>/dev/null; then
		echo "port 8124 is taken"
	fi
}

# A socket may be left over from a machine's end; the lock is held by somebody who is alive.
is_served()
{
	[ -e /run/supervisord/supervisord.lock ] && ! flock -n /run/supervisord/supervisord.lock true
}

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	if [ -e "$STATE/skip" ]; then
		skip "$(cat "$STATE/skip")"
	fi
}

# A step that did not reach its end stops the story.
teardown()
{
	if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ ! -e "$STATE/skip" ]; then
		echo "an earlier step failed" >"$STATE/skip"
	fi
}

teardown_file()
{
	if [ -e "$STATE/pid" ]; then
		end_daemon "$(cat "$STATE/pid")"
	fi
	if [ -e "$STATE/installed" ]; then
		dpkg --purge supervisord >/dev/null 2>&1 || true
	fi
	if [ -e "$STATE/started" ]; then
		rm -rf /run/supervisord
	fi
	if [ -e "$STATE/own-policy" ]; then
		rm -f "$POLICY"
	fi
}

# After a failed step: first as it should be, then by force, the guardian's children with it.
end_daemon()
{
	local children

	children=$(cat "/proc/$1/task/$1/children" 2>/dev/null) || return 0
	kill -TERM "$1" 2>/dev/null || true
	wait_for 20 is_gone "$1" && return
	# shellcheck disable=SC2086 # a list of pids
	kill -KILL "$1" $children 2>/dev/null || true
}

# wait_for SECONDS COMMAND...
wait_for()
{
	local deadline=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}

has_supervisor()
{
	dpkg-query -W -f '${Status}' supervisor 2>/dev/null | grep -q ' installed'
}

hello_answers()
{
	[ "$(curl -s --max-time 2 http://127.0.0.1:8124/ 2>/dev/null)" = 'Hello World' ]
}

hello_is_running()
{
	[[ $(superctl status hello 2>/dev/null) == *RUNNING* ]]
}

# A zombie has ended: whose child it is, is not our matter.
is_gone()
{
	! grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status"
}

@test "make deb builds the package, and lintian has no error or warning" {
	unset CI
	run env DEB_BUILD_OPTIONS=nocheck packaging/build-deb
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(find "$O" -maxdepth 1 -name 'supervisord_*.deb' | wc -l)" -eq 1 ]
	find "$PWD/$O" "$O" -maxdepth 1 -name 'supervisord_*.deb' 2>/dev/null | head -n 1 >"$STATE/deb"
}

@test "the package has its files, its conffiles, and conflicts with supervisor" {
	deb=$(cat "$STATE/deb")
	run dpkg-deb -f "$deb" Conflicts
	[ "$output" = supervisor ]
	dpkg-deb --fsys-tarfile "$deb" | tar -t | sort >"$STATE/list"
	for file in usr/sbin/supervisord usr/bin/superctl usr/libexec/supervisord/engine \
		usr/libexec/supervisord/logger usr/libexec/supervisord/hello etc/supervisord/supervisord.conf \
		etc/supervisord/conf.d/hello.conf etc/init.d/supervisord usr/share/man/man1/superctl.1.gz \
		usr/share/man/man5/supervisord.conf.5.gz usr/share/man/man8/supervisord.8.gz \
		usr/share/man/man8/hello.8.gz; do
		grep -qx "./$file" "$STATE/list" || { echo "not in it: $file"; return 1; }
	done
	grep -q 'lib/systemd/system/supervisord.service$' "$STATE/list"
	dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./conffiles | sort >"$STATE/conffiles"
	diff - "$STATE/conffiles" <<-LIST
		/etc/init.d/supervisord
		/etc/supervisord/conf.d/hello.conf
		/etc/supervisord/supervisord.conf
	LIST
}

@test "dpkg refuses it beside supervisor" {
	has_supervisor || skip "supervisor is not installed here"
	touch "$STATE/installed"
	run dpkg -i "$(cat "$STATE/deb")"
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output == *conflict* ]]
	[ ! -e /usr/sbin/supervisord ]
}

@test "dpkg installs it" {
	local -a force=()

	# They share no file: for the test they may live side by side.
	if has_supervisor; then
		force=(--force-conflicts)
	fi
	touch "$STATE/installed"
	run dpkg "${force[@]}" -i "$(cat "$STATE/deb")"
	echo "$output"
	[ "$status" -eq 0 ]
	run /usr/sbin/supervisord -V
	[ "$status" -eq 0 ]
	run /usr/sbin/supervisord -t
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "the installed supervisord runs the installed hello" {
	/usr/sbin/supervisord -n </dev/null >"$STATE/log" 2>&1 3>&- &
	echo $! >"$STATE/pid"
	touch "$STATE/started"
	wait_for 10 hello_answers || { cat "$STATE/log"; return 1; }
	cmp "/proc/$(cat "$STATE/pid")/exe" /usr/sbin/supervisord
}

@test "the installed superctl finds it by itself" {
	wait_for 10 hello_is_running || superctl status
	run superctl status
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *hello*RUNNING* ]]
	run superctl restart hello
	[ "$status" -eq 0 ]
	wait_for 10 hello_answers
}

@test "it shuts down in order, and nothing of it is left" {
	pid=$(cat "$STATE/pid")
	children=$(cat "/proc/$pid/task/$pid/children")
	[ -n "$children" ]
	run superctl shutdown
	[ "$status" -eq 0 ]
	wait_for 15 is_gone "$pid" || { cat "$STATE/log"; return 1; }
	rm "$STATE/pid"
	for child in $children; do
		wait_for 5 is_gone "$child"
	done
	run ! hello_answers
}

@test "removing it keeps the configuration, purging leaves nothing" {
	run dpkg -r supervisord
	echo "$output"
	[ "$status" -eq 0 ]
	[ ! -e /usr/sbin/supervisord ]
	[ -e /etc/supervisord/supervisord.conf ]
	run dpkg -P supervisord
	echo "$output"
	[ "$status" -eq 0 ]
	rm "$STATE/installed"
	for path in /etc/supervisord /etc/init.d/supervisord /usr/libexec/supervisord /usr/bin/superctl \
		/usr/share/doc/supervisord /var/log/supervisord; do
		[ ! -e "$path" ] || { echo "left: $path"; return 1; }
	done
}
