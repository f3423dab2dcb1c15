/* SPDX-License-Identifier: ISC */
/*
 * raw.h: a raw log whose bytes other targets look at first, or which may drop lines.
 *
 * Bytes still go from pipe to file by splice(2), so none is lost or there twice.  When the file
 * takes nothing and log_full is drop, they are let go of by lines, and the file says how many once
 * it can be written again: "[supervisord: 12 lines dropped]".
 */
#ifndef LOGGER_RAW_H
#define LOGGER_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/logger/stream.h"

struct raw {
	uint64_t dropped;           /* lines, not told yet */
	bool is_skipping;           /* the rest of a line whose beginning was dropped */
	int64_t retry_ns;           /* the file is not tried before */
	int error;                  /* why not; 0: it can be written */
	struct stream_world *world; /* borrowed */
	int null_fd;                /* borrowed: where dropped bytes go */
	bool waits;                 /* the file is shared, and somebody else's line is open */
};

/*
 * Move to the file what is in the pipe, as stream_pump() does; nothing is skipped or dropped.
 * *ret_told: bytes written before of what the logger has to say.
 */
enum stream_outcome raw_pump(
    struct raw *raw, struct stream *stream, size_t budget, size_t *ret_moved, size_t *ret_told);

/*
 * Take the first `length` bytes out of the pipe, which are `bytes`, to the file or by the policy.
 * Returns 0 or -errno: a pipe that is not what it was.  *ret_used: bytes taken, fewer when they
 * have to wait; *ret_moved: bytes that the file has more.
 */
int raw_take(struct raw *raw, struct stream *stream, const char *bytes, size_t length,
    size_t *ret_used, size_t *ret_moved);

/* Write what is to be said of dropped lines.  Sets raw->error. */
void raw_tell(struct raw *raw, struct stream *stream, size_t *ret_told);

/* Let go of the first bytes of a pipe.  Returns 0 or -errno. */
int raw_discard(int pipe_fd, int null_fd, size_t bytes);

#endif
