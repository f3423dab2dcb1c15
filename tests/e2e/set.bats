# SPDX-License-Identifier: ISC
# superctl set and unset: other values until the next apply, and what says where a value comes from.

load lib.bash

setup_file() {
	sd_new 'defaults { stable_after = "50ms" }'
	sd_start
}

teardown_file() {
	sd_down_all
}

# Every test begins with web and other, running and applied.
setup() {
	rm -f "$SD"/conf.d/*.conf
	cat >"$SD/conf.d/two.conf" <<-END
		program "web" { command = {"$SD/bin/stamp", "$SD/web.stamps", "run"} }
		program "other" { command = "$SD/bin/stamp $SD/other.stamps run" }
	END
	exits 0 sctl apply
	exits 0 sctl start all
	WEB=$(record web pid) OTHER=$(record other pid)
}

teardown() {
	sd_tell_failure
}

# A value of a program as it is in force: value_of KEY.
value_of() {
	sctl config show web | sed -nE "s/^\t+$1 = //p"
}

environment_of() {
	tr '\0' '\n' <"/proc/$(record web pid)/environ"
}

@test "set: a live key takes effect at once, and the next apply ends it" {
	exits 0 sctl set web log_max_size=1MB
	matches "$output" 'web: live: log_max_size changed'
	matches "$output" '- log_max_size = 10MB'
	matches "$output" '\+ log_max_size = 1MB'
	equals pid "$(record web pid)" "$WEB"
	exits 0 sctl set web
	equals list "$output" "web: log_max_size = 1MB  # superctl set, until the next apply"
	matches "$(sctl config show web)" 'log_max_size = 1MB  # override: superctl set'
	exits 0 sctl set web --json
	matches "$output" '"key":"log_max_size","value":"1MB","by":"set","file":null,"line":null'

	exits 2 sctl plan
	matches "$output" 'web: live: log_max_size changed \(superctl set ends\)'
	matches "$(sctl status web 2>&1)" 'superctl plan'
	exits 0 sctl apply other
	matches "$(value_of log_max_size)" '^1MB'
	exits 0 sctl apply web
	matches "$output" 'superctl set ends'
	exits 0 sctl set web
	equals list "$output" "nothing is overridden"
	exits 0 sctl plan
}

@test "set: a key of class restart restarts the program, in one step with the others" {
	exits 0 sctl set web 'environment={"A=1 2", B=2}' umask=077 command="$SD/bin/stamp '$SD/web.stamps' run 1"
	matches "$output" 'web: restart: command changed, umask changed, environment changed'
	matches "$output" 'web: restarted'
	runs_anew web "$WEB"
	equals other "$(record other pid)" "$OTHER"
	equals A "$(environment_of | sed -n 's/^A=//p')" "1 2"
	equals B "$(environment_of | sed -n 's/^B=//p')" 2
	equals "last word" "$(tr '\0' '\n' <"/proc/$(record web pid)/cmdline" | tail -1)" 1

	# Several times is a list, and the same key again replaces.
	exits 0 sctl set web environment={C=3,D=4}
	equals A "$(environment_of | sed -n 's/^[ABCD]=//p' | tr '\n' ' ')" "3 4 "
	exits 0 sctl set web environment=C=5
	equals A "$(environment_of | sed -n 's/^[ABCD]=//p' | tr '\n' ' ')" "5 "
	exits 0 sctl unset web
	matches "$output" 'superctl set ends'
	equals A "$(environment_of | grep -c '^[ABCD]=' || true)" 0
	exits 0 sctl plan
	exits 0 sctl unset web
	equals output "$output" "nothing changed"
}

@test "set: what takes effect with the next start says so; keys of sections have dots" {
	exits 0 sctl set web watchdog=5s health.check=tcp:127.0.0.1:1 health.interval=1h
	matches "$output" 'watchdog = "?5s"?'
	equals pid "$(record web pid)" "$WEB"
	matches "$(value_of interval)" '^1h'
	exits 0 sctl unset web health.interval
	matches "$(sctl set web)" 'health.check'
	! [[ $(sctl set web) == *interval* ]] || false
	equals pid "$(record web pid)" "$WEB"
}

@test "set: an engine that is killed is followed by one that knows it" {
	exits 0 sctl set web log_max_size=2MB environment=A=7
	WEB=$(record web pid)
	kill_role engine
	wait_for "$PATIENCE" sd_serves
	equals pid "$(record web pid)" "$WEB"
	matches "$(value_of log_max_size)" '^2MB'
	matches "$(sctl set)" 'web: environment = \{"A=7"\}  # superctl set'
	exits 2 sctl plan
	matches "$output" 'superctl set ends'
	exits 0 sctl unset web environment
	matches "$(sctl set web)" 'log_max_size'
}

@test "set: what a file overrides is shown with its place, and set is laid over it" {
	cat >"$SD/conf.d/zz.conf" <<-END
		override "web" {
			log_keep = 7
			stop_timeout = "3s"
		}
	END
	exits 0 sctl apply
	exits 0 sctl set web
	equals list "$output" "web: stop_timeout = 3s  # $SD/conf.d/zz.conf:3
web: log_keep = 7  # $SD/conf.d/zz.conf:2"
	exits 0 sctl set web log_keep=9
	matches "$(sctl set web)" 'log_keep = 9  # superctl set'
	exits 0 sctl unset web log_keep
	matches "$(sctl set web)" "log_keep = 7  # $SD"
	exits 1 sctl unset web stop_timeout
	equals output "$output" "superctl: web: stop_timeout is not set by superctl set, but by $SD/conf.d/zz.conf:3"
	matches "$(sctl config show web)" "log_keep = 7  # override: $SD/conf.d/zz.conf:2"
	exits 0 sctl plan
}

@test "set: what is wrong changes nothing and says what is allowed" {
	exits 1 sctl set web log_max_size=1MB umaks=077
	matches "$output" 'web: umaks: unknown key: did you mean .umask.\?'
	exits 1 sctl set web log_max_size=much
	matches "$output" "^web: log_max_size: 'much' is not a size"
	exits 1 sctl set web match=state:FATAL
	matches "$output" 'is a key of on_event'
	exits 1 sctl set web log_max_size={1,2}
	matches "$output" 'is a list: '
	exits 2 sctl set web environment='{"A=1}'
	matches "$output" 'a list is'
	exits 2 sctl set web umask
	matches "$output" 'KEY=VALUE is needed'
	exits 4 sctl set wep umask=077
	exits 4 sctl set web@1 umask=077
	exits 4 sctl unset wep
	exits 0 sctl set web
	equals list "$output" "nothing is overridden"
	equals pid "$(record web pid)" "$WEB"
}
