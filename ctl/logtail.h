/* SPDX-License-Identifier: ISC */
/*
 * logtail.h: the last so many lines of a longer sequence, by copy.  Used where the daemon cannot
 * look for them, because superctl decides which lines count.
 */
#ifndef CTL_LOGTAIL_H
#define CTL_LOGTAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"

struct logtail_line {
	char *bytes;
	size_t length;
	bool is_note;
};

struct logtail {
	struct logtail_line *lines; /* a ring … */
	size_t size;                /* … of so many places */
	size_t first;
	size_t count;
	uint64_t most; /* lines */
	size_t bytes;  /* of all of them */
	bool is_cut;   /* lines were left out although they are among the last: LIMIT_LOG_TAIL */
};

void logtail_init(struct logtail *tail, uint64_t most);
void logtail_done(struct logtail *tail);

/* Add one at the end; the first makes room.  Borrows the bytes.  0 or -ENOMEM. */
int logtail_add(struct logtail *tail, const char *bytes, size_t length, bool is_note);

/* Take the first: true, and the caller frees its bytes; or false. */
bool logtail_take(struct logtail *tail, struct logtail_line *ret_line);

#endif
