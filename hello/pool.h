/* SPDX-License-Identifier: ISC */
/*
 * pool.h: all connections, each in the list of the phase it is in.
 *
 * A phase has one duration, so a connection that enters it goes to the end of the list and the
 * lists are ordered by deadline by themselves: the next deadline is found by looking at the heads,
 * without a timer per connection, and no connections means no deadline.
 */
#ifndef HELLO_POOL_H
#define HELLO_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hello/request.h"
#include "hello/response.h"
#include "lib/limits.h"

/* What an epoll event is about: the first member of every struct that epoll points to. */
enum source_kind {
	SOURCE_CONNECTION,
	SOURCE_LISTENER,
	SOURCE_SIGNAL,
	SOURCE_IPC,
};

enum connection_phase {
	PHASE_FRESH,  /* accepted, no byte came yet */
	PHASE_HEAD,   /* in the head of a request */
	PHASE_BODY,   /* in its body */
	PHASE_WRITE,  /* answers wait until the peer reads; nothing is read meanwhile */
	PHASE_IDLE,   /* between requests */
	PHASE_LINGER, /* all is said; what the peer still sends is thrown away (RFC 9112 9.6) */
	PHASE_HUNG,   /* debug: no answer ever, no deadline */
	PHASES,
};

struct connection {
	enum source_kind source; /* SOURCE_CONNECTION */
	enum connection_phase phase;
	int fd;
	uint32_t interest; /* epoll events asked for */
	bool has_served;   /* a request was answered */
	bool closes;       /* the connection ends when the answers are out, ... */
	bool lingers;      /* ... after reading what still comes */
	bool hangs;
	int64_t deadline_ns;
	struct connection *next, *previous;
	char *pending; /* answers that the peer does not take yet */
	size_t pending_length, pending_sent;
	struct request request;
};

struct pool_settings {
	int64_t timeout_ns[PHASES]; /* 0: none */
	unsigned connections_max;
	bool is_debug;
};

/* Answers to everything one read can hold: the shortest request has more than 16 bytes. */
#define POOL_OUT (LIMIT_HELLO_READ / 16 * RESPONSE_BYTES)

/* The context of all connections. */
struct pool {
	struct pool_settings settings;
	int epoll_fd;
	int64_t now_ns; /* CLOCK_BOOTTIME of this wake-up */
	unsigned count;
	size_t pending_bytes; /* of all connections */
	bool is_draining;     /* every answer is the last one of its connection */
	bool has_exit;        /* debug: /exit was asked for, with ... */
	int exit_code;
	struct connection *first[PHASES], *last[PHASES];
	struct responses responses;
	char in[LIMIT_HELLO_READ];
	char out[POOL_OUT];
};

void pool_settings_init(struct pool_settings *settings);

void pool_init(struct pool *pool, const struct pool_settings *settings, int epoll_fd);

/* Takes over the descriptor on success.  -ENOMEM, or an error of epoll_ctl(2). */
int pool_add_take(struct pool *pool, int fd, struct connection **ret_connection);

/* Into another phase, or again into the same one: the deadline begins anew. */
void pool_move(struct pool *pool, struct connection *connection, enum connection_phase phase);

/* Closes and frees. */
void pool_drop(struct pool *pool, struct connection *connection);

void pool_drop_all(struct pool *pool);

bool pool_is_full(const struct pool *pool);

/* The nearest deadline, or INT64_MAX. */
int64_t pool_next_deadline(const struct pool *pool);

/* A connection whose deadline has passed, or NULL. */
struct connection *pool_find_expired(const struct pool *pool);

/* From now on, and for those in it, the phase lasts no longer than this. */
void pool_shorten(struct pool *pool, enum connection_phase phase, int64_t timeout_ns);

#endif
