# SPDX-License-Identifier: ISC
# Real daemons, by the stanzas in real/: ready by their own mechanism, reloaded, killed, stopped with nothing left behind,
# and a site of four that need each other.  Those that are not installed are skipped (packaging/install-deps real).
#
# tests/run: long

load lib.bash
load real/daemons.bash

# The stanzas of one program each.
SINGLE=(nginx nginx-forking redis memcached postgresql haproxy mosquitto)

# Every program writes into $SD/order when it has become ready, and when nothing is left of it.
setup_file() {
	local name

	export PATH=$PATH:/usr/sbin:/sbin # for users, too: most of these daemons are there
	sd_new
	cat >>"$SD/supervisord.conf" <<-END
		defaults {
			autostart = false
			restart_delay = "50ms"
			environment = {"REAL_TEST=$SD"}
			post_start = "/bin/sh -c 'echo up \$SUPERVISORD_NAME >>$SD/order'"
			post_stop = "/bin/sh -c 'echo down \$SUPERVISORD_NAME >>$SD/order'"
		}
	END
	mkdir "$SD/real"
	: >"$SD/order"
	chmod 666 "$SD/order"
	pick_addresses
	for name in "${SINGLE[@]}"; do
		[ -n "$(why_not "$name")" ] || {
			make_daemon "$name"
			fit_stanza "$name" | stanza_file "$name"
		}
	done
	if [ -z "$(why_not_site)" ]; then
		for name in "${SITE[@]}"; do
			make_daemon "$name"
		done
		fit_stanza "${SITE[@]}" | stanza_file site
	fi
	[ -n "$(why_not postgresql)" ] || make_database
	sd_start
}

# What is left of a daemon is a failure, and does not stay.
teardown_file() {
	local name pid left=0

	sd_down_all || left=1
	for name in "${SINGLE[@]}" "${SITE[@]}"; do
		for pid in $(procs_of "$name"); do
			echo "left behind: $name, process $pid" >&2
			kill -KILL "$pid"
			left=1
		done
	done
	return "$left"
}

teardown() {
	sd_tell_failure
}

why_not_site() {
	local name

	for name in "${SITE[@]}"; do
		why_not "$name"
	done
}

# ---- one daemon ---------------------------------------------------------------------------------

# It is RUNNING when it answers: the client asks once.  starts_answering NAME
starts_answering() {
	exits 0 sctl start "$1"
	equals "state of $1" "$(record "$1" state)" RUNNING
	answers "$1"
}

