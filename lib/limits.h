/* SPDX-License-Identifier: ISC */
/*
 * limits.h: every limit a user, a program or a peer can run into, in one place.
 *
 * Each queue, table and buffer of the daemon takes its size from here, so that "how much memory
 * can it take" is answered by reading one page.  What happens when a limit is reached is said at
 * the place that enforces it; the values users can feel are listed in supervisord.conf(5).
 */
#ifndef LIB_LIMITS_H
#define LIB_LIMITS_H

/* Program instances, and the ledger rows they occupy.  (tests/sim makes a new ledger thousands of
 * times a second, and has a small one.) */
#ifndef LIMIT_ROWS
#define LIMIT_ROWS 16384
#endif
/* Bytes of an instance name with its NUL: "web@3". */
#define LIMIT_NAME 64

/* Instances of one program. */
#define LIMIT_INSTANCES 1024
/* Further ones of it while they are replaced. */
#define LIMIT_SURGE 64

/* Descriptors held by the guardian for engine and logger. */
#define LIMIT_HELD 65536
/* Children reaped in one wake-up before the guardian looks at its other descriptors again. */
#define LIMIT_REAP_BATCH 64
/* After an end, how long it lets others gather before it looks for them. */
#define LIMIT_REAP_REST_NS (1000 * 1000LL)

/* Bytes of one internal message between guardian, engine and logger, and descriptors with it. */
#define LIMIT_MSG_BYTES 1024
#define LIMIT_MSG_FDS   4

/* One Varlink message in either direction, without its NUL; nesting of its JSON. */
#define LIMIT_VARLINK_BYTES (1024 * 1024)
#define LIMIT_VARLINK_DEPTH 32
/* Connections on the control socket: all; those that only root and the daemon's user may have; of
 * one other user.  When there are no more, the one that has been silent longest makes room, if for
 * this long. */
#define LIMIT_CONTROL_CLIENTS   256
#define LIMIT_CONTROL_RESERVED  32
#define LIMIT_CONTROL_PER_USER  64
#define LIMIT_CONTROL_SILENT_NS (60 * 1000 * 1000 * 1000LL)
/* Bytes of one reply (a status of LIMIT_ROWS programs), and so the most that a connection may have
 * unsent, as nothing more is done for it then; of all connections of other users together. */
#define LIMIT_CONTROL_QUEUE  (16 * 1024 * 1024)
#define LIMIT_CONTROL_UNSENT (64 * 1024 * 1024)
/* How long a client may ask to wait: a time from now on is a sum, which must be a number. */
#define LIMIT_TIMEOUT_MS (INT64_MAX / 1000000 / 2)
/* Lines that the shell of superctl remembers. */
#define LIMIT_SHELL_HISTORY 1000
/* Names or globs in one command. */
#define LIMIT_COMMAND_NAMES 1024

/* One of superctl run that has ended well is kept so long; numbers that its name may have. */
#define LIMIT_TRANSIENT_KEEP_NS (10 * 1000 * 1000 * 1000LL)
#define LIMIT_TRANSIENT_NUMBER  100000

/* Configuration: one file, all files, their number, nesting of includes and of sections, a word. */
#define LIMIT_CONFIG_FILE_BYTES (1024 * 1024)
#define LIMIT_CONFIG_BYTES      (16 * 1024 * 1024)
#define LIMIT_CONFIG_FILES      4096
#define LIMIT_CONFIG_INCLUDES   8
#define LIMIT_CONFIG_DEPTH      8
#define LIMIT_CONFIG_WORD       4096
#define LIMIT_CONFIG_ERRORS     100
/* Words of a command, entries of an environment, names in a list. */
#define LIMIT_ARGV        1024
#define LIMIT_ENVIRONMENT 1024
#define LIMIT_LIST        256
/* Steps of a stop_sequence; descriptors a program may leave with us; bytes of its status text with
 * the NUL. */
#define LIMIT_STOP_STEPS  8
#define LIMIT_FDSTORE     64
#define LIMIT_STATUS_TEXT 128
/* Sockets, addresses of one, and those that one program may get. */
#define LIMIT_SOCKETS         1024
#define LIMIT_LISTEN          32
#define LIMIT_PROGRAM_SOCKETS 64
/* Connections that are accepted of one socket before everything else has its turn. */
#define LIMIT_ACCEPT_BATCH 16
/* Groups, and how deep they may contain each other. */
#define LIMIT_GROUPS      1024
#define LIMIT_GROUP_DEPTH 8
/* Names in the groups and lists of programs of a configuration, groups taken apart. */
#define LIMIT_LINKS (64 * LIMIT_ROWS)
/* Bytes of one sd_notify(3) datagram, datagrams read from one program in a wake-up, and those that
 * may be waiting: more than net.unix.max_dgram_qlen anywhere (512 with systemd). */
#define LIMIT_NOTIFY_BYTES 4096
#define LIMIT_NOTIFY_BATCH 16
#define LIMIT_NOTIFY_QUEUE 1024
/* Lines of the daemon's own log about what a program sends, in so many seconds: it may send without
 * end. */
