/* SPDX-License-Identifier: ISC */
/*
 * state.h: what outlives a relay that is killed: a memfd that the guardian holds.
 *
 * Bytes of a terminal may be anything, so unlike the lines of an inbox (lib/inbox.h) it cannot be
 * seen in the memory where they end.  But the kernel counts those in a pipe: each step (pump.c)
 * moves bytes into the held pipe or out of it, writes down first how many there were, and whoever
 * goes on finds out from what is in it now how far the step has come.
 */
#ifndef TERMINAL_STATE_H
#define TERMINAL_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"

#define STATE_MAGIC   0x79745453 /* "STty" */
#define STATE_VERSION 1

enum phase {
	PHASE_FILL,  /* from the terminal into the pipe, which is empty */
	PHASE_TAKE,  /* from the pipe, where `level` bytes were, into `raw` */
	PHASE_SHOW,  /* `raw` into the ring, behind `shown` */
	PHASE_PUT,   /* `raw` as the log has it, `put`, into the pipe, which was empty */
	PHASE_DRAIN, /* from the pipe to where the output goes */
};

/* All zero is an empty one. */
struct state {
	uint32_t magic;
	uint32_t version;
	uint32_t size;
	_Atomic uint32_t phase;
	uint32_t level;
	uint32_t raw_length;
	uint32_t put_length;
	uint32_t carry;       /* a CR is held back: what follows it decides (newline.h) */
	uint32_t carry_after; /* likewise, behind `raw` */
	uint32_t pad;
	uint64_t shown; /* bytes of output before `raw`, since the state is new */
	uint64_t total; /* bytes in the ring, those that were overwritten included */
	char raw[LIMIT_TTY_CHUNK];
	char put[LIMIT_TTY_CHUNK + 1];
	char ring[LIMIT_TTY_RING];
};

/* Map it; one that is of another make is emptied.  0 or -errno. */
int state_open(int fd, struct state **ret_state);

/* What was written before is there before the phase is. */
void state_set_phase(struct state *state, enum phase phase);
enum phase state_get_phase(const struct state *state);

#endif
