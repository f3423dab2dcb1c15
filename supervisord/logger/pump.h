/* SPDX-License-Identifier: ISC */
/*
 * pump.h: the parts of one stream_pump(), for stream.c and share.c.
 */
#ifndef LOGGER_PUMP_H
#define LOGGER_PUMP_H

#include <sys/types.h>

#include "supervisord/logger/stream.h"

/* One call of stream_pump(). */
struct pump {
	struct stream *stream;
	struct stream_world *world;
	uint64_t size;  /* of the file */
	size_t budget;  /* what is left of it */
	bool displaced; /* see logfile_refresh() */
	bool dry;       /* a splice found less than it was to take */
};

/* Move up to `wanted` bytes.  Returns 0, or as pump_step(). */
int pump_splice(struct pump *pump, uint64_t wanted);

/* What the pipe will give next, without taking it, in world->look.  Up to `most` bytes; 0 at its
 * end, -EAGAIN when empty. */
ssize_t pump_look(const struct pump *pump, size_t most);

/* At the end of a line: is there another file to go to, and go there. */
bool pump_is_due(const struct pump *pump);
int pump_change_file(struct pump *pump);

#endif