#define LIMIT_NOTIFY_LINES   20
#define LIMIT_NOTIFY_LINES_S 10
/* Processes of a run that are looked at one by one, where it is not enough to count them; of a
 * cgroup that are listed at once; from a process up to the guardian's child that it came of;
 * cgroups in cgroups that a program may make for us to list them (cgroup.kill goes deeper). */
#define LIMIT_RUN_LOOK     256
#define LIMIT_CGROUP_CHUNK 512
#define LIMIT_ANCESTORS    256
#define LIMIT_CGROUP_DEPTH 16
/* Leaves whose cgroup.events stays open after a look. */
#define LIMIT_CGROUP_LOOKS 128
/* Bytes of a user's entry in the user database, and groups of a user: what setgroups(2) takes. */
#define LIMIT_USER_BYTES  (1024 * 1024)
#define LIMIT_USER_GROUPS 65536
/* Bytes read of an answer to an HTTP check; of a log line that is matched; of log in one look. */
#define LIMIT_CHECK_REPLY    4096
#define LIMIT_CHECK_LINE     8192
#define LIMIT_CHECK_LOG_READ (256 * 1024)
/* What is done with files (looks, opens) and their file systems have not answered yet. */
#define LIMIT_FILE_LOOKS 64
/* Bytes that such a look reads: of a pid file. */
#define LIMIT_FILE_LOOK_TEXT 33
/* How long a start waits for an answer; whoever asks again later waits LIMIT_FILE_AGAIN_S. */
#define LIMIT_FILE_WAIT_MS 200
#define LIMIT_FILE_AGAIN_S 5
/* File systems that others serve whose places are known; beyond that any path may be on one. */
#define LIMIT_SERVED_MOUNTS 64
/* Directories of dead instances that are remembered because they still have processes. */
#define LIMIT_OLD_CGROUPS 16
/* Starts remembered by a start limit. */
#define LIMIT_START_LIMIT 1000

/* Processes that the engine starts for calls that may wait, of one kind; those of superctl doctor,
 * and how long one of these may take, in seconds. */
#define LIMIT_HELPERS  32
#define LIMIT_DOCTORS  4
#define LIMIT_DOCTOR_S 120
/* How long a client waits to be told whether the files differ from what is applied, before it is
 * answered without that; how long the process that looks may take, in seconds. */
#define LIMIT_DRIFT_WAIT_MS 100
#define LIMIT_DRIFT_S       60
/* What an apply of some programs leaves as it is, and is told. */
#define LIMIT_DRAFT_LEFT 32
/* Events that are remembered, a power of two; ended runs of an instance; runs whose last words are,
 * of all; stanzas that applies have changed; names of instances that are gone and still stand in
 * events.  (tests/sim has fewer of them, too.) */
#ifndef LIMIT_EVENTS
#define LIMIT_EVENTS     4096
#define LIMIT_RUNS       16
#define LIMIT_LAST_WORDS 512
#define LIMIT_CHANGES    2048
#endif
/* Bytes of the names of the keys that an apply changed of a stanza, with the NUL. */
#define LIMIT_CHANGED_KEYS 104
#define LIMIT_FORMER_NAMES 256
/* Events in one reply. */
#define LIMIT_EVENT_BATCH 256
/* Bytes of a run's last words; runs of programs that are restarted whose last words are asked for
 * in a second (those of one that is left alone always are). */
#define LIMIT_LAST_WORDS_BYTES 400
#define LIMIT_LAST_WORDS_RATE  20

/* One message on a worker's IPC channel, without its newline, and nesting of its JSON.  A longer
 * one is left out, which is said. */
#define LIMIT_IPC_LINE  (64 * 1024)
#define LIMIT_IPC_DEPTH 32
/* The last messages of a program, in bytes: at least one; clients that follow them. */
#define LIMIT_IPC_RING      (128 * 1024)
#define LIMIT_IPC_FOLLOWERS 8
/* Read from one channel before the others are looked at. */
#define LIMIT_IPC_BUDGET (256 * 1024)
/* A program's terminal (tty = true): clients that are attached to it; bytes of output that are kept
 * for them, and of those the ones that a new one is shown; of one frame between them; that are
 * moved at once, which fit in the smallest pipe with one more. */
#define LIMIT_TTY_CLIENTS 16
#define LIMIT_TTY_RING    (64 * 1024)
#define LIMIT_TTY_REPLAY  (16 * 1024)
#define LIMIT_TTY_FRAME   4096
#define LIMIT_TTY_CHUNK   4095
/* Bytes of a sentence of news for them. */
#define LIMIT_TTY_NEWS 400
/* Keys that detach, in a row. */
#define LIMIT_DETACH_KEYS 8
/* A cluster: its workers; its listening sockets (bits of a uint64_t); bytes of the name and of the
 * data (keys of TLS tickets) of one; replies with a socket that wait for the one before;
 * descriptors accepted in a row. */
