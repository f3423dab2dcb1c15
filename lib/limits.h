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

/* Descriptors held by the guardian for engine and logger. */
#define LIMIT_HELD 65536
/* Children reaped in one wake-up before the guardian looks at its other descriptors again. */
#define LIMIT_REAP_BATCH 64

/* Bytes of one internal message between guardian, engine and logger, and descriptors with it. */
#define LIMIT_MSG_BYTES 1024
#define LIMIT_MSG_FDS   4

/* One Varlink message in either direction, without its NUL; nesting of its JSON. */
#define LIMIT_VARLINK_BYTES (1024 * 1024)
#define LIMIT_VARLINK_DEPTH 32
/* Connections on the control socket, and unsent bytes a connection may pile up. */
#define LIMIT_CONTROL_CLIENTS 256
#define LIMIT_CONTROL_QUEUE   (8 * 1024 * 1024)
/* Names or globs in one command. */
#define LIMIT_COMMAND_NAMES 1024

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
/* Groups, and how deep they may contain each other. */
#define LIMIT_GROUPS      1024
#define LIMIT_GROUP_DEPTH 8
/* Bytes of one sd_notify(3) datagram, and datagrams read from one program in a wake-up. */
#define LIMIT_NOTIFY_BYTES 4096
#define LIMIT_NOTIFY_BATCH 16
/* Bytes read of an answer to an HTTP check; of a log line that is matched; of log in one look. */
#define LIMIT_CHECK_REPLY    4096
#define LIMIT_CHECK_LINE     8192
#define LIMIT_CHECK_LOG_READ (256 * 1024)
/* Starts remembered by a start limit. */
#define LIMIT_START_LIMIT 1000

/* Log readers (superctl logs) served at once, and what one request may ask for. */
#define LIMIT_LOG_READERS 64
#define LIMIT_LOG_LINES   1000000
/* Archives of one log. */
#define LIMIT_LOG_KEEP 1000
/* Bytes moved from one pipe before the logger looks at the others. */
#define LIMIT_LOG_BUDGET (256 * 1024)
/* Pipes of programs that are gone and whose file cannot be written. */
#define LIMIT_LOG_ORPHANS 256
/* Bytes of log text in one reply of several, and in a single one. */
#define LIMIT_LOG_BLOCK (64 * 1024)
#define LIMIT_LOG_REPLY (512 * 1024)

/*
 * hello.  Read at once from a connection; the head of a request; one line of chunked framing; a
 * declared body; answers waiting for slow readers, of all connections together; connections (the
 * default and the most that may be asked for); listening sockets; accepted in one wake-up.
 */
#define LIMIT_HELLO_READ            8192
#define LIMIT_HELLO_HEAD            16384
#define LIMIT_HELLO_CHUNK_LINE      256
#define LIMIT_HELLO_BODY            1048576
#define LIMIT_HELLO_PENDING         16777216
#define LIMIT_HELLO_CONNECTIONS     1024
#define LIMIT_HELLO_CONNECTIONS_MAX 65536
#define LIMIT_HELLO_LISTENERS       16
#define LIMIT_HELLO_ACCEPT_BATCH    32

#endif
