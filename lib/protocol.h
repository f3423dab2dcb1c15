/* SPDX-License-Identifier: ISC */
/*
 * protocol.h: what guardian, engine and logger say to each other.
 *
 * Every message is one SEQPACKET datagram (channel.h): a struct msg_head, an optional payload, and
 * descriptors.  All parties are of one build: a new engine is started by the guardian that is
 * running, so a change of meaning takes a new number and LEDGER_VERSION tells builds apart.
 *
 * Held descriptors.  What must outlive engine and logger is given to the guardian in a numbered
 * slot (the engine picks the slot, the guardian only stores it) under a 64-bit key.  The guardian
 * passes each slot on: all of them to a new engine, and the log kinds (held_is_for_logger()) to the
 * logger, now and after each restart of it.  So engine and logger find the same descriptors under
 * the same keys whoever died last, and no party ever waits for another one.
 */
#ifndef LIB_PROTOCOL_H
#define LIB_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"

/* Descriptors that the guardian leaves open in engine and logger at exec. */
enum {
	FD_GUARDIAN = 3, /* SEQPACKET to the guardian; a new pair for each start */
	FD_PEER = 4,     /* SEQPACKET engine <-> logger; one pair for the guardian's whole life */
	FD_LEDGER = 5,   /* the ledger's memfd; logger: read-only */
	FD_BELL = 6,     /* engine: eventfd, counts up when ledger.exited[] has news */
	FD_FIRST_UNUSED = 7,
};

enum msg_type {
	/* guardian -> engine, guardian -> logger */
	MSG_HELD = 1, /* slot, key, one descriptor: the slot now holds this */
	MSG_RELEASED, /* slot, key.  To the logger: drain, close, answer MSG_DRAINED; to a new
			 engine: not free yet */
	MSG_HELD_END, /* to a new engine: these were all */
	/* guardian -> engine */
	MSG_RELOAD,   /* as `superctl apply`; SIGHUP */
	MSG_SHUTDOWN, /* stop everything in order, then MSG_DONE */
	/* guardian -> logger */
	MSG_FINISH, /* everything has ended: drain, close, exit 0 */
	/* engine -> guardian */
	MSG_HOLD = 32, /* slot, key, one descriptor: keep it; replaces what the slot held */
	MSG_RELEASE,   /* slot: close it */
	MSG_READY,   /* the control socket serves and every held descriptor is adopted; value: 1 in
			safe mode */
	MSG_DONE,    /* shutdown is complete; value: exit code of supervisord */
	MSG_REFUSED, /* cannot start (it said why on stderr); value: exit code */
	/* logger -> guardian, and on to the engine */
	MSG_DRAINED = 48, /* slot, key: what a released pipe still had is written */
	/* engine -> logger */
	MSG_READ_LOG = 64, /* one descriptor: a client's connection; payload: struct msg_read_log */
	MSG_LOG_ROTATE,    /* likewise, payload: struct msg_log_act; see logger/logact.h */
	MSG_LOG_REOPEN,
	MSG_LOG_CLEAR,
	MSG_LAST_WORDS, /* payload: struct msg_last_words; answered when the logger comes to it */
	/* logger -> engine */
	MSG_LAST_WORDS_ARE, /* key: the row, value: the run */
	MSG_LOG_NEWS,       /* slot: enum log_news, key: of HELD_LOG_READ, value: see there */
};

/* What the engine turns into an event, beside what the logger says in the daemon's own log.  At
 * most LIMIT_LOG_NEWS_RATE a second: what is more, or finds no room, is only said there. */
enum log_news {
	LOG_NEWS_STARTED = 1, /* value: how many loggers there were; about no stream */
	LOG_NEWS_WAITS,       /* it cannot be written, and waits; value: errno */
	LOG_NEWS_DROPS,       /* likewise, and is dropped */
	LOG_NEWS_AGAIN,       /* it is written again */
	LOG_NEWS_DROPPED,     /* so many lines were; value */
	LOG_NEWS_LOST,        /* so many bytes that nobody could write; value */
};

struct msg_head {
	uint32_t type;
	uint32_t slot;
	uint64_t key;
	int64_t value;
};

