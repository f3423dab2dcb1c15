# SPDX-License-Identifier: ISC
# Real daemons on sockets that supervisord has opened: nginx by its own variable, lighttpd, gunicorn, dbus-daemon and uuidd by
# LISTEN_FDS, git daemon with a run for each connection.  Those that are not installed are skipped (packaging/install-deps real).

load lib.bash

setup_file() {
	export PATH=$PATH:/usr/sbin:/sbin HOST # for users, too: most of these daemons are there
	HOST=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1))
	sd_new 'defaults { stable_after = "200ms" restart_delay = "50ms" }'
	mkdir "$SD/site"
	sd_start
}

teardown_file() {
	sd_down_all
}

teardown() {
	sd_tell_failure
	rm -f "$SD"/conf.d/*.conf
	sctl apply >/dev/null 2>&1 || true
}

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed (packaging/install-deps real)"
}

# What a client reads, who is patient: fetch PORT.
fetch() {
	curl -sS --max-time "$PATIENCE" "http://$HOST:$1/" 2>&1
}

shows() {
	[ "$(fetch "$1")" = "$2" ]
}

# A client that comes while the program is stopped gets its answer from the next run: serves_who_waits NAME PORT PAGE.
serves_who_waits() {
	local client

	wait_for "$PATIENCE" shows "$2" "$3"
	exits 0 sctl stop "$1"
	fetch "$2" >"$SD/$1.page" &
	client=$!
	exits 0 sctl start "$1"
	wait "$client"
	equals "page for who has waited" "$(cat "$SD/$1.page")" "$3"
	for _ in 1 2 3; do
		sctl restart --no-wait "$1" >/dev/null
		equals "page while it restarts" "$(fetch "$2")" "$3"
	done
}

@test "real: nginx takes its sockets by NGINX, and refuses nobody while it restarts" {
	need nginx
	mkdir -p "$SD/nginx"
	cat >"$SD/nginx/nginx.conf" <<-END
		worker_processes 1;
		pid $SD/nginx/pid;
		error_log $SD/nginx/error.log notice;
		events { worker_connections 64; }
		http {
			access_log off;
			client_body_temp_path $SD/nginx/body;
			proxy_temp_path $SD/nginx/proxy;
			fastcgi_temp_path $SD/nginx/fastcgi;
			uwsgi_temp_path $SD/nginx/uwsgi;
			scgi_temp_path $SD/nginx/scgi;
			server {
				listen $HOST:8080;
				return 200 "by nginx";
			}
		}
	END
	stanza nginx <<-END
		socket "http" { listen = "tcp:$HOST:8080" }
		program "nginx" {
			command = {"nginx", "-c", "$SD/nginx/nginx.conf", "-g", "daemon off;"}
			sockets = {"http"}
			environment = {"NGINX=3;"}
			stop_signal = "QUIT"
		}
	END
	serves_who_waits nginx 8080 "by nginx"
	wait_for "$PATIENCE" log_has nginx "using inherited sockets from \"3;\""
}

@test "real: lighttpd takes its socket by LISTEN_FDS, started by its first connection" {
	need lighttpd
	printf 'by lighttpd' >"$SD/site/index.html"
	cat >"$SD/lighttpd.conf" <<-END
		server.document-root = "$SD/site"
		server.bind = "$HOST"
		server.port = 8081
		server.systemd-socket-activation = "enable"
		index-file.names = ("index.html")
		mimetype.assign = (".html" => "text/html")
	END
	stanza lighttpd <<-END
		socket "lighttpd" { listen = "tcp:$HOST:8081" }
		program "lighttpd" {
			command = {"lighttpd", "-D", "-f", "$SD/lighttpd.conf"}
			sockets = {"lighttpd"}
			start = "on-demand"
		}
	END
	wait_state lighttpd WAITING
	equals page "$(fetch 8081)" "by lighttpd"
	serves_who_waits lighttpd 8081 "by lighttpd"
}

@test "real: gunicorn takes a unix socket and a port by LISTEN_FDS" {
	need gunicorn
	cat >"$SD/site/hello.py" <<-'END'
		def app(environ, start):
		    start("200 OK", [("Content-Length", "11")])
		    return [b"by gunicorn"]
	END
	stanza gunicorn <<-END
		socket "gunicorn" { listen = {"tcp:$HOST:8082", "unix:$SD/gunicorn.sock"} }
		program "gunicorn" {
			command = "gunicorn --chdir $SD/site hello:app"
			sockets = {"gunicorn"}
			environment = {"PYTHONDONTWRITEBYTECODE=1"}
		}
	END
	serves_who_waits gunicorn 8082 "by gunicorn"
	equals "page by the unix socket" "$(curl -sS --max-time "$PATIENCE" --unix-socket "$SD/gunicorn.sock" http://x/)" "by gunicorn"
}

@test "real: dbus-daemon takes a unix socket by LISTEN_FDS, started by its first connection" {
	need dbus-daemon
	need dbus-send
	cat >"$SD/bus.conf" <<-END
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
			"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig>
			<type>session</type>
			<listen>unix:path=$SD/no.sock</listen>
			<auth>EXTERNAL</auth>
			<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
		</busconfig>
	END
	stanza dbus <<-END
		socket "dbus" { listen = "unix:$SD/bus.sock" }
		program "dbus" {
			command = "dbus-daemon --config-file=$SD/bus.conf --address=systemd: --nofork --nopidfile"
			sockets = {"dbus"}
			start = "on-demand"
		}
	END
	wait_state dbus WAITING
	exits 0 ask_bus
	matches "$output" 'string "[0-9a-f]{32}"'
	# Who asks while it is restarted waits.
	for _ in 1 2 3; do
		sctl restart --no-wait dbus >/dev/null
		exits 0 ask_bus
	done
	[ ! -e "$SD/no.sock" ]
}

ask_bus() {
	dbus-send --bus="unix:path=$SD/bus.sock" --reply-timeout=$((PATIENCE * 1000)) --print-reply --dest=org.freedesktop.DBus / \
		org.freedesktop.DBus.GetId
}

@test "real: uuidd takes its socket by LISTEN_FDS, started by its first connection" {
	need uuidd
	stanza uuidd <<-END
		socket "uuidd" { listen = "unix:$SD/uuidd.sock" }
		program "uuidd" {
			command = "$(command -v uuidd) --socket-activation"
			sockets = {"uuidd"}
			start = "on-demand"
		}
	END
	wait_state uuidd WAITING
	exits 0 timeout "$PATIENCE" uuidd --socket "$SD/uuidd.sock" --random --uuids 3
	equals "numbers" "$(grep -cE '[0-9a-f]{8}-[0-9a-f-]{27}$' <<<"$output")" 3
	exits 0 sctl restart uuidd
	exits 0 timeout "$PATIENCE" uuidd --socket "$SD/uuidd.sock" --time
}

@test "real: git daemon, as inetd would run it, has a run for each clone" {
	local number clones=()

	need git
	[ -x "$(git --exec-path)/git-daemon" ] || skip "git daemon is not installed (packaging/install-deps real)"
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
	git init -q "$SD/site/text"
	echo "by git" >"$SD/site/text/file"
	git -C "$SD/site/text" add file
	git -C "$SD/site/text" -c user.name=x -c user.email=x@y commit -q -m text
	stanza git <<-END
		socket "git" { listen = "tcp:$HOST:8083" }
		program "git" {
			command = "git daemon --inetd --log-destination=stderr --verbose --export-all --base-path=$SD/site"
			environment = {"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}
			sockets = {"git"}
			socket_as = "stdin"
			accept = true
			max_connections = 3
		}
	END
	for number in 1 2 3 4 5 6; do
		timeout "$PATIENCE" git clone -q "git://$HOST:8083/text" "$SD/clone.$number" 3>&- &
		clones+=($!)
	done
	wait "${clones[@]}"
	for number in 1 2 3 4 5 6; do
		equals "clone $number" "$(cat "$SD/clone.$number/file")" "by git"
	done
	# It says itself who was connected.
	wait_for "$PATIENCE" log_has git "Connection from 127.0.0.1:"
	wait_state git@1 WAITING
}
