/* SPDX-License-Identifier: ISC */
/*
 * cluster.h: the one context of a cluster's primary.
 *
 * The primary of Node's cluster module, for the workers of one program: they ask it for their
 * listening sockets, and it gives them, or accepts on them and deals the connections out.  It
 * starts nobody and ends nobody, that is the engine's; facts are in the shared state (state.h),
 * descriptors and what is on its way here.
 */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/clusterlink.h"
#include "lib/jsonw.h"
#include "lib/listenrule.h"
#include "supervisord/cluster/request.h"
#include "supervisord/cluster/state.h"

/* How connections come to workers; the words are those of the stanza. */
#define CLUSTER_MODES(X)                                                                           \
	X(ROUND_ROBIN, "round-robin")                                                              \
	X(SHARED, "shared")                                                                        \
	X(REUSE_PORT, "reuse-port")

#define CLUSTER_ENUM(name, text) MODE_##name,
enum cluster_mode { CLUSTER_MODES(CLUSTER_ENUM) };

/* One that a worker has been offered and has not answered for. */
struct offer {
	int fd; /* kept until it answers; -1: none */
	int64_t seq;
	int64_t since_ns;
};

/* The one socket on its way to a worker that has not ACKed it. */
struct handle {
	int64_t seq; /* 0: none */
	uint32_t listener;
	bool is_reply; /* to a query; else an offer */
	int64_t ack;   /* is_reply */
	unsigned nacks;
};

struct worker {
	uint32_t slot;
	struct worker_state *state;
	int fd; /* its channel, ours; -1: none */
	struct inbox_view inbox;
	bool readable; /* there may be something to read */
	bool ended;    /* nothing more comes */
	bool blocked;  /* its first line waits for something */
	bool full;     /* its channel takes nothing now */
	bool watched;  /* for room in it */
	bool retry;    /* what could not be sent is to be tried again, without a sign from it */
	bool stuck;
	bool gap_told;  /* PHASE_GAP: by this process */
	int bind_error; /* what the engine said to what it waits for; 0: nothing yet */
	int64_t asked_ns;   /* since when it waits for a socket of the engine; 0: it does not */
	uint32_t asked_for; /* ... the listener */
	uint32_t due;   /* of what the engine has to be told, bits: see link.h */
	struct handle handle;
	struct offer offers[LIMIT_CLUSTER_LISTENERS];
};

struct listener {
	uint32_t number;
	struct listener_state *state;
	int fd;                /* -1: none, or one a slot */
	int *slot_fds;         /* per_slot: LIMIT_CLUSTER_WORKERS of them, else NULL */
	uint64_t orphans[2];   /* slots whose socket no worker has: they are accepted on here */
	uint32_t next_orphan;
	bool hold_due;         /* the engine had no room for its descriptors */
	bool ready;            /* there may be something to accept */
	uint32_t next;         /* whose turn it is */
	uint32_t refusals;     /* in a row */
	int64_t rest_until_ns; /* all have refused, or accept(2) could not; 0: no */
	unsigned waiting_count;
	int waiting[LIMIT_CLUSTER_WORKERS]; /* accepted, and not taken by a worker */
};

struct cluster_options {
	enum cluster_mode mode;
	unsigned privileged; /* ports below */
	int64_t patience_ns; /* with a worker that does not take what it is offered */
	size_t rule_count;
	struct listen_rule rules[LIMIT_CLUSTER_ALLOWED];
};

struct cluster {
	const struct cluster_options *options;
	struct state *state;
	int epoll;
	bool given; /* LINK_GIVEN */
	bool link_full;
	int64_t deadline_ns; /* the next look at what takes time; INT64_MAX: none */
	uint64_t deal_due;   /* listeners that may have something for somebody now */
	struct worker *workers[LIMIT_CLUSTER_WORKERS];
	struct listener *listeners[LIMIT_CLUSTER_LISTENERS];
	struct jsonw line;
	struct request_reader reader;
	char payload[LIMIT_IPC_LINE]; /* of a message on the link */
};

/* What epoll tells, in its data: kind << 32 | number. */
enum watch_kind { WATCH_LINK, WATCH_WORKER, WATCH_LISTENER };

/* Returns the exit status; when the link is at its end. */
int cluster_run(const struct cluster_options *options);

/* Look again at what takes time no later than this. */
void cluster_arm(struct cluster *cluster, int64_t deadline_ns);

/* A number for a message; never one that was used, by whichever process. */
int64_t cluster_next_seq(struct cluster *cluster);

int cluster_watch(struct cluster *cluster, enum watch_kind kind, uint32_t number, int fd,
    uint32_t events, bool is_new);

/* Before it is closed: the guardian has a copy, so closing alone would not do it. */
void cluster_unwatch(const struct cluster *cluster, int fd);

#endif
