#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# make install and uninstall, and packaging/install-deps: what they touch, and what they leave alone.

bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	export O=${O:-build}
	dest=$(mktemp -d "$BATS_TEST_TMPDIR/dest.XXXXXX")
	# Not this make's variables: a make inside `make check` is a make of its own.
	unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR PREFIX
}

# The build is taken as it is: other directories than it was compiled with are of no matter to where files go.
make_install()
{
	make --no-print-directory O="$O" ${SAN:+SAN="$SAN"} CC="${CC:-cc}" -o "$O/gen/flags" DESTDIR="$dest" "$@"
}

@test "make install puts every file where the GNU directories say" {
	run make_install PREFIX=/opt/sv install
	echo "$output"
	[ "$status" -eq 0 ]
	for file in sbin/supervisord bin/superctl libexec/supervisord/engine libexec/supervisord/logger \
		libexec/supervisord/hello libexec/supervisord/superctl-shell \
		libexec/supervisord/superctl-top libexec/supervisord/cluster libexec/supervisord/terminal; do
		[ -x "$dest/opt/sv/$file" ] || { echo "not there: $file"; return 1; }
	done
	for file in etc/supervisord/supervisord.conf etc/supervisord/conf.d/hello.conf share/man/man1/superctl.1 \
		share/man/man5/supervisord.conf.5 share/man/man8/supervisord.8 share/man/man8/hello.8 \
		share/bash-completion/completions/superctl share/zsh/site-functions/_superctl \
		share/fish/vendor_completions.d/superctl.fish lib/systemd/system/supervisord.service \
		libexec/supervisord/worker.cjs share/doc/supervisord/README.md; do
		[ -f "$dest/opt/sv/$file" ] || { echo "not there: $file"; return 1; }
		[ ! -x "$dest/opt/sv/$file" ] || { echo "executable: $file"; return 1; }
	done
	# All that is built to be there, also what this list does not know.
	diff <(ls "$O/libexec/supervisord") <(ls "$dest/opt/sv/libexec/supervisord")
	[ -x "$dest/opt/sv/etc/init.d/supervisord" ]
	# conf.d/supervisord.conf of the tree is the main file: in conf.d it would include itself.
	[ ! -e "$dest/opt/sv/etc/supervisord/conf.d/supervisord.conf" ]
	[ "$(find "$dest" -maxdepth 1 -mindepth 1)" = "$dest/opt" ]
}

@test "the installed unit and init script name the installed program" {
	run make_install PREFIX=/opt/sv install
	[ "$status" -eq 0 ]
	grep -qx 'ExecStart=/opt/sv/sbin/supervisord -n' "$dest/opt/sv/lib/systemd/system/supervisord.service"
	grep -qx 'command="/opt/sv/sbin/supervisord"' "$dest/opt/sv/etc/init.d/supervisord"
	run ! grep -r '@[a-z]*dir@' "$dest/opt/sv/lib" "$dest/opt/sv/etc"
}

@test "PREFIX=/usr keeps the configuration in /etc" {
	run make_install PREFIX=/usr install
	[ "$status" -eq 0 ]
	[ -f "$dest/etc/supervisord/supervisord.conf" ]
	[ -x "$dest/usr/sbin/supervisord" ]
	[ ! -e "$dest/usr/etc" ]
}

@test "make install does not overwrite configuration that was edited" {
	run make_install PREFIX=/usr install
	[ "$status" -eq 0 ]
	echo '# mine' >>"$dest/etc/supervisord/conf.d/hello.conf"
	run make_install PREFIX=/usr install
	[ "$status" -eq 0 ]
	grep -qx '# mine' "$dest/etc/supervisord/conf.d/hello.conf"
	cmp conf.d/hello.conf "$dest/etc/supervisord/conf.d/hello.conf.new"
	# Nothing beside what was not edited.
	[ ! -e "$dest/etc/supervisord/supervisord.conf.new" ]
	[[ $output == *"hello.conf was changed here"* ]]
}

