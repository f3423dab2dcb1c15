/* SPDX-License-Identifier: ISC */
/*
 * keys.h: every configuration key, one row each, and nothing about a key anywhere else.
 *
 * The rows drive the libconfuse options, the struct members, validation, defaults, the reload diff
 * and the key list of supervisord.conf(5).  Columns:
 *
 *   KEY(name, TYPE, default, minimum, maximum, change class, help)
 *
 * name      as written in the file, and the member of struct program_config or struct settings
 * TYPE      selects the C type (KEY_CTYPE_*), the parser and the words for "what is allowed"
 * default   as text, parsed by the same parser as the user's value; NULL: unset
 * minimum,  of numbers, in the unit of the type (nanoseconds, bytes, count); ignored by other types
 * maximum
 * class     LIVE: takes effect at once; NEXT: with the next start; RESTART: apply restarts the
 * program help      one line for the manual; what is allowed is said by the type
 *
 * Five lists: PROGRAM_KEYS, which nearly every program uses; LIFE_KEYS and LOG_KEYS, which most
 * leave alone: they live in a struct of their own that programs without any of them share
 * (config.h); SOCKET_KEYS, of a stanza socket; SETTING_KEYS, of the daemon.  Rows whose name begins with health_ are written without
 * that prefix in a section health { … } of the program, those with control_ in control { … } of the
 * file.
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
	    "Working directory. Relative paths of this stanza, also in command, are taken from here. When it, or the command, is on a file system that does not answer, the start fails.") \
	KEY(user, STRING, NULL, 0, 0, RESTART, \
	    "User name or number to run as; sets HOME, USER, LOGNAME and SHELL too. Only root may name another user.") \
	KEY(group, STRING, NULL, 0, 0, RESTART, \
	    "Group name or number to run as; without it, the login group of user.") \
	KEY(umask, OCTAL, "022", 0, 0777, RESTART, \
	    "File mode creation mask, octal.") \
	KEY(environment, ENVIRONMENT, NULL, 0, LIMIT_ENVIRONMENT, RESTART, \
	    "List of NAME=VALUE. A program inherits nothing else but PATH, the login variables and SUPERVISORD_NAME, SUPERVISORD_INSTANCE, SUPERVISORD_RUN.") \
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
	    "Where standard input comes from. pipe: from superctl attach, whenever somebody does; it never ends. A program that is named in another one's stdout = \"program:NAME\" reads from that pipe instead.") \
	KEY(stdout, STDOUT, "log", 0, 0, RESTART, \
	    "Where standard output goes. log: log_dir/NAME.log, kept and rotated by the logger. Several places at once: a list.") \
	KEY(stderr, STDERR, "stdout", 0, 0, RESTART, \
	    "Where standard error goes. stdout: the same place as standard output; log: log_dir/NAME.err.log.") \
	KEY(log_max_size, SIZE, "10MB", 0, KEY_MB(1000000), LIVE, \
	    "Rotate a log on the first whole line past this size; 0: never.") \
	KEY(log_keep, COUNT, "5", 0, LIMIT_LOG_KEEP, LIVE, \
	    "Rotated logs (archives) to keep; 0: none, a full log is removed.") \
	KEY(after, DEPENDS, NULL, 0, LIMIT_LIST, LIVE, \
	    "Programs that are started before this one when both are to start (this one waits until they are ready or have ended), and stopped after it. Order only: nothing is started because of it.")

#define LIFE_KEYS(KEY) \
	KEY(type, TYPE, "service", 0, 0, RESTART, \
	    "service: command is the program. oneshot: command does something and ends. forking: command starts the program in the background and ends.") \
	KEY(remain, BOOL, "false", 0, 0, LIVE, \
	    "A oneshot that ended with success counts as RUNNING until it is stopped, and is not started again meanwhile.") \
	KEY(pid_file, PATH, NULL, 0, 0, RESTART, \
	    "type = \"forking\": where the program writes the number of its main process. It is believed only if that process is of this run, or began after it, bears no sign of any run, and has the program's user (of a program of root: the user that owns the file). Without pid_file the run must have left exactly one process.") \
	KEY(instances, INSTANCES, "1", 1, LIMIT_INSTANCES, LIVE, \
	    "How many of the program run side by side. Of several the first is called NAME@1; cpus: as many as supervisord has CPUs.") \
	KEY(update, UPDATE, "stop-start", 0, 0, LIVE, \
	    "How apply replaces the instances when the program changed. stop-start: all at once. rolling: one after the other, each when the one before is ready. start-first: likewise, after extra ones were started and are ready.") \
	KEY(max_unavailable, COUNT, "1", 1, LIMIT_INSTANCES, LIVE, \
	    "Of update = \"rolling\": so many instances may be away at a time.") \
	KEY(max_surge, COUNT, "1", 1, LIMIT_SURGE, LIVE, \
	    "Of update = \"start-first\": so many extra instances are started.") \
	KEY(soak, DURATION, "0s", 0, KEY_HOUR, LIVE, \
	    "A replaced instance must stay ready for this long before the next one has its turn.") \
	KEY(requires, DEPENDS, NULL, 0, LIMIT_LIST, LIVE, \
	    "Programs or groups that must be there: they are started with this one, it waits for them, and it is stopped and waits again when one of them stops or ends.") \
	KEY(wants, DEPENDS, NULL, 0, LIMIT_LIST, LIVE, \
	    "As requires, but this one goes on when one of them fails, and is not stopped because of them.") \
	KEY(before, DEPENDS, NULL, 0, LIMIT_LIST, LIVE, \
	    "The other side of after: those programs wait for this one.") \
	KEY(conflicts, NAMES, NULL, 0, LIMIT_LIST, LIVE, \
	    "Programs or groups that cannot run beside this one: starting one side stops the other first.") \
	KEY(smooth, BOOL, "false", 0, 0, LIVE, \
	    "A restart of this program does not stop those that require it; only its end does.") \
	KEY(boot, BOOT, "config", 0, 0, NEXT, \
	    "config: at the start of supervisord autostart decides. last-state: what the operator said last decides (kept in state_dir).") \
	KEY(ready, READY, "none", 0, 0, NEXT, \
	    "What tells that the program is ready, which makes STARTING RUNNING. none: having lived for stable_after.") \
	KEY(ready_interval, DURATION, "200ms", KEY_MS(10), KEY_HOUR, LIVE, \
	    "Time between two looks, of forms of ready that are looked at.") \
	KEY(start_timeout, DURATION, "60s", 0, 24 * KEY_HOUR, LIVE, \
	    "A program that is not ready after this long is stopped, as a failed run; a reload that it has begun (RELOADING=1) has failed. 0: wait for ever. Not for ready = \"none\", nor for a oneshot (max_runtime).") \
	KEY(sockets, SOCKETS, NULL, 0, LIMIT_LIST, RESTART, \
	    "Sockets that the program gets, in this order, as descriptors 3, 4 and so on with LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES (sd_listen_fds(3)). See SOCKETS.") \
	KEY(socket_as, SOCKET_AS, "descriptors", 0, 0, RESTART, \
	    "How the program gets them. stdin: its one socket is its standard input, as FastCGI and inetd have it.") \
	KEY(start, START, "now", 0, 0, LIVE, \
	    "now: when it is wanted up it is started. on-demand: it then waits until somebody connects to one of its sockets, or needs it; see Start on demand.") \
	KEY(idle_stop, DURATION, "0s", 0, 24 * KEY_HOUR, LIVE, \
	    "start = \"on-demand\": stop the program when nobody has been connected for this long; the next connection starts it again. 0: never.") \
	KEY(trigger_limit, COUNT, "20", 0, LIMIT_START_LIMIT, LIVE, \
	    "start = \"on-demand\": give up (FATAL) when connections have started it this often in trigger_limit_interval. accept = true: after so many connections the next ones wait until the interval is over; 0, which is the default there: no such limit.") \
	KEY(trigger_limit_interval, DURATION, "2s", KEY_MS(1), KEY_HOUR, LIVE, \
	    "The window of trigger_limit.") \
	KEY(accept, BOOL, "false", 0, 0, RESTART, \
	    "Each connection to its sockets is taken and given to a run of its own, as inetd does it. See Accepting connections.") \
	KEY(max_connections, COUNT, "64", 1, LIMIT_INSTANCES, LIVE, \
	    "accept = true: so many connections at a time; those that come then wait in the backlog of the socket.") \
	KEY(max_connections_per_source, COUNT, "0", 0, LIMIT_INSTANCES, LIVE, \
	    "accept = true: so many of one address (of IPv6: of one /64; of a unix socket: of one user) at a time, further ones are closed at once; 0: no limit of its own.") \
	KEY(tty, BOOL, "false", 0, 0, RESTART, \
	    "Standard input, output and error are a terminal of the program's own, which superctl attach connects to; what it writes there goes to where stdout says. See Terminals.") \
	KEY(cluster, CLUSTER, "none", 0, 0, RESTART, \
	    "The instances are workers of Node's cluster module, without a Node primary. How connections come to them: round-robin, shared (all have the socket), or reuse-port (each has one of its own). See Node clusters.") \
	KEY(cluster_listen, PATTERNS, NULL, 0, LIMIT_CLUSTER_ALLOWED, LIVE, \
	    "What the workers may listen to: tcp:PORT, tcp:ADDRESS:PORT, udp: likewise, unix:PATH; * as a port: those that need no privilege, or 0. Default: {tcp:*, udp:*, unix:*}.") \
	KEY(cluster_gap, DURATION, "300ms", 0, KEY_HOUR, LIVE, \
	    "A worker that is to stop gets no more connections for so long before it is told to disconnect.") \
	KEY(ipc, BOOL, "false", 0, 0, RESTART, \
	    "The program has an IPC channel as Node's child_process makes one (NODE_CHANNEL_FD): lines of JSON both ways. See IPC channels.") \
	KEY(ipc_to, STRING, NULL, 0, 0, LIVE, \
	    "program:NAME: messages of this program go to that one, which has ipc = true too.") \
	KEY(watchdog, DURATION, "0s", 0, 24 * KEY_HOUR, NEXT, \
	    "The program must send WATCHDOG=1 (sd_notify(3)) at least this often once it is ready, else it gets ABRT, as a failed run; 0: off.") \
	KEY(fdstore_max, COUNT, "16", 0, LIMIT_FDSTORE, NEXT, \
	    "Descriptors that the program may leave with supervisord (FDSTORE=1 of sd_notify(3)) to get them back in its next run.") \
	KEY(restart_jitter, PERCENT, "10%", 0, 100, LIVE, \
	    "The delay before a restart is longer by a random part of up to this much, so that programs that failed together do not come back together.") \
	KEY(restart_force_exit, EXITS, NULL, 0, 0, LIVE, \
	    "Exit codes and signals after which the program is started again whatever restart says.") \
	KEY(restart_prevent_exit, EXITS, NULL, 0, 0, LIVE, \
	    "Exit codes and signals after which the program is not started again whatever restart says.") \
	KEY(on_failure, ON_FAILURE, "none", 0, 0, LIVE, \
	    "What to do when start_limit makes the program FATAL.") \
	KEY(essential, BOOL, "false", 0, 0, LIVE, \
	    "When this program ends for good or becomes FATAL, stop everything in order and exit with its status. For containers.") \
	KEY(match, EVENTS, NULL, 0, LIMIT_LIST, LIVE, \
	    "Of on_event only: which events it is about. Of terms of one sort (state:, exit:, kind:, program:) one must hold, and each sort that is there. Required there.") \
	KEY(max_runtime, DURATION, "0s", 0, 365 * 24 * KEY_HOUR, LIVE, \
	    "A run that takes longer is stopped, as a failed run; 0: no limit.") \
	KEY(stop_sequence, STEPS, NULL, 0, LIMIT_STOP_STEPS, LIVE, \
	    "Signals to stop the program, each with the time to wait after it, in place of stop_signal and stop_timeout. What is left after the last one gets KILL.") \
	KEY(kill_mode, KILL_MODE, "all", 0, 0, LIVE, \
	    "Who gets the stop signals. all: every process of the program; process: the main process, the others are left alone for good; mixed: the main process, and KILL goes to all, at once when the main process has ended before the stop.") \
	KEY(stop_command, COMMAND, NULL, 0, 0, LIVE, \
	    "Run this to stop the program; the first stop signal follows when it failed, or when the program has not ended stop_timeout later.") \
	KEY(pre_start, COMMAND, NULL, 0, 0, LIVE, \
	    "Run this before each start of the program; when it fails, the start has failed.") \
	KEY(post_start, COMMAND, NULL, 0, 0, LIVE, \
	    "Run this when the program is ready; only then it is RUNNING. When it fails, the run has failed.") \
	KEY(pre_stop, COMMAND, NULL, 0, 0, LIVE, \
	    "Run this before a RUNNING program is told to stop; its status does not matter.") \
	KEY(post_stop, COMMAND, NULL, 0, 0, LIVE, \
	    "Run this after each end of the program, with EXIT_STATUS, EXIT_SIGNAL and RESULT in its environment; its status does not matter.") \
	KEY(hook_timeout, DURATION, "30s", KEY_MS(10), 24 * KEY_HOUR, LIVE, \
	    "A hook (pre_start, post_start, pre_stop, post_stop, reload_command) that takes longer is killed and has failed.") \
	KEY(reload_signal, SIGNAL, NULL, 0, 0, LIVE, \
	    "Sent to the main process by superctl reload.") \
	KEY(reload_command, COMMAND, NULL, 0, 0, LIVE, \
	    "Run by superctl reload, in place of reload_signal.") \
	KEY(health_check, READY, "none", 0, 0, LIVE, \
	    "What to look at while the program is RUNNING. Forms of ready that are looked at are allowed: tcp, unix, http, exec, file.") \
	KEY(health_interval, DURATION, "10s", KEY_MS(50), 24 * KEY_HOUR, LIVE, \
	    "Time from the end of one check to the next one.") \
	KEY(health_timeout, DURATION, "5s", KEY_MS(10), KEY_HOUR, LIVE, \
	    "A check that takes longer has failed.") \
	KEY(health_failures, COUNT, "3", 1, 1000, LIVE, \
	    "So many failed checks in a row make the program unhealthy.") \
	KEY(health_successes, COUNT, "1", 1, 1000, LIVE, \
	    "So many good checks in a row make it healthy (again).") \
	KEY(health_on_failure, HEALTH_ACTION, "restart", 0, 0, LIVE, \
	    "What to do when it becomes unhealthy: restart it as after a failed run, send it a signal, or only say so.")

#define LOG_KEYS(KEY) \
	KEY(log_file, PATH, NULL, 0, 0, LIVE, \
	    "File for the log of standard output, in place of NAME.log; relative paths are taken from log_dir. Programs that name one file share it line by line.") \
	KEY(log_file_stderr, PATH, NULL, 0, 0, LIVE, \
	    "Likewise for stderr = \"log\", in place of NAME.err.log.") \
	KEY(log_rotate, LOG_ROTATE, "none", 0, 0, LIVE, \
	    "Rotate a log also by the calendar: at the first line of a new hour, day or week (Monday) of local time.") \
	KEY(log_max_age, DURATION, "0s", 0, 3650 * 24 * KEY_HOUR, LIVE, \
	    "Remove archives that were rotated longer ago than this; 0: never.") \
	KEY(log_total_size, SIZE, "0", 0, KEY_MB(1000000), LIVE, \
	    "Remove the oldest archives while a log with its archives is larger than this; 0: never. With it, archives also make room when the disk is full.") \
	KEY(log_compress, LOG_COMPRESS, "none", 0, 0, LIVE, \
	    "Compress archives, in a process of the lowest priority.") \
	KEY(log_user, STRING, NULL, 0, 0, LIVE, \
	    "Owner of log files and archives. Only root may name another user.") \
	KEY(log_group, STRING, NULL, 0, 0, LIVE, \
	    "Group of log files and archives. Who is not root may name groups it is in.") \
	KEY(log_mode, OCTAL, "0640", 0, 0777, LIVE, \
	    "Permissions of log files and archives, octal; the owner must be able to read and write.") \
	KEY(log_format, LOG_FORMAT, "raw", 0, 0, LIVE, \
	    "What a line of a log looks like. raw: as the program wrote it, byte by byte; stamp: time, instance, run and stream before it; json: these and the text as an object.") \
	KEY(log_line_max, SIZE, "64K", 256, LIMIT_LOG_LINE_MAX, LIVE, \
	    "A line that is longer is written in parts, which are marked; not where log_format is raw.") \
	KEY(log_full, LOG_FULL, "block", 0, 0, LIVE, \
	    "What to do with output that cannot be written, the disk being full for instance. block: it waits, and then the program waits; drop: lines are dropped and counted, and the log says how many once it can be written again.") \
	KEY(log_filter, LOG_FILTER, "none", 0, 0, LIVE, \
	    "exec:COMMAND: a command that reads what the program prints; what that prints is logged in its place. See Log filters.") \
	KEY(syslog_facility, FACILITY, "daemon", 0, 0, LIVE, \
	    "Facility of what goes to syslog or the journal.") \
	KEY(syslog_tag, STRING, NULL, 0, 0, LIVE, \
	    "Name of the program in syslog and the journal, of at most 48 bytes. Default: the name of the instance.")

#define SOCKET_KEYS(KEY) \
	KEY(listen, LISTEN, NULL, 1, LIMIT_LISTEN, RESTART, \
	    "The address, or a list of them. tcp:PORT is every address of the machine, IPv6 and IPv4; a unix name that begins with @ is an abstract one. Required.") \
	KEY(backlog, COUNT, "4096", 1, 1000000, LIVE, \
	    "Connections that may wait to be accepted; the kernel allows at most net.core.somaxconn.") \
	KEY(mode, OCTAL, "0660", 0, 0777, LIVE, \
	    "Permissions of the file of a unix socket or a fifo, octal.") \
	KEY(owner, STRING, NULL, 0, 0, LIVE, \
	    "Owner of that file. Only root may name another user.") \
	KEY(group, STRING, NULL, 0, 0, LIVE, \
	    "Group of that file. Who is not root may name groups it is in.") \
	KEY(fd_name, STRING, NULL, 0, 0, RESTART, \
	    "Its name in LISTEN_FDNAMES. Default: the name of the socket.") \
	KEY(v6_only, BOOL, "false", 0, 0, NEXT, \
	    "An IPv6 address takes no connections by IPv4.") \
	KEY(reuse_port, BOOL, "false", 0, 0, NEXT, \
	    "Other sockets of the same user may be bound to the same address, and the kernel deals connections out to all of them (SO_REUSEPORT).") \
	KEY(free_bind, BOOL, "false", 0, 0, NEXT, \
	    "The address need not be one of the machine yet (IP_FREEBIND).") \
	KEY(nodelay, BOOL, "false", 0, 0, LIVE, \
	    "Connections send small pieces at once (TCP_NODELAY).") \
	KEY(keepalive, BOOL, "false", 0, 0, LIVE, \
	    "Connections notice that their peer is gone (SO_KEEPALIVE).") \
	KEY(receive_buffer, SIZE, "0", 0, KEY_MB(1000), LIVE, \
	    "Receive buffer (SO_RCVBUF); 0: the kernel decides.") \
	KEY(send_buffer, SIZE, "0", 0, KEY_MB(1000), LIVE, \
	    "Send buffer (SO_SNDBUF); 0: the kernel decides.") \
	KEY(remove_on_stop, BOOL, "true", 0, 0, LIVE, \
	    "Remove the file of a unix socket or a fifo when the socket is closed.")

#define SETTING_KEYS(KEY) \
	KEY(run_dir, PATH, NULL, 0, 0, NEXT, \
	    "Directory of the control socket and the lock. Default: /run/supervisord, for a user $XDG_RUNTIME_DIR/supervisord.") \
	KEY(log_dir, PATH, NULL, 0, 0, NEXT, \
	    "Directory of the logs. Default: /var/log/supervisord, for a user $XDG_STATE_HOME/supervisord or ~/.local/state/supervisord.") \
	KEY(state_dir, PATH, NULL, 0, 0, NEXT, \
	    "Directory of what must outlive supervisord. Default: /var/lib/supervisord, for a user $XDG_STATE_HOME/supervisord or ~/.local/state/supervisord.") \
	KEY(include, PATTERNS, NULL, 0, LIMIT_LIST, LIVE, \
	    "Patterns of more files to read, relative to this file. A pattern that matches nothing is not an error, a plain name that does not exist is one.") \
	KEY(log_level, LEVEL, "notice", 0, 0, LIVE, \
	    "How much the daemon tells about itself: error, warning, notice or debug.") \
	KEY(shutdown_timeout, DURATION, "60s", KEY_MS(100), KEY_HOUR, LIVE, \
	    "At shutdown everything that is left after this long gets KILL.") \
	KEY(control_allow, ALLOW, NULL, 0, LIMIT_LIST, LIVE, \
	    "Who may do what, beside root and the user that supervisord runs as. Without it, nobody.") \
	KEY(control_group, STRING, NULL, 0, 0, LIVE, \
	    "Group of the control socket. Default: the group that supervisord runs as. Who is not root may name groups it is in.") \
	KEY(control_mode, OCTAL, "0660", 0, 0777, LIVE, \
	    "Permissions of the control socket, octal: who may connect. What they may do then is said by allow alone.") \
	KEY(log_memory, SIZE, "8MB", LIMIT_LOG_MEMORY_MIN, KEY_MB(1000), LIVE, \
	    "Memory of the logger for the output of all programs together: lines on their way, and the last output of those that have no log file.") \
	KEY(inherit_format, INHERIT, "raw", 0, 0, NEXT, \
	    "What programs with stdout = \"inherit\" print. raw: as they write it; prefix: NAME | before each line; json: an object a line. supervisord --log-format goes before it.") \
	KEY(syslog_socket, PATH, "/dev/log", 0, 0, LIVE, \
	    "Where stdout = \"syslog\" goes.") \
	KEY(journal_socket, PATH, "/run/systemd/journal/socket", 0, 0, LIVE, \
	    "Where stdout = \"journal\" goes.")
/* clang-format on */

#endif
