/* SPDX-License-Identifier: ISC */
/*
 * slots.h: the engine's side of the descriptors that the guardian holds.
 *
 * Remembers which slot holds which key, picks free slots, and keeps the engine's own copy of each
 * descriptor that it needs itself.  A descriptor is handed over before it is used: what a program
 * depends on is held before the program is launched.
 */
#ifndef ENGINE_SLOTS_H
#define ENGINE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/channel.h"

struct slot {
	uint64_t key;  /* 0: free */
	int fd;        /* our copy, -1 when we need none */
	bool draining; /* released, but the logger still has to write what is in it */
};

struct slots {
	int channel; /* to the guardian; borrowed */
	struct slot *list;
	size_t count; /* slots in use are below */
	size_t size;
	size_t used;     /* slots that hold something */
	size_t capacity; /* that the guardian can hold */
	size_t next;     /* no free one below */
};

/* Receive everything the guardian holds, until it says that this was all.  Blocks.  0 or -errno. */
int slots_receive(struct slots *slots, int channel);
void slots_done(struct slots *slots);

/* Slot of a key, or -1. */
int slots_find(const struct slots *slots, uint64_t key);

/* Our descriptor of a slot, or -1. */
int slots_get_fd(const struct slots *slots, int slot);

/*
 * Hand `fd` to the guardian under `key` and keep it here too; takes it on success.  A key of a kind
 * that exists once replaces what its slot held; for the others the caller knows its slot.  Returns
 * the slot or -errno.
 */
int slots_hold(struct slots *slots, uint64_t key, int fd);

/* Drop our copy of a slot's descriptor; the guardian still holds it. */
void slots_forget_fd(struct slots *slots, int slot);

/* Both let go; of a log pipe, when slots_note_drained() says so. */
void slots_release(struct slots *slots, int slot);

/* MSG_DRAINED has come. */
void slots_note_drained(struct slots *slots, uint32_t slot, uint64_t key);

/* Whether a pipe of this row is still being written down: then the row must not name another
 * program. */
bool slots_is_draining(const struct slots *slots, int row);

#endif