/* A client wants to read a log; the logger answers on the connection itself, in Varlink. */
struct msg_read_log {
	uint32_t row;               /* or LOGSPEC_ROW_OWN */
	uint16_t stream;            /* 0 stdout, 1 stderr */
	uint8_t follow;             /* go on after the end */
	uint8_t more;               /* the call said "more": several replies are allowed */
	uint64_t lines;             /* last so many first; UINT64_MAX: all there is */
	int64_t since_ns;           /* not 0: not the last lines, but from this time on, by files */
	char from[LIMIT_LOG_PLACE]; /* not "": on from here, see logger/place.h; NUL-terminated */
};

/* What did a run write last, now that it has ended? */
struct msg_last_words {
	uint32_t row;
	uint16_t stream;
	uint64_t run;
};

/* A client wants something done to the logs of a program; the logger answers it likewise. */
struct msg_log_act {
	uint32_t row;     /* or LOGSPEC_ROW_OWN */
	uint16_t streams; /* bit 0: stdout, bit 1: stderr; of those that have no log none is done */
};

/* Kinds of held descriptors.  Kinds below HELD_SINGLE_MAX exist once, in the slot of their number.
 */
enum held_kind {
	HELD_NONE = 0,
	HELD_LOCK,      /* flock of the instance */
	HELD_CONTROL,   /* listening control socket */
	HELD_CONFIG,    /* memfd: applied configuration, as text */
	HELD_LOG_SPECS, /* memfd: logspec.h; for the logger too */
	HELD_OWN_READ,  /* pipe of the daemon's own messages; for the logger too */
	HELD_OWN_WRITE,
	HELD_HISTORY, /* memfd: engine/history.h */
	HELD_TRIAL,   /* memfd: the configuration from before, engine/trial.h */
	HELD_SINGLE_MAX = 16,
	HELD_LOG_READ = 16, /* row, stream: a program's stdout or stderr; for the logger too */
	HELD_LOG_WRITE,     /* its other end, for the next run */
	HELD_STDIN_READ,   /* row: pipe to a program's stdin, from `stdout = program:NAME` elsewhere
			    */
	HELD_STDIN_WRITE,  /* for the logger too: it may be one of several that write there */
	HELD_NOTIFY,       /* row: its sd_notify(3) socket */
	HELD_READY_READ,   /* row: ready = "fd:N", our end of the present run's pipe */
	HELD_STORE,        /* row, index: a descriptor that the program left with FDSTORE=1 */
	HELD_IPC,          /* row: our end of the present run's IPC channel */
	HELD_CLUSTER_LINK, /* row of a cluster's primary: our end of the link to it */
	HELD_CLUSTER_STATE,  /* likewise: memfd, cluster/state.h */
	HELD_CLUSTER_SOCKET, /* likewise, which: a listening socket */
	HELD_IPC_STATE,      /* row: memfd, what came on it (engine/ipc.c) */
	HELD_STORE_NAMES,    /* row: memfd, the FDNAMEs: lines "INDEX NAME" */
	HELD_SOCKET,     /* one address of a socket; the rest of the key is its hash (sockets.h) */
	HELD_TTY_MASTER, /* row: of the program's pseudo terminal (lib/ttylink.h), as the next */
	HELD_TTY_PIPE,   /* what its relay has taken from it and not passed on */
	HELD_TTY_STATE,  /* memfd, terminal/state.h */
	HELD_TTY_LINK,   /* our end of the link to the relay */
};

static inline uint64_t held_key(enum held_kind kind, uint32_t row, uint16_t stream)
{
	return (uint64_t)kind << 48 | (uint64_t)stream << 32 | row;
}

static inline enum held_kind held_key_kind(uint64_t key)
{
	return (enum held_kind)(key >> 48);
}

static inline uint16_t held_key_stream(uint64_t key)
{
	return (uint16_t)(key >> 32);
}

static inline uint32_t held_key_row(uint64_t key)
{
	return (uint32_t)key;
}

static inline bool held_is_for_logger(uint64_t key)
{
	enum held_kind kind = held_key_kind(key);

	return kind == HELD_LOG_READ || kind == HELD_LOG_SPECS || kind == HELD_OWN_READ ||
	       kind == HELD_STDIN_WRITE;
}

/* Exit codes of engine and logger that the guardian tells from a crash. */
enum {
	EXIT_AGAIN = 75,   /* EX_TEMPFAIL; the logger: a new one may do what this one may not */
	EXIT_REFUSED = 78, /* EX_CONFIG of sysexits(3): it will not get better by trying again */
};

#endif
