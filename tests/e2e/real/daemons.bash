# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# daemons.bash: real daemons for real.bats: where they are, their own configurations, and a client for each.
#
# The stanzas beside this file are what an administrator would write, with the places and ports of a Debian machine.  A
# test gives each program a root of its own, $SD/real/NAME: /etc, /run and /var of its stanza are meant below that; and
# instead of 127.0.0.1 and the well-known port an address and a port that nobody else has.  Nothing else is changed, but
# for who has not all of it: without root there is no other user, and a user who does not exist is nobody.

# name of a program, executable, well-known port
DAEMONS=(
	"nginx         nginx          80"
	"nginx-forking nginx          80"
	"redis         redis-server   6379"
	"memcached     memcached      11211"
	"postgresql    postgres       5432"
	"haproxy       haproxy        0"
	"mosquitto     mosquitto      1883"
	"store         redis-server   6379"
	"app           python3        8000"
	"web           nginx          80"
	"front         haproxy        0"
)
SITE=(store app web front)

# ---- what this machine has ----------------------------------------------------------------------

# Where an executable is, also when it is not in PATH: locate_daemon NAME.
locate_daemon() {
	local place

	for place in "$(command -v "$1")" "/usr/sbin/$1" /usr/lib/postgresql/*/bin/"$1"; do
		if [ -x "$place" ]; then
			echo "$place"
			return
		fi
	done
	[ "$1" = redis-server ] && locate_daemon valkey-server
}

# Where all of PostgreSQL is.
postgresql_bin() {
	dirname "$(readlink -f "$(locate_daemon postgres)")"
}

# Why a program of DAEMONS cannot be tested here; nothing when it can.
why_not() {
	local executable path

	read -r _ executable _ < <(printf '%s\n' "${DAEMONS[@]}" | grep "^$1 ")
	path=$(locate_daemon "$executable") || {
		echo "$executable is not installed (packaging/install-deps real)"
		return
	}
	case $executable in
	# Either by libsystemd or by code of its own.
	redis-server | haproxy | mosquitto)
		grep -q -e libsystemd -e NOTIFY_SOCKET "$path" || echo "$path was built without sd_notify"
		;;
	postgres)
		getent passwd "$(id -u)" >/dev/null || echo "initdb wants a name for user $(id -u)"
		;;
	esac
}

# Skip a test when one of these programs cannot be had: need NAME...
need() {
	local name reason

	for name in "$@"; do
		reason=$(why_not "$name")
		[ -z "$reason" ] || skip "$reason"
	done
}

# The file that has the stanza of a program.
stanza_of() {
	case " ${SITE[*]} " in
	*" $1 "*) echo "$BATS_TEST_DIRNAME/real/site.conf" ;;
	*) echo "$BATS_TEST_DIRNAME/real/$1.conf" ;;
	esac
}

is_root() {
	[ "$(id -u)" -eq 0 ]
}

# The user of this name, or somebody who exists: existing_user NAME.
existing_user() {
	if id "$1" >/dev/null 2>&1; then
		echo "$1"
	else
		echo nobody
	fi
}

# ---- making them ready to be started ------------------------------------------------------------

# An address of the loopback network that nobody uses, and a free port of it for each program, as HOST and PORTS ("name port"
# a line).  Who binds to 127.0.0.1, or connects from there, cannot take them, so they are free until the test uses them.
pick_addresses() {
	local picked

	picked=$("$PYTHON" -IS - "${DAEMONS[@]%% *}" <<-'END'
		import random, socket, sys
		host = "127.%d.%d.%d" % tuple(random.SystemRandom().randint(1, 254) for _ in range(3))
		sockets = []
		for name in sys.argv[1:]:
		    sockets.append(socket.socket())
		    sockets[-1].bind((host, 0))
		print(host)
		for name, bound in zip(sys.argv[1:], sockets):
		    print(name, bound.getsockname()[1])
	END
	) || return
	HOST=${picked%%$'\n'*}
	PORTS=${picked#*$'\n'}
	export HOST PORTS
}

port_of() {
	awk -v name="$1" '$1 == name { print $2 }' <<<"$PORTS"
}

root_of() {
	echo "$SD/real/$1"
}

# A daemon's own folders, and its configuration: make_daemon NAME.
make_daemon() {
	local root

	root=$(root_of "$1")
	mkdir -p "$root"/{etc,run,var/lib,var/log,var/tmp}
	case $1 in
	nginx | nginx-forking) configure_nginx "$1" one ;;
	redis | store) configure_redis "$1" ;;
	postgresql) configure_postgresql 5MB ;;
	haproxy) configure_haproxy one ;;
	mosquitto) configure_mosquitto true ;;
	app) install -m 755 "$BATS_TEST_DIRNAME/real/app" "$SD/bin/app" ;;
	web) configure_web ;;
	front) configure_front ;;
	esac
}

# The stanzas of these programs, which are one file, as they are used here: fit_stanza NAME...
fit_stanza() {
	local name port user
	local -a edit=(-e "s#127\.0\.0\.1#$HOST#g" -e "s#/usr/local/lib/site/app#$PYTHON -IS $SD/bin/app#"
		-e "s#/usr/lib/postgresql/15/bin/#$(postgresql_bin)/#g" -e "s#redis-server #$(locate_daemon redis-server) #")

	for name in "$@"; do
		port=$(printf '%s\n' "${DAEMONS[@]}" | awk -v name="$name" '$1 == name { print $3 }')
		edit+=(-e "s#([: ])$port\\b#\\1$(port_of "$name")#g")
		# In a file of several, a program's files are in a folder of its name.
		edit+=(-e "s#([\" ])(/etc|/var/lib)/$name\\b#\\1$(root_of "$name")\\2/$name#g")
	done
	edit+=(-e "s#([\" ])/(etc|run|var)/#\\1$(root_of "$1")/\\2/#g")
	for user in redis memcache postgres mosquitto; do
		if is_root; then
			edit+=(-e "s#user = \"$user\"#user = \"$(existing_user $user)\"#" -e "s#-o $user #-o $(existing_user $user) #")
		else
			edit+=(-e "/user = \"$user\"/d" -e "s#-o $user ##")
		fi
	done
	sed -E "${edit[@]}" "$(stanza_of "$1")"
}

# give_to USER PATH...: where there are users to choose from.
give_to() {
	local user

	user=$(existing_user "$1")
	shift
	! is_root || chown -R "$user" "$@"
}

# ---- their own configurations -------------------------------------------------------------------

# nginx_common NAME: everything but the servers.
nginx_common() {
	local root kind

	root=$(root_of "$1")
	echo "worker_processes 2;"
	echo "pid $root/run/nginx.pid;"
	echo "error_log $root/var/log/error.log notice;"
	echo "events { worker_connections 64; }"
	echo "http {"
	echo "	access_log off;"
	for kind in client_body proxy fastcgi uwsgi scgi; do
		echo "	${kind}_temp_path $root/var/tmp/$kind;"
	done
}

# configure_nginx NAME PAGE.  With the file run/closed there it answers 503.
configure_nginx() {
	mkdir -p "$(root_of "$1")/etc/nginx"
	cat >"$(root_of "$1")/etc/nginx/nginx.conf" <<-END
		$(nginx_common "$1")
			server {
				listen $HOST:$(port_of "$1");
				location / {
					if (-e $(root_of "$1")/run/closed) { return 503; }
					return 200 "$2\n";
				}
			}
		}
	END
}

configure_web() {
	mkdir -p "$(root_of web)/etc/web"
	cat >"$(root_of web)/etc/web/nginx.conf" <<-END
		$(nginx_common web)
			server {
				listen $HOST:$(port_of web);
				location / { proxy_pass http://$HOST:$(port_of app); }
			}
		}
	END
}

# configure_redis NAME: its data, every change of it, is on the disk before it answers.
configure_redis() {
	local root folder

	root=$(root_of "$1")
	folder=$1
	mkdir -p "$root/etc/$folder" "$root/var/lib/$folder"
	give_to redis "$root/var"
	cat >"$root/etc/$folder/redis.conf" <<-END
		bind $HOST
		port $(port_of "$1")
		dir $root/var/lib/$folder
		logfile $root/var/log/redis.log
		appendonly yes
		appendfsync always
	END
}

# configure_postgresql WORK_MEM
configure_postgresql() {
	local root

	root=$(root_of postgresql)
	mkdir -p "$root/etc/postgresql/15/main"
	cat >"$root/etc/postgresql/15/main/postgresql.conf" <<-END
		data_directory = '$root/var/lib/main'
		hba_file = '$root/etc/postgresql/15/main/pg_hba.conf'
		ident_file = ''
		listen_addresses = '$HOST'
		port = $(port_of postgresql)
		unix_socket_directories = '$root/run'
		max_connections = 10
		shared_buffers = 4MB
		fsync = off
		work_mem = $1
	END
	echo "host all all 127.0.0.0/8 trust" >"$root/etc/postgresql/15/main/pg_hba.conf"
	give_to postgres "$root/run" "$root/var"
}

# The database itself, as its user.
make_database() {
	local root
	local -a as

	root=$(root_of postgresql)
	as=(env -C "$root/run")
	! is_root || as+=(setpriv --reuid=postgres --regid="$(id -g postgres)" --clear-groups)
	"${as[@]}" "$(postgresql_bin)/initdb" -D "$root/var/lib/main" -U postgres -A trust -E UTF8 --no-locale --no-sync \
		--no-instructions >"$root/initdb.log" 2>&1 || {
		cat "$root/initdb.log"
		return 1
	}
}

haproxy_common() {
	echo "global"
	echo "	maxconn 64"
	echo "	nbthread 1"
	! is_root || echo "	uid $(id -u nobody)"
	echo "defaults"
	echo "	mode http"
	echo "	timeout connect 5s"
	echo "	timeout client 5s"
	echo "	timeout server 5s"
}

# configure_haproxy PAGE
configure_haproxy() {
	mkdir -p "$(root_of haproxy)/etc/haproxy"
	cat >"$(root_of haproxy)/etc/haproxy/haproxy.cfg" <<-END
		$(haproxy_common)
		frontend page
			bind $HOST:$(port_of haproxy)
			http-request return status 200 content-type text/plain string $1
	END
}

configure_front() {
	mkdir -p "$(root_of front)/etc/front"
	cat >"$(root_of front)/etc/front/haproxy.cfg" <<-END
		$(haproxy_common)
		frontend page
			bind $HOST:$(port_of front)
			default_backend web
		backend web
			server web $HOST:$(port_of web)
	END
}

# configure_mosquitto ALLOW_ANONYMOUS
configure_mosquitto() {
	local root

	root=$(root_of mosquitto)
	mkdir -p "$root/etc/mosquitto"
	cat >"$root/etc/mosquitto/mosquitto.conf" <<-END
		listener $(port_of mosquitto) $HOST
		pid_file $root/run/mosquitto/mosquitto.pid
		log_dest stdout
		persistence false
		allow_anonymous $1
		user $(existing_user mosquitto)
	END
}

# ---- clients ------------------------------------------------------------------------------------

# One question to a program, the answer on standard output; asked once, not waited for.
ask() {
	case $1 in
	nginx | nginx-forking | haproxy | app | web | front)
		curl -qfsS --noproxy '*' --max-time 5 "http://$HOST:$(port_of "$1")/"
		;;
	redis | store) talk "$1" 'PING\r\n' ;;
	memcached) talk "$1" 'version\r\n' ;;
	postgresql) sql 'SELECT 6 * 7' ;;
	mosquitto) mqtt_connect ;;
	esac
}

# Whether the answer is a good one.
answers() {
	local answer

	answer=$(ask "$1") || {
		echo "$1 does not answer" >&2
		return 1
	}
	case $1 in
	nginx | nginx-forking | haproxy) equals "the page of $1" "$answer" one ;;
	app | web | front) matches "$answer" '^visit [0-9]+$' ;;
	redis | store) equals "the answer of $1" "$answer" +PONG ;;
	memcached) matches "$answer" '^VERSION [0-9]' ;;
	postgresql) equals "six times seven" "$answer" 42 ;;
	mosquitto) equals "the answer of $1" "$answer" 20020000 ;;
	esac
}

# What is listening there says something else: says NAME ANSWER.
says() {
	[ "$(ask "$1" 2>/dev/null)" = "$2" ]
}

# Nobody listens: is_closed NAME.
is_closed() {
	! (exec 3<>"/dev/tcp/$HOST/$(port_of "$1")") 2>/dev/null
}

# talk NAME TEXT: the first line of the reply.
talk() {
	local connection line

	exec {connection}<>"/dev/tcp/$HOST/$(port_of "$1")" || return
	# shellcheck disable=SC2059 # a format on purpose
	printf "$2" >&"$connection"
	IFS=$'\r' read -r -t 5 -u "$connection" line
	exec {connection}>&-
	printf '%s\n' "${line%$'\r'}"
}

sql() {
	PGCONNECT_TIMEOUT=5 "$(locate_daemon psql)" -XAtq -h "$HOST" -p "$(port_of postgresql)" -U postgres -c "$1" postgres
}

# A client's first words in MQTT 3.1.1; the reply in hexadecimal: 2002, then flags and a code, 0000 for welcome.
mqtt_connect() {
	local connection

	exec {connection}<>"/dev/tcp/$HOST/$(port_of mosquitto)" || return
	printf '\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04test' >&"$connection"
	timeout 5 head -c 4 <&"$connection" | od -An -tx1 | tr -d ' \n'
	exec {connection}>&-
}

# ---- processes ----------------------------------------------------------------------------------

# Pids of all that is of a program, known by its root, its address or its name and this test's: in its command line, its
# environment, its working directory or its open files.  Most daemons overwrite one or the other.
procs_of() {
	local root pid

	root=$(root_of "$1")
	{
		grep -alF -e "$root/" -e "$HOST:$(port_of "$1")" /proc/[0-9]*/{cmdline,environ} || true
		grep -zxlF -e "REAL_TEST=$SD" /proc/[0-9]*/environ | xargs -r grep -zxlF -e "SUPERVISORD_NAME=$1" || true
		find /proc/[0-9]*/{cwd,fd} -maxdepth 1 -lname "$root/*" || true
	} 2>/dev/null | cut -d/ -f3 | sort -nu | while read -r pid; do
		[ "$pid" = "$BASHPID" ] || [ "$pid" = $$ ] || is_gone "$pid" || echo "$pid"
	done
}
