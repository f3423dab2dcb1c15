# SPDX-License-Identifier: ISC
# superctl set --persist, unset --persist, enable and disable: what is written to files, and what is applied.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" }'
	sd_start
}

teardown_file() {
	sd_down_all
}

# Every test begins with web, running and applied, and no file of ours.
setup() {
	rm -f "$SD"/conf.d/*.conf
	cat >"$SD/conf.d/web.conf" <<-END
		program "web" {
			command = {"$SD/bin/stamp", "$SD/web.stamps", "run"}
			autostart = true
		}
	END
	exits 0 sctl apply
	exits 0 sctl start web
	DROPIN=$SD/conf.d/web.override.conf
}

teardown() {
	sd_tell_failure
}

# Nothing but what is named stands in the directory of the files.
directory_has() {
	equals files "$(find "$SD/conf.d" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')" "$* "
}

@test "set --persist: the change is applied and written, and holds over an apply" {
	chmod 600 "$SD/conf.d/web.conf"
	exits 0 sctl set --persist web log_max_size=1MB 'environment={"A=b c"}' health.interval=1h
	matches "$output" 'web: restart: '
	matches "$output" "written to $DROPIN"
	equals file "$(tail -n +2 "$DROPIN")" 'override "web" {
	environment = {"A=b c"}
	log_max_size = "1MB"
	health {
		interval = "1h"
	}
}'
	matches "$(head -1 "$DROPIN")" '^# Written by superctl set --persist'
	equals mode "$(stat -c %a "$DROPIN")" 600
	directory_has web.conf web.override.conf
	exits 0 sctl plan
	exits 0 sctl apply
	equals output "$output" "nothing changed"
	matches "$(sctl set web)" "log_max_size = 1MB  # $DROPIN:4"
	exits 1 sctl unset web log_max_size
	matches "$output" "but by $DROPIN:4: superctl unset --persist takes it back"

	# Another value, in a file whose mode was changed.
	chmod 640 "$DROPIN"
	exits 0 sctl set --persist web log_max_size=2MB
	matches "$(cat "$DROPIN")" 'log_max_size = "2MB"'
	equals mode "$(stat -c %a "$DROPIN")" 640
	exits 0 sctl plan

	exits 0 sctl unset --persist web log_max_size health.interval
	equals file "$(tail -n +2 "$DROPIN")" 'override "web" {
	environment = {"A=b c"}
}'
	exits 0 sctl plan
	exits 0 sctl unset --persist web
	matches "$output" 'environment changed'
	directory_has web.conf
	exits 0 sctl plan
	exits 0 sctl set web
	equals list "$output" "nothing is overridden"
}

@test "set --persist: what was only set before goes into the file, other changes of files are not applied with it" {
	exits 0 sctl set web log_max_size=1MB log_keep=3
	sed -i 's/autostart = true/autostart = true\n\tstop_timeout = "3s"/' "$SD/conf.d/web.conf"
	exits 0 sctl set --persist web log_max_size=2MB
	matches "$(sctl set web)" "log_max_size = 2MB  # $DROPIN"
	matches "$(sctl set web)" "log_keep = 3  # superctl set"
	exits 2 sctl plan
	matches "$output" 'log_keep changed \(superctl set ends\)'
	matches "$output" 'stop_timeout changed'
	! [[ $output == *log_max_size* ]] || false
	exits 0 sctl unset web
	matches "$(sctl set web)" "log_max_size = 2MB  # $DROPIN"
	exits 1 sctl unset web log_max_size
	matches "$output" "log_max_size is not set by superctl set, but by $DROPIN:3"
}

@test "set --persist: nothing is written where that cannot be good" {
	exits 1 sctl set --persist web log_max_size=much
	matches "$output" "log_max_size: 'much' is not a size"
	directory_has web.conf
	# Somebody's own override has the key.
	echo 'override "web" { log_keep = 3 }' >"$SD/conf.d/mine.conf"
	exits 1 sctl set --persist web log_keep=4
	matches "$output" "already overridden at"
	directory_has mine.conf web.conf
	rm "$SD/conf.d/mine.conf"
	# The files are bad.
	echo 'program "x" {' >"$SD/conf.d/bad.conf"
	exits 1 sctl set --persist web log_keep=4
	directory_has bad.conf web.conf
	rm "$SD/conf.d/bad.conf"
	# A file of that name is somebody's.
	echo '# mine' >"$DROPIN"
	exits 1 sctl set --persist web log_keep=4
	matches "$output" "$DROPIN is there, and not written by superctl set --persist"
	equals file "$(cat "$DROPIN")" "# mine"
	rm "$DROPIN"
	exits 0 sctl set --persist web log_keep=4
	echo 'override "web" { log_max_size = 1MB }' >>"$DROPIN"
	exits 0 sctl set --persist web log_keep=5
	exits 0 sctl unset --persist web
	# One of ours with more in it than ours.
	exits 0 sctl set --persist web log_keep=4
	echo 'program "more" { command = "true" }' >>"$DROPIN"
	exits 1 sctl set --persist web log_keep=5
	matches "$output" "is there|left alone"
	matches "$(cat "$DROPIN")" 'log_keep = "4"'
	exits 4 sctl set --persist wep log_keep=5
}

@test "set --persist: a file that cannot be written is told, and nothing is applied" {
	mkdir "$SD/conf.d/.web.override.conf.new"
	exits 1 sctl set --persist web log_keep=4
	matches "$output" "web: nothing was changed: $DROPIN: "
	exits 0 sctl set web
	equals list "$output" "nothing is overridden"
	rmdir "$SD/conf.d/.web.override.conf.new"
	# What an engine that was killed has left is in nobody's way, and is not read.
	echo 'override "web" {' >"$SD/conf.d/.web.override.conf.new"
	exits 0 sctl plan
	exits 0 sctl set --persist web log_keep=4
	directory_has web.conf web.override.conf
	exits 0 sctl plan
}

@test "set --persist: a file that was written and is not applied is what the next plan says" {
	exits 0 sctl set --persist web log_keep=4
	cp "$DROPIN" "$SD/written"
	exits 0 sctl unset --persist web
	cp "$SD/written" "$DROPIN"
	exits 2 sctl plan
	matches "$output" 'web: live: log_keep changed'
	exits 0 sctl set --persist web log_max_size=1MB
	exits 2 sctl plan
	exits 0 sctl apply
	matches "$(sctl set web)" "log_keep = 4  # $DROPIN"
	exits 0 sctl unset --persist web
	directory_has web.conf
	exits 0 sctl plan
}

@test "set --persist: without an include that would read the file it says what to add" {
	cp "$SD/supervisord.conf" "$SD/saved.conf"
	sed -i 's|^include.*|include = {"conf.d/web.conf"}|' "$SD/supervisord.conf"
	exits 1 sctl set --persist web log_keep=4
	matches "$output" "nothing was changed: no include of $SD/supervisord.conf would read"
	matches "$output" 'include = \{"conf.d/\*.conf"\}'
	cp "$SD/saved.conf" "$SD/supervisord.conf"
	directory_has web.conf
}

@test "set --persist: what is written for a program whose stanza is taken away waits for it, and is told" {
	exits 0 sctl set --persist web log_max_size=1MB
	mv "$SD/conf.d/web.conf" "$SD/web.conf"
	exits 0 sctl check
	exits 0 sctl apply
	matches "$output" 'web: remove: '
	wait_for "$PATIENCE" file_has "$SD/own.log" "$DROPIN: is for a program that is in no file"
	matches "$(sctl doctor)" "override: note: 1 of the files .* is for a program that is in no file"
	exits 0 sctl plan
	# It is back, with what was laid over it; what a person wrote is checked as ever.
	mv "$SD/web.conf" "$SD/conf.d/web.conf"
	exits 0 sctl apply
	matches "$(sctl set web)" "log_max_size = 1MB  # $DROPIN:3"
	echo 'override "gone" { log_keep = 3 }' >"$SD/conf.d/mine.conf"
	exits 1 sctl check
	matches "$output" "mine.conf:1: override: there is no program 'gone'"
}

@test "set --persist: an engine that is killed at any moment leaves whole files, and the next command works" {
	local i said

	for i in 1 2 3 4; do # one more would be safe mode
		sctl set --persist web "log_keep=$i" "log_max_size=${i}MB" >"$SD/set.out" 2>&1 3>&- &
		kill_role engine
		wait "$!" || true
		wait_for "$PATIENCE" sd_serves
		said=$(cat "$SD/set.out")
		# All of it or nothing, in the file and in what is applied.
		[ ! -e "$DROPIN" ] || equals keys "$(grep -cE 'log_(keep|max_size)' "$DROPIN")" 2
		if grep -q "log_keep = \"$i\"" "$DROPIN" 2>/dev/null && [[ $(sctl set web) != *"log_keep = $i "* ]]; then
			matches "$said" 'may have been done or not'
			exits 2 sctl plan
			matches "$output" 'log_keep changed'
		fi
		exits 0 sctl set --persist web "log_keep=$i" "log_max_size=${i}MB"
		exits 0 sctl plan
		directory_has web.conf web.override.conf
	done
}

@test "enable and disable: as little as is needed is written, and where the files say so already" {
	exits 0 sctl enable web
	equals output "$output" "web: enabled already, by $SD/conf.d/web.conf:3"
	directory_has web.conf
	exits 0 sctl disable web
	equals output "$output" "web: disabled: written to $DROPIN"
	is_state web RUNNING
	equals enabled "$(record web enabled)" false
	exits 0 sctl disable web
	equals output "$output" "web: disabled already, by $DROPIN:3"
	exits 0 sctl plan
	exits 0 sctl disable --now web
	is_state web STOPPED
	# Back to what the stanza says: no file is needed.
	exits 0 sctl enable --now web
	matches "$output" 'web: enabled: its stanza says so itself'
	is_state web RUNNING
	directory_has web.conf
	equals enabled "$(record web enabled)" true

	sed -i '/autostart/d' "$SD/conf.d/web.conf"
	exits 0 sctl apply
	exits 0 sctl enable web
	equals output "$output" "web: enabled already, by $SD/conf.d/web.conf:1"
	exits 0 sctl disable web --json
	matches "$output" '"name":"web","enabled":false,"changed":true'
	exits 4 sctl enable wep
}

@test "enable: what superctl set has said is taken back, also where the files say so already" {
	exits 0 sctl set web autostart=false restart=never
	exits 0 sctl enable web
	equals output "$output" "web: enabled: its stanza says so itself"
	equals enabled "$(record web enabled)" true
	directory_has web.conf
	matches "$(sctl set web)" 'restart = never'
}

@test "persist: what is applied is one of superctl run, and the files have another of that name" {
	exits 0 sctl run other -- sleep 1000
	printf 'program "other" { command = "sleep 2000" }\n' >"$SD/conf.d/other.conf"
	exits 1 sctl disable other
	matches "$output" 'superctl forget removes it'
	exits 1 sctl set --persist other restart=never
	directory_has other.conf web.conf
	exits 0 sctl stop other
	exits 0 sctl forget other
	exits 0 sctl apply
}

@test "enable and disable: a glob, a group and all mean each program once, but for those in no file" {
	cat >"$SD/conf.d/more.conf" <<-END
		program "many" { command = "/bin/true" instances = 3 autostart = false }
		group "both" { members = {"web", "many"} }
	END
	exits 0 sctl apply
	exits 1 sctl run transient -- /bin/false
	exits 0 sctl disable '[wt]*'
	equals output "$output" "web: disabled: written to $DROPIN"
	exits 0 sctl enable both
	equals output "$(sort <<<"$output")" "many: enabled: written to $SD/conf.d/many.override.conf
web: enabled: its stanza says so itself"
	exits 0 sctl disable all --json
	equals names "$(grep -o '"name":"[a-z]*"' <<<"$output" | sort | tr '\n' ' ')" '"name":"many" "name":"web" '
	exits 4 sctl disable 'x*'
	matches "$output" 'no program has such a name'
	exits 4 sctl disable many@2
	matches "$output" 'many@2: is a part of many: disable takes the name of the whole'
	exits 4 sctl set both log_keep=3
	matches "$output" 'both: means 4 programs, and set takes one: '
	exits 4 sctl set 'w*' log_keep=3
	matches "$output" 'set takes the name of one program'
	exits 4 sctl why many
	matches "$output" 'many: means 3 programs, and why takes one: many@1'
	exits 0 sctl forget 't*'
	exits 4 sctl status transient
}