#define LIMIT_CLUSTER_WORKERS   128
#define LIMIT_CLUSTER_LISTENERS 64
#define LIMIT_CLUSTER_KEY       256
#define LIMIT_CLUSTER_DATA      1024
#define LIMIT_CLUSTER_OWED      LIMIT_CLUSTER_LISTENERS
#define LIMIT_CLUSTER_BATCH     64
/* What a cluster may listen to, in its stanza. */
#define LIMIT_CLUSTER_ALLOWED 64
/* Refused by every worker: offered again after so long.  Not answered for so long: stuck, and the
 * engine is told. */
#define LIMIT_CLUSTER_REFUSED_NS (20 * 1000 * 1000LL)
#define LIMIT_CLUSTER_STUCK_NS   (10 * 1000 * 1000 * 1000LL)

/* Log readers (superctl logs) served at once; those that only root and the daemon's user may have,
 * and those of one other user; and what one request may ask for. */
#define LIMIT_LOG_READERS          128
#define LIMIT_LOG_READERS_RESERVED 16
#define LIMIT_LOG_READERS_PER_USER 32
#define LIMIT_LOG_LINES            1000000
/* Logs that one superctl logs reads at once; bytes of a line that it waits for the end of; bytes of
 * lines that it keeps of one log when it looks for the last ones that match. */
#define LIMIT_LOG_SOURCES    100
#define LIMIT_LOG_SHOWN_LINE (1024 * 1024)
#define LIMIT_LOG_TAIL       (64 * 1024 * 1024)
/* Bytes read at once of a compressed archive, and the most that zstd may need to look back, as a
 * power of two: what every level up to 9 writes by itself. */
#define LIMIT_LOG_UNPACK        (16 * 1024)
#define LIMIT_LOG_UNPACK_WINDOW 23
/* Bytes of a place in a log as a reader is told it, with its NUL. */
#define LIMIT_LOG_PLACE 128
/* Archives of one log. */
#define LIMIT_LOG_KEEP 1000
/* Bytes moved from one pipe before the logger looks at the others. */
#define LIMIT_LOG_BUDGET (256 * 1024)
/* Bytes looked at in a pipe whose file is shared; and how long a line that has begun is waited for,
 * first in its pipe, then in the file. */
#define LIMIT_LOG_LOOK    (64 * 1024)
#define LIMIT_LOG_HOLD_NS (2 * 1000 * 1000 * 1000LL)
/* After how long a pipe with an unfinished line is first looked at again without an event. */
#define LIMIT_LOG_AGAIN_NS (1000 * 1000LL)
/* How long the logger lets the lines of a program that writes without end gather. */
#define LIMIT_LOG_REST_US 200
/* After how long a file that cannot be written is tried again, at most, when the guardian is gone;
 * with what has come before that is a minute. */
#define LIMIT_LOG_ALONE_NS (32 * 1000 * 1000 * 1000LL)
/* Pipes of programs that are gone and whose file cannot be written. */
#define LIMIT_LOG_ORPHANS 256
/* Bytes of a line that is written whole where log_line_max is not set, and the most to be set. */
#define LIMIT_LOG_LINE     (64 * 1024)
#define LIMIT_LOG_LINE_MAX (256 * 1024)
/* log_memory where it is not set, and the least to be set. */
#define LIMIT_LOG_MEMORY     (8 * 1000 * 1000)
#define LIMIT_LOG_MEMORY_MIN (4 * 1000 * 1000)
/* The last output of a stream without a file, in memory: at most, and at least where there is any.
 */
#define LIMIT_LOG_RING     (64 * 1024)
#define LIMIT_LOG_RING_MIN (4 * 1024)
/* Size of the pipe of a program that fills one. */
#define LIMIT_LOG_PIPE (256 * 1024)
/* Troubles of logs that become events, in a second. */
#define LIMIT_LOG_NEWS_RATE 20
/* Targets of one stream. */
#define LIMIT_LOG_TARGETS 16
/* Text of one message to syslog: a longer line becomes several.  Seconds that a receiver may take
 * nothing before it counts as away, and that it is left alone for then, at most. */
#define LIMIT_LOG_MESSAGE    (8 * 1024)
#define LIMIT_LOG_PATIENCE_S 10
#define LIMIT_LOG_AWAY_S     30
/* Bytes of log text in one reply of several, and in a single one. */
#define LIMIT_LOG_BLOCK (32 * 1024)
#define LIMIT_LOG_REPLY (512 * 1024)

/*
 * hello.  Read at once from a connection; the head of a request; one line of chunked framing; a
 * declared body; answers waiting for slow readers, of all connections together; connections (the
 * default and the most that may be asked for); listening sockets; accepted in one wake-up.
 */
#define LIMIT_HELLO_READ            8192
#define LIMIT_HELLO_IPC             8192 /* one message on its IPC channel */
#define LIMIT_HELLO_HEAD            16384
#define LIMIT_HELLO_CHUNK_LINE      256
#define LIMIT_HELLO_BODY            1048576
#define LIMIT_HELLO_PENDING         16777216
#define LIMIT_HELLO_CONNECTIONS     1024
#define LIMIT_HELLO_CONNECTIONS_MAX 65536
#define LIMIT_HELLO_LISTENERS       16
#define LIMIT_HELLO_ACCEPT_BATCH    32

#endif
