# SPDX-License-Identifier: ISC
# Bad configurations: `supervisord -t` exits 1 and says file, line and what is allowed; a good one exits 0.

load lib.bash

setup() {
	DIR=$(mktemp -d "${TMPDIR:-/tmp}/sd.XXXXXX")
	FILE=$DIR/bad.conf
}

teardown() {
	local pid

	for pid in $(pgrep -f -- "-c $DIR/"); do
		kill -KILL "$pid"
	done
	rm -rf "$DIR"
}

# Check the configuration on standard input: it must be refused with this line and text.  refuse LINE EXTENDED-REGEXP
refuse() {
	cat >"$FILE"
	refused "$@"
}

refused() {
	exits 1 timeout 60 "$SUPERVISORD" -t -c "$FILE"
	matches "$output" "bad\.conf:$1:"
	matches "$output" "$2"
}

@test "config: a good one passes" {
	cat >"$FILE" <<-'END'
		# A comment, with an apostrophe's trouble.
		run_dir = "run"
		/* and a long
		   one */
		log_level = "debug"
		defaults { stop_timeout = 3s }
		program "web" {
			command = "/bin/true %20 ;"      // the command
			environment = {"A=1", "B=${NO_SUCH_VARIABLE:-2}"}
			success_exit = {"0", "TERM"}
			log_max_size = 5MB
		}
		program "worker" { command = {"/bin/sleep", "1"} after = {"web"} }
	END
	exits 0 "$SUPERVISORD" -t -c "$FILE"
}

@test "config: unknown key" {
	refuse 3 '[cC]ommnad' <<-'END'
		program "web" {
			restart = "always"
			commnad = "/bin/true"
		}
	END
	matches "$output" 'command'
}

@test "config: unknown top-level key" {
	refuse 2 'rundir' <<-'END'
		# first
		rundir = "/tmp"
	END
}

@test "config: a comment before the mistake does not move its line" {
	refuse 9 'nonsense' <<-'END'
		# one
		# two
		// three
		/*
		 * four
		 */
		program "web" { # five
			command = "/bin/true" # six
			nonsense = 1
		}
	END
}

@test "config: duplicate program, in one file" {
	refuse 2 'web' <<-'END'
		program "web" { command = "/bin/true" }
		program "web" { command = "/bin/false" }
	END
	matches "$output" 'bad\.conf:1'
}

@test "config: duplicate program, in two files" {
	mkdir "$DIR/conf.d"
	echo 'program "web" { command = "/bin/true" }' >"$DIR/conf.d/a.conf"
	echo 'program "web" { command = "/bin/true" }' >"$DIR/conf.d/b.conf"
	echo 'include = {"conf.d/*.conf"}' >"$FILE"
	exits 1 "$SUPERVISORD" -t -c "$FILE"
	matches "$output" 'a\.conf:1'
	matches "$output" 'b\.conf:1'
	matches "$output" 'web'
}

