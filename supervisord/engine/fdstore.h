/* SPDX-License-Identifier: ISC */
/*
 * fdstore.h: descriptors that a program leaves with us (FDSTORE=1 of sd_notify(3)) and gets back in
 * its next run as LISTEN_FDS (sd_listen_fds(3)).
 *
 * The guardian holds them, so they outlive the engine: HELD_STORE with an index each, and one
 * HELD_STORE_NAMES, a sealed memfd with a line "INDEX NAME" each.  Names are handed over before the
 * descriptor that they name and taken away after it, so an engine killed in between leaves a name
 * too many, which is nothing, and never a descriptor under a wrong name.
 */
#ifndef ENGINE_FDSTORE_H
#define ENGINE_FDSTORE_H

#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/launch.h"
#include "supervisord/engine/slots.h"

/* The number of the first descriptor that LISTEN_FDS tells of (SD_LISTEN_FDS_START). */
#define FDSTORE_FIRST 3

struct fdstore_entry {
	int slot;   /* -1: free */
	char *name; /* ours; NULL: that of descriptors without a name */
};

struct fdstore {
	struct slots *slots; /* borrowed */
	int row;
	size_t count;
	int names_slot;      /* -1: none */
	uint16_t generation; /* of the names: the later of two counts */
	struct fdstore_entry entries[LIMIT_FDSTORE];
};

void fdstore_init(struct fdstore *store, struct slots *slots, int row);

/* A slot of a previous engine under a key of HELD_STORE or HELD_STORE_NAMES.  Takes the slot. */
void fdstore_adopt(struct fdstore *store, uint64_t key, int slot);

/*
 * Store `fd` under `name` ("": none); takes the descriptor on success.  -EEXIST: it is there
 * already.  -ENOSPC: there are `most` already.  Or another -errno.
 */
int fdstore_add(struct fdstore *store, int fd, const char *name, size_t most);

/* Let go of those of this name; returns how many there were. */
size_t fdstore_remove(struct fdstore *store, const char *name);

/* Let go of all. */
void fdstore_clear(struct fdstore *store);

/*
 * Give the first `most` descriptors the numbers `first` and up: writes them to `list` and returns
 * how many there are.  They stay ours.
 */
size_t fdstore_list(const struct fdstore *store, struct launch_fd *list, int first, size_t most);

/* Their names in the same order, joined by ":"; to be freed, NULL when out of memory. */
char *fdstore_names(const struct fdstore *store, size_t most);

#endif