@test "make uninstall leaves nothing but edited configuration" {
	run make_install PREFIX=/usr install
	[ "$status" -eq 0 ]
	echo '# mine' >>"$dest/etc/supervisord/conf.d/hello.conf"
	run make_install PREFIX=/usr uninstall
	[ "$status" -eq 0 ]
	[ "$(cd "$dest" && find . -type f)" = ./etc/supervisord/conf.d/hello.conf ]
	run make_install PREFIX=/usr install
	rm "$dest/etc/supervisord/conf.d/hello.conf"
	run make_install PREFIX=/usr install
	run make_install PREFIX=/usr uninstall
	[ "$status" -eq 0 ]
	[ -z "$(find "$dest" -type f)" ]
	[ ! -e "$dest/etc/supervisord" ]
}

@test "systemd finds nothing wrong with the unit" {
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze here"
	run make_install PREFIX="$dest/sv" DESTDIR= install
	[ "$status" -eq 0 ]
	# It returns 0 on unknown keys: its words count.  What it says of other units of this machine is not ours.
	run systemd-analyze verify --man=no "$dest/sv/lib/systemd/system/supervisord.service"
	echo "$output"
	[[ $output != *supervisord.service* ]]
}

# ---- packaging/install-deps ---------------------------------------------------------------------

# A PATH of two folders: stubs, and links to the few tools that install-deps itself needs.  They are kept apart, so that
# writing a stub can never write through a link into the system.
poor_path()
{
	local tool

	mkdir "$dest/stubs" "$dest/links"
	for tool in sh awk sed tr cat env; do
		ln -s "$(command -v "$tool")" "$dest/links/$tool"
	done
	echo "$dest/stubs:$dest/links"
}

# stub NAME SCRIPT
stub()
{
	[ ! -L "$dest/stubs/$1" ] || return 1
	printf '#!/bin/sh\n%s\n' "$2" >"$dest/stubs/$1"
	chmod +x "$dest/stubs/$1"
}

@test "install-deps names the packages of each distribution" {
	run packaging/install-deps --print --all --for apt build
	[[ $output == *"apt-get install"*libconfuse-dev*libev-dev*libjansson-dev* ]]
	run packaging/install-deps --print --all --for dnf build
	[[ $output == *"dnf install"*libconfuse-devel*libev-devel*jansson-devel* ]]
	run packaging/install-deps --print --all --for apk build
	[[ $output == *"apk add"*confuse-dev*libev-dev*jansson-dev* ]]
	run packaging/install-deps --print --all --for pacman build
	[[ $output == *"pacman -S"*confuse*libev*jansson* ]]
}

@test "install-deps does nothing and asks nobody when nothing is missing" {
	run env CC="${CC:-cc}" packaging/install-deps build
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "install-deps says what a distribution does not have" {
	run packaging/install-deps --print --all --for apk deb
	[ "$status" -eq 1 ]
	[[ $output == *"apk has no package for"*dpkg-buildpackage* ]]
}

@test "install-deps rejects an unknown group with exit status 2" {
	run packaging/install-deps everything
	[ "$status" -eq 2 ]
	[[ $output == usage:* ]]
}

@test "install-deps installs with the package manager, then fails if a thing is still not there" {
	path=$(poor_path)
	stub id 'echo 0'
	stub apk "echo \"\$@\" >>'$dest/called'"
	PATH=$path CC=false run "$BATS_TEST_DIRNAME/../../packaging/install-deps" --for apk asan
	echo "$output"
	[ "$(sort -u "$dest/called")" = 'add clang compiler-rt' ]
	[[ $output == *"installing: clang compiler-rt"* ]]
	[[ $output == *"still not found"* ]]
	[ "$status" -eq 1 ]
}

@test "install-deps as a user without sudo says what root must run" {
	path=$(poor_path)
	stub id 'echo 1000'
	PATH=$path CC=false run "$BATS_TEST_DIRNAME/../../packaging/install-deps" --for apk asan
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"as root"*"apk add clang compiler-rt"* ]]
}

@test "install-deps as a user takes sudo for the package manager only" {
	path=$(poor_path)
	stub id 'echo 1000'
	stub sudo "echo \"sudo \$@\" >>'$dest/called'"
	PATH=$path CC=false run "$BATS_TEST_DIRNAME/../../packaging/install-deps" --for apk asan
	echo "$output"
	[ "$(cat "$dest/called")" = 'sudo apk add clang compiler-rt' ]
	[[ $output == *"(with sudo)"* ]]
}