@test "config: unterminated comment" {
	refuse 2 'comment' <<-'END'
		program "web" { command = "/bin/true" }
		/* never ended
		program "db" { command = "/bin/true" }
	END
}

@test "config: unterminated section" {
	refuse 1 'web|section|\}' <<-'END'
		program "web" {
			command = "/bin/true"
	END
}

@test "config: unterminated string" {
	refuse 2 'string|quote' <<-'END'
		program "web" {
			command = "/bin/true
		}
	END
}

@test "config: NUL byte" {
	printf 'run_dir = "run"\nprogram "web" { command = "/bin/\0true" }\n' >"$FILE"
	refused 2 'NUL|\\x00|0x00'
}

@test "config: byte order mark" {
	printf '\357\273\277run_dir = "run"\n' >"$FILE"
	refused 1 'byte order mark'
}

@test "config: a line of one megabyte is refused, and soon" {
	local before

	"$PYTHON" -ISc 'print("# first\nprogram \"web\" { command = \"" + "x" * 1000000 + "\" }")' >"$FILE"
	before=$(now_ms)
	refused 2 '4096|too long|longer'
	at_most milliseconds $(($(now_ms) - before)) 30000
}

@test "config: a file of more than a megabyte is refused" {
	"$PYTHON" -ISc 'print("# comment\n" * 200000)' >"$FILE"
	exits 1 timeout 60 "$SUPERVISORD" -t -c "$FILE"
	matches "$output" 'bad\.conf.*(large|big|bytes|limit)'
}

@test "config: empty number" {
	refuse 3 'start_limit' <<-'END'
		program "web" {
			command = "/bin/true"
			start_limit = ""
		}
	END
}

@test "config: empty duration and size" {
	refuse 3 'stop_timeout' <<-'END'
		program "web" {
			command = "/bin/true"
			stop_timeout = ""
			log_max_size = ""
		}
	END
}

@test "config: recursive include" {
	refuse 1 'recursive' <<-'END'
		include = {"bad.conf"}
	END
}

@test "config: recursive include over a second file and a link" {
	mkdir "$DIR/sub"
	ln -s ../bad.conf "$DIR/sub/link.conf"
	echo 'include = {"link.conf"}' >"$DIR/sub/second.conf"
	echo 'include = {"sub/second.conf"}' >"$FILE"
	exits 1 timeout 60 "$SUPERVISORD" -t -c "$FILE"
	matches "$output" 'recursive'
	matches "$output" 'second\.conf:1:'
}

@test "config: a directory as the file" {
	mkdir "$FILE"
	exits 1 timeout 60 "$SUPERVISORD" -t -c "$FILE"
	matches "$output" 'bad\.conf.*(directory|regular)'
}

@test "config: a directory as an included file" {
	mkdir "$DIR/sub"
	refuse 1 'directory|regular' <<-'END'
		include = {"sub"}
	END
}

@test "config: a file that is not there" {
	exits 1 "$SUPERVISORD" -t -c "$DIR/missing.conf"
	matches "$output" 'missing\.conf.*No such file or directory'
}

@test "config: an included file that is not there" {
	refuse 1 'missing\.conf' <<-'END'
		include = {"missing.conf"}
	END
}

@test "config: missing user" {
	refuse 3 'user.*no-such-user' <<-'END'
		program "web" {
			command = "/bin/true"
			user = "no-such-user"
		}
	END
}

@test "config: missing group" {
	refuse 3 'group.*no-such-group' <<-'END'
		program "web" {
			command = "/bin/true"
			group = "no-such-group"
		}
	END
}

@test "config: no command" {
	refuse 1 'command' <<-'END'
		program "web" { restart = "always" }
	END
}

@test "config: values out of what is allowed name it" {
	refuse 3 'restart.*on-failure' <<-'END'
		program "web" {
			command = "/bin/true"
			restart = "sometimes"
		}
	END
	refuse 3 'stop_signal' <<-'END'
		program "web" {
			command = "/bin/true"
			stop_signal = "TREM"
		}
	END
	refuse 3 'umask' <<-'END'
		program "web" {
			command = "/bin/true"
			umask = "0999"
		}
	END
	refuse 3 'stop_timeout' <<-'END'
		program "web" {
			command = "/bin/true"
			stop_timeout = "5 parsecs"
		}
	END
	refuse 3 'stdout' <<-'END'
		program "web" {
			command = "/bin/true"
			stdout = "printer"
		}
	END
}

@test "config: an unknown %{word}" {
	refuse 2 'surname' <<-'END'
		program "web" {
			command = "/bin/echo %{surname}"
		}
	END
}

@test "config: a pipe to a program that is not there" {
	refuse 3 'stdout.*nobody' <<-'END'
		program "web" {
			command = "/bin/true"
			stdout = "program:nobody"
		}
	END
}

@test "config: a cycle of after names its path" {
	cat >"$FILE" <<-'END'
		program "a" { command = "/bin/true" after = {"b"} }
		program "b" { command = "/bin/true" after = {"c"} }
		program "c" { command = "/bin/true" after = {"a"} }
	END
	exits 1 "$SUPERVISORD" -t -c "$FILE"
	matches "$output" 'bad\.conf:[123]:'
	matches "$output" 'a -> b -> c|b -> c -> a|c -> a -> b'
}

@test "config: all errors of all files are told at once" {
	mkdir "$DIR/conf.d"
	printf 'program "a" {\n\tnonsense = 1\n}\nprogram "b" {\n\tcommand = "/bin/true"\n\tstart_limit = "x"\n}\n' >"$DIR/conf.d/a.conf"
	printf 'program "c" { command = "/bin/true" }\n/* open\n' >"$DIR/conf.d/b.conf"
	echo 'include = {"conf.d/*.conf"}' >"$FILE"
	exits 1 "$SUPERVISORD" -t -c "$FILE"
	matches "$output" 'a\.conf:2:'
	matches "$output" 'a\.conf:6:'
	matches "$output" 'b\.conf:2:'
}

@test "config: supervisord does not start with a bad one" {
	cat >"$FILE" <<-END
		run_dir = "$DIR/run"
		log_dir = "$DIR/log"
		program "web" { command = "/bin/true" colour = "red" }
	END
	exits 1 timeout 60 "$SUPERVISORD" -n -c "$FILE" 3>&-
	matches "$output" 'bad\.conf:3:'
	exits 1 timeout 60 "$SUPERVISORD" -d -c "$FILE" 3>&-
	matches "$output" 'bad\.conf:3:'
	# The one in the background tells its parent and then ends.
	wait_for "$PATIENCE" nobody_runs
}

nobody_runs() {
	[ -z "$(pgrep -f -- "-c $FILE")" ]
}

@test "config: one with every section and list of a life passes" {
	cat >"$FILE" <<-'END'
		run_dir = "run"
		state_dir = "state"
		defaults { health { interval = 5s } restart_jitter = 5% }
		group "backend" { members = {"db", "caches"} }
		group "caches" { members = {"cache"} }
		program "db" {
			command = "/bin/true"
			ready = "tcp:127.0.0.1:5432"
			stop_sequence = {"TERM:10s", "INT:5s", "KILL"}
			health {
				check = {"exec:/bin/true", "a b"}
				on_failure = "signal:HUP"
			}
		}
		program "cache" { command = "/bin/true" ready = "log:^Ready" on_failure = "retry:5min" }
		program "prepare" { command = "/bin/true" type = "oneshot" remain = true requires = {"db:healthy"} }
		program "web" {
			command = "/bin/true"
			requires = {"backend:started", "prepare"}
			ready = "http://[::1]:8080/health"
			restart_prevent_exit = {3, 10-19}
			boot = "last-state"
			pre_start = "/bin/true 'a b'"
		}
	END
	exits 0 "$SUPERVISORD" -t -c "$FILE"
}

@test "config: a key of the section health outside of it, and an unknown one in it" {
	refuse 3 'health_check: .*health \{ check = ' <<-'END'
		program "web" {
			command = "/bin/true"
			health_check = "exec:/bin/true"
		}
	END
	refuse 4 "health\.chek: unknown key: did you mean 'check'" <<-'END'
		program "web" {
			command = "/bin/true"
			health {
				chek = "exec:/bin/true"
			}
		}
	END
}

@test "config: a group and a program of one name" {
	refuse 2 'web.*bad\.conf:1' <<-'END'
		program "web" { command = "/bin/true" }
		group "web" { members = {"web"} }
	END
}

@test "config: groups in one another without end" {
	refuse 2 'a -> b -> a' <<-'END'
		program "web" { command = "/bin/true" }
		group "a" { members = {"b"} }
		group "b" { members = {"a", "web"} }
	END
}

@test "config: an empty group" {
	refuse 1 'at least one member' <<-'END'
		group "a" { members = {} }
	END
}

@test "config: a cycle of several keys names them" {
	refuse 1 'a \(requires\) -> b \(after\) -> a' <<-'END'
		program "a" { command = "/bin/true" requires = {"b"} }
		program "b" { command = "/bin/true" after = {"a"} }
	END
}

@test "config: a condition that can never hold" {
	refuse 1 'b:healthy.*health check' <<-'END'
		program "a" { command = "/bin/true" requires = {"b:healthy"} }
		program "b" { command = "/bin/true" }
	END
}

@test "config: a conflict of two that would both be started" {
	refuse 1 'autostart = false' <<-'END'
		program "a" { command = "/bin/true" conflicts = {"b"} }
		program "b" { command = "/bin/true" }
	END
}

@test "config: a check that needs TLS says what else there is" {
	refuse 3 'https.*http://.*exec:' <<-'END'
		program "a" {
			command = "/bin/true"
			ready = "https://localhost/"
		}
	END
}

@test "config: a oneshot that is always started again" {
	refuse 4 'oneshot.*type = "service"' <<-'END'
		program "a" {
			command = "/bin/true"
			type = "oneshot"
			restart = "always"
		}
	END
}
