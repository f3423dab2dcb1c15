/* SPDX-License-Identifier: ISC */
/*
 * ring.h: the last output of a stream in memory, for streams that are written to no file, and the
 * one account of the memory that all of it may take (log_memory).
 *
 * A ring holds records: some whole lines (or a part of a long one) as the program wrote them, with
 * the time and the run.  Positions count up for ever and are never used twice, so a reader keeps
 * one and sees by itself that it was overtaken.  A new logger begins with empty rings: what they
 * had was never promised to survive.
 *
 * Policy: a ring begins with LIMIT_LOG_RING_MIN bytes and doubles up to LIMIT_LOG_RING while the
 * account has room.  When it has none for a new ring, the largest one is halved, down to the
 * minimum; when all are at the minimum, the new stream has no ring.  So the account is never
 * exceeded, by no number of streams.
 */
#ifndef LOGGER_RING_H
#define LOGGER_RING_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"

/* Most bytes of text in one record: a buffer of this size takes any. */
#define RING_RECORD_MAX (LIMIT_LOG_RING_MIN / 4)

/* Every ring, and the memory they have together. */
struct rings {
	LIST_HEAD(ring_list, ring) list;
	size_t limit;    /* of used + reserved */
	size_t reserved; /* taken by other buffers of the streams, see rings_set_limit() */
	size_t used;     /* by the rings */
};

struct ring {
	char *data; /* NULL: no memory yet, or none to be had */
	size_t size;
	uint64_t begin; /* position of the oldest record */
	uint64_t end;   /* … and of the next one */
	struct rings *rings;
	LIST_ENTRY(ring) link;
};

struct ring_record {
	int64_t wall_ns; /* when the logger took it */
	uint64_t run;
	uint64_t next; /* position of the record after it */
	size_t length;
};

void rings_init(struct rings *rings, size_t limit);

/* The account is `limit` bytes, of which `reserved` are somebody else's; rings shrink to fit. */
void rings_set_limit(struct rings *rings, size_t limit, size_t reserved);

void ring_init(struct ring *ring, struct rings *rings);
void ring_done(struct ring *ring);

/*
 * Add text; the oldest makes room.  Borrows it.  Without memory it is forgotten, and `end` moves
 * all the same.
 */
void ring_append(struct ring *ring, int64_t wall_ns, uint64_t run, const char *text, size_t length);

/*
 * The record at `position`, which is one that `begin`, `end` or a record's `next` had; the oldest
 * one when that has been overwritten meanwhile (ret_lost).  Returns false at the end, else fills
 * `ret_text`, of RING_RECORD_MAX bytes.
 */
bool ring_read(const struct ring *ring, uint64_t position, struct ring_record *ret_record,
    char *ret_text, bool *ret_lost);

#endif