# Of all processes that were its (at least so many), none is left when stop returns, nor is its port: stops_gone NAME LEAST.
stops_gone() {
	local pid
	local -a before

	mapfile -t before < <(procs_of "$1")
	at_least "processes of $1" ${#before[@]} "$2"
	matches " ${before[*]} " " $(record "$1" pid) "
	exits 0 sctl stop "$1"
	equals "left of $1" "$(procs_of "$1")" ""
	for pid in "${before[@]}"; do
		ended "$pid"
	done
	is_closed "$1"
	equals "state of $1" "$(record "$1" state)" STOPPED
}

# Its main process is killed: nothing of the old run is there any more when the new one answers.  comes_back NAME
comes_back() {
	local main starts pid
	local -a before

	exits 0 sctl start "$1"
	main=$(record "$1" pid)
	starts=$(record "$1" starts)
	mapfile -t before < <(procs_of "$1")
	kill_program "$1"
	wait_for "$PATIENCE" runs_anew "$1" "$main"
	wait_state "$1" RUNNING
	answers "$1"
	equals "starts of $1" "$(record "$1" starts)" $((starts + 1))
	equals "last_exit of $1" "$(record "$1" last_exit.signal)" KILL
	for pid in "${before[@]}"; do
		ended "$pid"
	done
}

# reloads NAME OLD NEW: what a client sees changes, the main process does not.  Its configuration was changed before.
reloads() {
	local main starts

	main=$(record "$1" pid)
	starts=$(record "$1" starts)
	says "$1" "$2"
	exits 0 sctl reload "$1"
	wait_for "$PATIENCE" says "$1" "$3"
	wait_state "$1" RUNNING
	equals "pid of $1" "$(record "$1" pid)" "$main"
	equals "starts of $1" "$(record "$1" starts)" "$starts"
}

@test "real: nginx (http) is STARTING while it answers 503, and RUNNING when it answers" {
	local closed

	need nginx
	closed=$(root_of nginx)/run/closed
	touch "$closed"
	exits 0 sctl start --no-wait nginx
	wait_for "$PATIENCE" answers_503 nginx
	equals state "$(record nginx state)" STARTING
	rm "$closed"
	wait_state nginx RUNNING
	answers nginx
	exits 0 sctl stop nginx
}

answers_503() {
	[ "$(curl -qs -o /dev/null -w '%{http_code}' --noproxy '*' --max-time 5 "http://$HOST:$(port_of "$1")/")" = 503 ]
}

@test "real: nginx (http) answers when it is RUNNING, and is gone when it is stopped" {
	need nginx
	starts_answering nginx
	stops_gone nginx 3
}

@test "real: nginx (http) comes back when it is killed" {
	need nginx
	comes_back nginx
}

@test "real: nginx shows its new page after a reload (HUP)" {
	need nginx
	starts_answering nginx
	configure_nginx nginx two
	reloads nginx one two
	configure_nginx nginx one
	reloads nginx two one
}

@test "real: nginx is restarted when its health check sees 503" {
	local closed starts

	need nginx
	starts_answering nginx
	starts=$(record nginx starts)
	fit_stanza nginx | sed 's/interval = "10s"/interval = "100ms"/' | stanza nginx
	wait_for "$PATIENCE" has nginx health good
	equals starts "$(record nginx starts)" "$starts"
	closed=$(root_of nginx)/run/closed
	touch "$closed"
	wait_for "$PATIENCE" has nginx starts $((starts + 1))
	wait_for "$PATIENCE" answers_503 nginx
	equals state "$(record nginx state)" STARTING
	rm "$closed"
	wait_state nginx RUNNING
	answers nginx
	fit_stanza nginx | stanza nginx
	equals starts "$(record nginx starts)" $((starts + 1))
}

@test "real: nginx (forking, pid file) answers when it is RUNNING, and is gone when it is stopped" {
	need nginx-forking
	starts_answering nginx-forking
	equals "main process" "$(record nginx-forking pid)" "$(cat "$(root_of nginx-forking)/run/nginx.pid")"
	stops_gone nginx-forking 3
}

@test "real: nginx (forking, pid file) comes back when it is killed" {
	need nginx-forking
	comes_back nginx-forking
	equals "main process" "$(record nginx-forking pid)" "$(cat "$(root_of nginx-forking)/run/nginx.pid")"
}

@test "real: nginx (forking, pid file) shows its new page after a reload (HUP)" {
	need nginx-forking
	starts_answering nginx-forking
	configure_nginx nginx-forking two
	reloads nginx-forking one two
	configure_nginx nginx-forking one
	reloads nginx-forking two one
}

@test "real: redis (notify) answers when it is RUNNING, and is gone when it is stopped" {
	need redis
	starts_answering redis
	matches "$(record redis status_text)" "Ready to accept connections"
	stops_gone redis 1
}

@test "real: redis (notify) comes back when it is killed, with its data" {
	need redis
	exits 0 sctl start redis
	equals reply "$(talk redis 'SET key value\r\n')" +OK
	comes_back redis
	equals length "$(talk redis 'STRLEN key\r\n')" :5
}

@test "real: memcached (tcp) answers when it is RUNNING, and is gone when it is stopped" {
	need memcached
	starts_answering memcached
	stops_gone memcached 1
}

@test "real: memcached (tcp) comes back when it is killed" {
	need memcached
	comes_back memcached
}

@test "real: postgresql (exec) answers when it is RUNNING, and is gone when it is stopped" {
	need postgresql
	starts_answering postgresql
	stops_gone postgresql 4
}

@test "real: postgresql (exec) comes back when it is killed, with its data" {
	need postgresql
	exits 0 sctl start postgresql
	sql 'DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number'
	comes_back postgresql
	equals rows "$(sql 'SELECT count(*) FROM kept')" 1000
}

@test "real: postgresql has its new settings after a reload (pg_ctl)" {
	need postgresql
	starts_answering postgresql
	equals work_mem "$(sql 'SHOW work_mem')" 5MB
	configure_postgresql 7MB
	exits 0 sctl reload postgresql
	wait_for "$PATIENCE" has_work_mem 7MB
	configure_postgresql 5MB
	exits 0 sctl reload postgresql
	wait_for "$PATIENCE" has_work_mem 5MB
	equals "state" "$(record postgresql state)" RUNNING
}

has_work_mem() {
	[ "$(sql 'SHOW work_mem')" = "$1" ]
}

@test "real: a reload that fails says so" {
	need postgresql
	starts_answering postgresql
	fit_stanza postgresql | sed 's#pg_ctl reload -s -D [^"]*#pg_ctl reload -s -D /nonexistent#' | stanza postgresql
	exits 1 sctl reload postgresql
	matches "$output" postgresql
	fit_stanza postgresql | stanza postgresql
	exits 0 sctl reload postgresql
	answers postgresql
}

@test "real: haproxy (notify) answers when it is RUNNING, and is gone when it is stopped" {
	need haproxy
	starts_answering haproxy
	stops_gone haproxy 2
}

@test "real: haproxy (notify) comes back when it is killed" {
	need haproxy
	comes_back haproxy
}

@test "real: haproxy shows its new page after a reload (USR2), and is the same process" {
	need haproxy
	starts_answering haproxy
	configure_haproxy two
	reloads haproxy one two
	configure_haproxy one
	reloads haproxy two one
}

# It says READY under the user that it has made itself, while its stanza says root.
@test "real: mosquitto (notify) answers when it is RUNNING, and is gone when it is stopped" {
	need mosquitto
	starts_answering mosquitto
	stops_gone mosquitto 1
}

@test "real: mosquitto (notify) comes back when it is killed" {
	need mosquitto
	comes_back mosquitto
}

@test "real: mosquitto turns strangers away after a reload (HUP)" {
	need mosquitto
	starts_answering mosquitto
	configure_mosquitto false
	reloads mosquitto 20020000 20020005
	configure_mosquitto true
	reloads mosquitto 20020005 20020000
}

# ---- all of them --------------------------------------------------------------------------------

@test "real: the engine is killed: every daemon goes on as it is, and the next engine looks after it" {
	local name engine
	local -a names=()
	local -A main starts

	for name in "${SINGLE[@]}"; do
		[ -n "$(why_not "$name")" ] || names+=("$name")
	done
	[ ${#names[@]} -gt 0 ] || skip "none of them is installed (packaging/install-deps real)"
	exits 0 sctl start "${names[@]}"
	for name in "${names[@]}"; do
		main[$name]=$(record "$name" pid)
		starts[$name]=$(record "$name" starts)
	done
	engine=$(role_pid engine)
	kill_role engine
	for name in "${names[@]}"; do
		answers "$name" # with no engine, or with a new one
	done
	wait_for "$PATIENCE" has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
	for name in "${names[@]}"; do
		wait_state "$name" RUNNING
		equals "pid of $name" "$(record "$name" pid)" "${main[$name]}"
		equals "starts of $name" "$(record "$name" starts)" "${starts[$name]}"
	done

	for name in "${names[@]}"; do
		kill_program "$name"
	done
	for name in "${names[@]}"; do
		wait_for "$PATIENCE" runs_anew "$name" "${main[$name]}"
		wait_state "$name" RUNNING
		answers "$name"
		equals "starts of $name" "$(record "$name" starts)" $((starts[$name] + 1))
	done
}

@test "real: the engine is killed: a reload, and the stop of all, work as before" {
	local name engine
	local -a names=()

	need haproxy nginx
	starts_answering haproxy
	starts_answering nginx
	engine=$(role_pid engine)
	kill_role engine
	wait_for "$PATIENCE" has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
	configure_haproxy two
	reloads haproxy one two
	configure_haproxy one
	reloads haproxy two one
	stops_gone haproxy 2
	stops_gone nginx 3
}

# ---- a site: front (haproxy) needs web (nginx) needs app needs store (redis) --------------------

need_site() {
	need "${SITE[@]}"
}

# The site is up, and the order of what follows begins anew.
site_up() {
	local name

	exits 0 sctl start front
	for name in "${SITE[@]}"; do
		equals "state of $name" "$(record "$name" state)" RUNNING
		main[$name]=$(record "$name" pid)
		starts[$name]=$(record "$name" starts)
	done
	answers front
	: >"$SD/order"
}

site_down() {
	local name

	for name in "${SITE[@]}"; do
		equals "state of $name" "$(record "$name" state)" STOPPED
		equals "left of $name" "$(procs_of "$name")" ""
		is_closed "$name"
	done
}

# "up store, up app, ": what the hooks of the site have seen.
order() {
	grep -E " ($(IFS='|'; echo "${SITE[*]}"))\$" "$SD/order" | tr '\n' ',' | sed 's/,/, /g'
}

UP="up store, up app, up web, up front, "
DOWN="down front, down web, down app, down store, "

@test "real: one start brings the whole site up, bottom first" {
	local -A main starts

	need_site
	: >"$SD/order"
	exits 0 sctl start front
	equals order "$(order)" "$UP"
	answers front
	wait_for "$PATIENCE" log_has app "^started, the store is there"
	site_up
}

@test "real: the stop of what others need is refused, with their names, and does nothing" {
	local name
	local -A main starts

	need_site
	site_up
	exits 1 sctl stop store
	matches "$output" "store is required by .*app"
	for name in "${SITE[@]}"; do
		equals "state of $name" "$(record "$name" state)" RUNNING
		equals "pid of $name" "$(record "$name" pid)" "${main[$name]}"
	done
	answers front
	equals order "$(order)" ""
}

@test "real: stop --force stops all that need it, top first; each finds below it what it needs to the end" {
	local goodbyes
	local -A main starts

	need_site
	site_up
	goodbyes=$(count_goodbyes)
	exits 0 sctl stop --force store
	equals order "$(order)" "$DOWN"
	site_down
	wait_for "$PATIENCE" has_goodbyes $((goodbyes + 1))
	matches "$(tail -n 1 "$(root_of store)/var/log/redis.log")" "bye bye"
}

# How often app has stopped, and its store was there to hear it.
count_goodbyes() {
	log_text app | grep -c '^stopped, the store was there' || true
}

has_goodbyes() {
	[ "$(count_goodbyes)" -eq "$1" ]
}

@test "real: a group is a name for all of them" {
	local -A main starts

	need_site
	site_up
	exits 0 sctl stop site
	equals order "$(order)" "$DOWN"
	site_down
	: >"$SD/order"
	exits 0 sctl start site
	equals order "$(order)" "$UP"
	answers front
}

@test "real: the store is killed: what needs it is stopped, and started again, in order" {
	local name
	local -A main starts

	need_site
	site_up
	kill_program store
	for name in "${SITE[@]}"; do
		wait_for "$PATIENCE" runs_anew "$name" "${main[$name]}"
		wait_state "$name" RUNNING
		equals "starts of $name" "$(record "$name" starts)" $((starts[$name] + 1))
	done
	answers front
	equals "order of the rest" "$(order | sed 's/[a-z]* store, //g')" "down front, down web, down app, up app, up web, up front, "
	matches "$(order)" "down store, .*up store, .*up app, "
}

@test "real: the store is killed, with smooth = true: nobody else is touched" {
	local name
	local -A main starts

	need_site
	site_up
	fit_stanza "${SITE[@]}" | sed 's/smooth = false/smooth = true/' | stanza site
	equals "pid of store" "$(record store pid)" "${main[store]}"
	kill_program store
	wait_for "$PATIENCE" runs_anew store "${main[store]}"
	wait_state store RUNNING
	answers front
	for name in app web front; do
		equals "state of $name" "$(record "$name" state)" RUNNING
		equals "pid of $name" "$(record "$name" pid)" "${main[$name]}"
		equals "starts of $name" "$(record "$name" starts)" "${starts[$name]}"
	done
	equals order "$(order)" "down store, up store, "
	fit_stanza "${SITE[@]}" | stanza site
}

@test "real: the middle is restarted: what is above goes with it, what is below stays" {
	local -A main starts

	need_site
	site_up
	exits 0 sctl restart app
	wait_for "$PATIENCE" runs_anew front "${main[front]}"
	wait_state front RUNNING
	answers front
	equals "pid of store" "$(record store pid)" "${main[store]}"
	equals order "$(order)" "down front, down web, down app, up app, up web, up front, "
}

@test "real: the engine is killed: the site goes on, and is still stopped in order" {
	local name engine
	local -A main starts

	need_site
	site_up
	engine=$(role_pid engine)
	kill_role engine
	answers front
	wait_for "$PATIENCE" has_new_role engine "$engine"
	wait_for "$PATIENCE" sd_serves
	for name in "${SITE[@]}"; do
		wait_state "$name" RUNNING
		equals "pid of $name" "$(record "$name" pid)" "${main[$name]}"
	done
	exits 1 sctl stop store
	exits 0 sctl stop site
	equals order "$(order)" "$DOWN"
	site_down
}
