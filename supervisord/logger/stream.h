/* SPDX-License-Identifier: ISC */
/*
 * stream.h: one pipe and the file it is written to.
 *
 * Bytes go from pipe to file by splice(2): the kernel takes them out of the pipe when they are in
 * the file, and there is no instruction at which a killed logger holds bytes that are in neither,
 * or leaves them in both.  Nothing is ever read into memory but a look (tee(2)) for the end of a
 * line at rotation.
 *
 * Rotation is on whole lines: blindly up to max_bytes, then exactly to the next newline, and the
 * files are shifted when there is something to write to the new one.  Only a line that is itself
 * longer than max_bytes is split, so that a file never exceeds twice its limit.
 */
#ifndef LOGGER_STREAM_H
#define LOGGER_STREAM_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"
#include "lib/logspec.h"
#include "supervisord/logger/logfile.h"
#include "supervisord/logger/watch.h"

struct copy;

struct stream {
	struct watch watch; /* the pipe's read end */
	uint32_t slot;
	LIST_ENTRY(stream) link;
	const struct logspec *spec; /* NULL: none yet, the pipe is not read */
	struct logfile file;
	struct copy *copy; /* not only a raw log in one file: see copy.h; else NULL */
	uint32_t row;
	uint16_t number;      /* 0 stdout, 1 stderr */
	bool spec_is_own : 1; /* the table has dropped it: a copy of its last spec */
	bool told : 1;        /* somebody waits to hear that it was drained */
	bool released : 1;    /* to be closed once what is in the pipe is written */
	int error;            /* why nothing is written now, 0 or -errno */
};

enum stream_outcome {
	STREAM_DRY,    /* the pipe is empty */
	STREAM_BUSY,   /* the budget is used up, there may be more */
	STREAM_ENDED,  /* the pipe is empty and has no writer left */
	STREAM_BROKEN, /* the file cannot be written: ret_error; the bytes stay in the pipe */
};

/*
 * Write up to `budget` bytes of the pipe to the file.  `scratch`: an empty pipe, empty again
 * afterwards.  `readers` are told of a rotation. *ret_moved: bytes written, also when the outcome
 * is STREAM_BROKEN.
 */
struct readers;
enum stream_outcome stream_pump(struct stream *stream, const int scratch[2],
    struct readers *readers, size_t budget, size_t *ret_moved, int *ret_error);

/* Bytes that wait in the pipe. */
size_t stream_count_waiting(const struct stream *stream);

/* As logfile_rotate(), and says on the own log what did not work. */
int stream_rotate(
    struct logfile *file, const struct logspec *spec, struct readers *readers, uint64_t *size);

/* Bytes of a line that is written whole. */
static inline size_t stream_line_max(const struct logspec *spec)
{
	return spec->line_max != 0 ? spec->line_max : LIMIT_LOG_LINE;
}

#endif
