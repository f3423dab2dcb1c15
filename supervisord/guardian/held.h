/* SPDX-License-Identifier: ISC */
/*
 * held.h: the descriptors that outlive engine and logger.
 *
 * A fixed table of slots, a key and a descriptor each; see protocol.h for the keys.  Each slot
 * knows which of the two still has to be told about it, so the table is its own queue: a peer that
 * is slow, dead or not yet born costs no memory and blocks nobody.
 */
#ifndef GUARDIAN_HELD_H
#define GUARDIAN_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"

enum held_peer { HELD_ENGINE, HELD_LOGGER, HELD_PEERS };

/* Who has to be told what of a slot. */
enum held_due {
	HELD_DUE_ENGINE = 1 << HELD_ENGINE, /* MSG_HELD */
	HELD_DUE_LOGGER = 1 << HELD_LOGGER, /* MSG_HELD */
	HELD_DUE_RELEASE = 1 << HELD_PEERS, /* to the logger, after it: MSG_RELEASED */
};

struct held_slot {
	uint64_t key; /* 0: free */
	int32_t fd;
	uint8_t due;
	bool released; /* the engine let go; kept until the logger has written what is in it */
};

struct held {
	uint32_t high;               /* slots at and past this index were never used */
	uint32_t cursor[HELD_PEERS]; /* slots before it have nothing pending for the peer */
	struct held_slot slots[LIMIT_HELD];
};

/*
 * Keep `fd` in `slot`; takes the descriptor on success, closes what the slot held.  -EINVAL: no
 * such slot.  -EBUSY: what it held is not drained yet.
 */
int held_put(struct held *held, uint32_t slot, uint64_t key, int fd);

/*
 * The engine needs it no more.  A pipe of the logger's is kept until held_note_drained(), since
 * what a program said last may still be in it; everything else is closed.
 */
int held_release(struct held *held, uint32_t slot);

/* The logger has written what was in a released pipe: close it. */
void held_note_drained(struct held *held, uint32_t slot, uint64_t key);

/* A peer was (re)started: it has to be told everything that is for it. */
void held_restart_peer(struct held *held, enum held_peer peer);

/*
 * Send what is pending to the peer on `channel`, without waiting.  Returns 0 when all is sent,
 * -EAGAIN when the rest must wait until the channel is writable, another -errno when the channel is
 * broken.
 */
int held_deliver(struct held *held, enum held_peer peer, int channel);

#endif
