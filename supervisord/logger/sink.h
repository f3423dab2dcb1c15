/* SPDX-License-Identifier: ISC */
/*
 * sink.h: where lines go that are not (only) written to a file: a connection to syslog or to the
 * journal, supervisord's own output, another program's standard input.
 *
 * Streams with the same address share one sink.  Nothing waits: a sink takes a message, is full
 * (the streams that wait for it are told when it is not), or is away.  One that is away is tried
 * again after 1, 2, 4 … 30 seconds, one that stays full for LIMIT_LOG_PATIENCE_S counts as away.
 * A message is taken whole: what a byte stream leaves of one is kept here and goes first.
 */
#ifndef LOGGER_SINK_H
#define LOGGER_SINK_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/logger/ring.h"
#include "supervisord/logger/watch.h"

struct target;

enum sink_kind {
	SINK_UNIX, /* syslog's socket: datagrams, or a stream of messages that end with NUL */
	SINK_UDP,
	SINK_TCP,     /* octet counting of RFC 6587 */
	SINK_JOURNAL, /* datagrams */
	SINK_INHERIT, /* descriptor 1 or 2 */
	SINK_PROGRAM, /* the pipe to a program's standard input */
};

struct sink {
	struct watch watch; /* fd -1: away */
	LIST_ENTRY(sink) link;
	TAILQ_HEAD(sink_waiting, target) waiting;
	char *address; /* as in logspec.targets, "fd:1" for inherit */
	enum sink_kind kind;
	unsigned users;
	bool is_bytes;      /* a byte stream: messages need an end, and may be cut */
	bool is_connecting; /* not yet writable */
	bool told_away;
	int64_t stuck_ns; /* full or connecting since, 0: not */
	int64_t retry_ns; /* away until */
	int64_t delay_ns;
	char *rest; /* of a message that was sent in part */
	size_t rest_length;
	size_t rest_sent;
};

/* The write end of a program's standard input, as the guardian gave it. */
struct held_input {
	LIST_ENTRY(held_input) link;
	uint32_t slot;
	uint32_t row;
	int fd;
};

struct sinks {
	LIST_HEAD(sink_list, sink) list;
	LIST_HEAD(held_input_list, held_input) inputs;
	int epoll_fd;
	bool has_unused;
	int scratch[2];      /* empty pipe: how bytes get into somebody's pipe without waiting */
	struct rings *rings; /* the account that unsent rests are taken from */
};

/* Borrows `rings`.  Returns 0 or -errno. */
int sinks_init(struct sinks *sinks, int epoll_fd, struct rings *rings);

/* The sink of an address, made if need be; NULL: no memory, or not an address. */
struct sink *sinks_get(struct sinks *sinks, const char *address);

/* The user of sinks_get() needs it no more.  It goes with sinks_sweep(). */
void sinks_put(struct sinks *sinks, struct sink *sink);

/* Free those without users.  Only when no event of theirs can be pending. */
void sinks_sweep(struct sinks *sinks);

/* The guardian holds the standard input of a program.  Takes `fd` in any case. */
int sinks_hold_input_consume(struct sinks *sinks, uint32_t slot, uint32_t row, int fd);

/* … and not any more.  Returns whether that slot was one. */
bool sinks_release_input(struct sinks *sinks, uint32_t slot);

/*
 * Send a message (of lines: whole ones).  Returns 0: taken; -EAGAIN: full, sink_add_waiting() tells
 * when to go on; -ENOTCONN: away, it was lost.
 */
int sinks_send(struct sinks *sinks, struct sink *sink, const char *bytes, size_t length);

/* The target is told (sinks_run() returns it) once the sink can take more. */
void sink_add_waiting(struct sink *sink, struct target *target);
void sink_remove_waiting(struct target *target);

/* An event of a sink.  The targets that wait stay on `waiting`, for the caller to serve. */
void sinks_run(struct sinks *sinks, struct sink *sink);

/* Does the sink take lines as they are (and not messages of a protocol)? */
bool sink_takes_lines(const struct sink *sink);

#endif
