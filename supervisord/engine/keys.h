/* SPDX-License-Identifier: ISC */
/*
 * keys.h: every configuration key, one row each, and nothing about a key anywhere else.
 *
 * The rows drive the libconfuse options, the struct members, validation, defaults, the reload diff and the
 * key list of supervisord.conf(5).  Columns:
 *
 *   KEY(name, TYPE, default, minimum, maximum, change class, help)
 *
 * name      as written in the file, and the member of struct program_config or struct settings
 * TYPE      selects the C type (KEY_CTYPE_*), the parser and the words for "what is allowed"
 * default   as text, parsed by the same parser as the user's value; NULL: unset
 * minimum,  of numbers, in the unit of the type (nanoseconds, bytes, count); ignored by other types
 * maximum
 * class     LIVE: takes effect at once; NEXT: with the next start; RESTART: apply restarts the program
 * help      one line for the manual; what is allowed is said by the type
 *
 * To add a key: add a row.  A new TYPE also needs its five small functions in value.c.
 */
#ifndef ENGINE_KEYS_H
#define ENGINE_KEYS_H

#include "lib/clock.h"
#include "lib/limits.h"

#define KEY_S(n)   ((n) * NS_PER_S)
#define KEY_MS(n)  ((n) * NS_PER_MS)
#define KEY_HOUR   KEY_S(3600)
#define KEY_MB(n)  ((n) * 1000LL * 1000LL)

/* clang-format off */
#define PROGRAM_KEYS(KEY) \
	KEY(command, COMMAND, NULL, 0, 0, RESTART, \
	    "What to run. A string is split into words like a shell's, but no shell is involved; a list is taken word by word. Required.") \
	KEY(shell, BOOL, "false", 0, 0, RESTART, \
	    "Run command by /bin/sh -c; command must then be a string.") \
	KEY(directory, PATH, "/", 0, 0, RESTART, \
	    "Working directory. Relative paths of this stanza, also in command, are taken from here.") \
	KEY(user, STRING, NULL, 0, 0, RESTART, \
	    "User name or number to run as; sets HOME, USER, LOGNAME and SHELL too. Only root may name another user.") \
	KEY(group, STRING, NULL, 0, 0, RESTART, \
	    "Group name or number to run as; without it, the login group of user.") \
	KEY(umask, OCTAL, "022", 0, 0777, RESTART, \
	    "File mode creation mask, octal.") \
	KEY(environment, ENVIRONMENT, NULL, 0, LIMIT_ENVIRONMENT, RESTART, \
	    "List of NAME=VALUE. A program inherits nothing else but PATH, the login variables and SUPERVISORD_NAME, SUPERVISORD_RUN.") \
	KEY(autostart, BOOL, "true", 0, 0, NEXT, \
	    "Start the program when supervisord starts, and when the stanza is new at an apply.") \
	KEY(restart, RESTART, "on-failure", 0, 0, LIVE, \
	    "When to start the program again after it has ended by itself.") \
	KEY(success_exit, EXITS, "0", 0, 0, LIVE, \
	    "Exit codes and signals that count as success.") \
	KEY(restart_delay, DURATION, "200ms", 0, KEY_HOUR, LIVE, \
	    "Wait this long before the first restart; not longer than restart_delay_max.") \
	KEY(restart_delay_max, DURATION, "30s", 0, 24 * KEY_HOUR, LIVE, \
	    "The delay never grows past this.") \
	KEY(restart_factor, FACTOR, "2", 1, 100, LIVE, \
	    "The delay is multiplied by this after each failed run in a row.") \
	KEY(restart_reset_after, DURATION, "60s", 0, 24 * KEY_HOUR, LIVE, \
	    "A run that stayed RUNNING this long sets the delay and the start limit back.") \
	KEY(start_limit, COUNT, "5", 0, LIMIT_START_LIMIT, LIVE, \
	    "Give up (FATAL) when the program was started this often in start_limit_interval and ended again; 0: never give up. Starting it by hand clears the count.") \
	KEY(start_limit_interval, DURATION, "60s", KEY_MS(1), 24 * KEY_HOUR, LIVE, \
	    "The window of start_limit.") \
	KEY(stable_after, DURATION, "1s", 0, KEY_HOUR, LIVE, \
	    "STARTING becomes RUNNING when the program has lived this long.") \
	KEY(stop_signal, SIGNAL, "TERM", 0, 0, LIVE, \
	    "Sent to the process group of the program to stop it.") \
	KEY(stop_timeout, DURATION, "10s", KEY_MS(10), 24 * KEY_HOUR, LIVE, \
	    "When not every process of the program is gone after this long, all that are left get KILL.") \
	KEY(stdin, STDIN, "null", 0, 0, RESTART, \
	    "Where standard input comes from. A program that is named in another one's stdout = \"program:NAME\" reads from that pipe instead.") \
	KEY(stdout, STDOUT, "log", 0, 0, RESTART, \
	    "Where standard output goes. log: log_dir/NAME.log, kept and rotated by the logger.") \
	KEY(stderr, STDERR, "stdout", 0, 0, RESTART, \
	    "Where standard error goes. stdout: the same place as standard output; log: log_dir/NAME.err.log.") \
	KEY(log_max_size, SIZE, "10MB", 0, KEY_MB(1000000), LIVE, \
	    "Rotate a log on the first whole line past this size; 0: never.") \
	KEY(log_keep, COUNT, "5", 0, LIMIT_LOG_KEEP, LIVE, \
	    "Rotated logs to keep, NAME.log.1 being the newest.") \
	KEY(after, NAMES, NULL, 0, LIMIT_LIST, LIVE, \
	    "Programs that are started before this one when both are to start (this one waits until they are RUNNING or have ended), and stopped after it. Order only: nothing is started because of it.")

#define SETTING_KEYS(KEY) \
	KEY(run_dir, PATH, NULL, 0, 0, NEXT, \
	    "Directory of the control socket and the lock. Default: /run/supervisord, for a user $XDG_RUNTIME_DIR/supervisord.") \
	KEY(log_dir, PATH, NULL, 0, 0, NEXT, \
	    "Directory of the logs. Default: /var/log/supervisord, for a user $XDG_STATE_HOME/supervisord or ~/.local/state/supervisord.") \
	KEY(include, PATTERNS, NULL, 0, LIMIT_LIST, LIVE, \
	    "Patterns of more files to read, relative to this file. A pattern that matches nothing is not an error, a plain name that does not exist is one.") \
	KEY(log_level, LEVEL, "notice", 0, 0, LIVE, \
	    "How much the daemon tells about itself: error, warning, notice or debug.") \
	KEY(shutdown_timeout, DURATION, "60s", KEY_MS(100), KEY_HOUR, LIVE, \
	    "At shutdown everything that is left after this long gets KILL.")
/* clang-format on */

#endif
