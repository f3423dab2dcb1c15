/* SPDX-License-Identifier: ISC */
/*
 * state.h: what the primary of a cluster must not forget when it is killed.
 *
 * A memfd that the guardian holds for it, mapped.  All facts about workers and listeners are here
 * and nowhere else; the process has only descriptors besides, which the engine gives it again.  So
 * a new primary goes on where the last one was killed: what a worker has said stays in its inbox
 * until it has been dealt with, and to deal with it twice does no harm.
 *
 * Not kept: connections that were accepted and not yet handed over, or handed over and not yet
 * answered for.  The latter the worker has, so they are lost only if it refuses or dies.
 */
#ifndef CLUSTER_STATE_H
#define CLUSTER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/inbox.h"
#include "supervisord/cluster/bind.h"

#define STATE_MAGIC   0x636c7573746572ULL
#define STATE_VERSION 3U

enum worker_phase {
	PHASE_NONE,    /* no run in this slot */
	PHASE_NEW,     /* has a channel, has said nothing */
	PHASE_ONLINE,  /* takes what it listens to */
	PHASE_GAP,     /* gets no more connections; disconnect follows at `deadline_ns` */
	PHASE_LEAVING, /* has been told, or has decided itself; finishes what it has */
	PHASE_CLOSED,  /* its channel is at its end */
};

struct owed {
	int64_t seq; /* of its query; 0: none */
	uint32_t listener;
};

/* Sets of listeners are bits: 1 << number. */
struct worker_state {
	uint64_t id; /* of the run */
	_Atomic uint32_t phase;
	bool listening_told; /* LINK_LISTENING */
	uint64_t member;     /* has been given */
	uint64_t listening;  /* has said so */
	uint64_t expected;   /* what the run before in this slot had listened to */
	int64_t gap_ns;
	int64_t deadline_ns; /* PHASE_GAP: of that; PHASE_CLOSED: of its patience */
	struct owed owed[LIMIT_CLUSTER_OWED]; /* replies with a socket, in order */
	struct inbox inbox;
};

enum listener_phase {
	LISTENER_NONE,
	LISTENER_ASKED, /* the engine, for its socket */
	LISTENER_OPEN,
};

struct listener_state {
	_Atomic uint32_t phase;
	bool shared;   /* the worker gets the socket, not its connections */
	bool per_slot; /* ... and each worker's slot has one of its own */
	uint8_t request_type;
	int32_t index;
	int32_t backlog;
	struct bind_place place;
	uint32_t data_length;
	char key[LIMIT_CLUSTER_KEY];
	char data[LIMIT_CLUSTER_DATA];
};

struct state {
	uint64_t magic;
	uint32_t version;
	uint32_t size;
	uint32_t mode;
	int64_t seq; /* of the last message; grows with each start past what was used */
	struct worker_state workers[LIMIT_CLUSTER_WORKERS];
	struct listener_state listeners[LIMIT_CLUSTER_LISTENERS];
};

/*
 * Map it; one that is new, or of another version or mode, is made empty.  Returns 0 or -errno;
 * *ret_is_new: nothing of what was there before is known.
 */
int state_open(int fd, uint32_t mode, struct state **ret_state, bool *ret_is_new);

#endif
