/* SPDX-License-Identifier: ISC */
/*
 * ringplace.h: where a reader stands in the memory of a stream that has no file (ring.h), and what
 * it reads there: lines in the form of log_format = stamp, because a ring knows their times and
 * runs.
 *
 * A place as text names the logger's life too: a new logger begins with empty rings, and a place in
 * one of before is answered with all there is and the word that lines may be missing.
 */
#ifndef LOGGER_RINGPLACE_H
#define LOGGER_RINGPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/jsonw.h"
#include "supervisord/logger/form.h"
#include "supervisord/logger/place.h"
#include "supervisord/logger/ring.h"

struct ringplace {
	uint64_t position; /* of a record */
	uint64_t skip;     /* lines at its beginning that are not wanted */
};

/* Before the last so many lines, as far as they are there. */
void ringplace_seek_lines(struct ringplace *place, const struct ring *ring, uint64_t lines);

/* At the first record of this time or later. */
void ringplace_seek_time(struct ringplace *place, const struct ring *ring, int64_t wall_ns);

/* Where ringplace_format() was; `life`: of this logger.  -EINVAL: it is no such place. */
int ringplace_seek_text(struct ringplace *place, const struct ring *ring, uint64_t life,
    const char *text, enum place_loss *ret_loss);

/* `size` of LIMIT_LOG_PLACE is enough.  Returns `buffer`. */
const char *ringplace_format(
    const struct ringplace *place, uint64_t life, char *buffer, size_t size);

/*
 * Add the lines of the next record to `out`; at the end or at position `end`: false.  *ret_loss is
 * set when records before it were overwritten, else left alone.
 */
bool ringplace_read(struct ringplace *place, const struct ring *ring, uint64_t end,
    const char *name, uint16_t stream, struct jsonw *out, enum place_loss *ret_loss);

#endif
