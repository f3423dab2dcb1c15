/* SPDX-License-Identifier: ISC */
/*
 * stream.h: one pipe and the file it is written to.
 *
 * Bytes go from pipe to file by splice(2): the kernel takes them out of the pipe when they are in
 * the file, and there is no instruction at which a killed logger holds bytes that are in neither,
 * or leaves them in both.  Nothing is ever read into memory but a look (tee(2)) for the end of a
 * line at rotation, or where a file is shared (share.h).
 *
 * Rotation is on whole lines: blindly up to max_bytes, then exactly to the next newline, and the
 * file is renamed when there is something to write to the new one.  Only a line that is itself
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
#include "lib/protocol.h"
#include "supervisord/logger/logfiles.h"
#include "supervisord/logger/watch.h"

struct copy;
struct readers;

struct stream {
	struct watch watch; /* the pipe's read end */
	uint32_t slot;
	LIST_ENTRY(stream) link;
	const struct logspec *spec; /* NULL: none yet, the pipe is not read */
	struct logfile *file;       /* NULL: none yet; not the spec's path: it is about to change */
	LIST_ENTRY(stream) of_file; /* its users */
	struct copy *copy;          /* not only a raw log in one file: see copy.h; else NULL */
	uint32_t row;
	uint16_t number;      /* 0 stdout, 1 stderr */
	bool spec_is_own : 1; /* the table has dropped it: a copy of its last spec */
	bool told : 1;        /* somebody waits to hear that it was drained */
	bool released : 1;    /* to be closed once what is in the pipe is written */
	bool flush : 1;      /* what is in the pipe is all: a line without an end is written, too */
	bool is_marked : 1;  /* as last writer, see share.h */
	bool is_untold : 1;  /* its error was said of another stream on the same disk */
	bool waits : 1;      /* for another stream's line to end */
	int64_t begun_ns;    /* since when the beginning of a line is in the pipe; 0: it is not */
	int64_t deadline_ns; /* when to look again without an event, CLOCK_BOOTTIME; 0: never */
	int error;           /* why nothing is written now, 0 or -errno */
	/* How much of the end of the file is of which run, the last and the one before; 0: not
	 * known. */
	struct stream_share {
		uint64_t run;
		uint64_t bytes;
	} shares[2];
};

enum stream_outcome {
	STREAM_DRY,    /* the pipe is empty */
	STREAM_BUSY,   /* the budget is used up, there may be more */
	STREAM_ENDED,  /* the pipe is empty and has no writer left */
	STREAM_WAITS,  /* for the end of a line, its own or (waits) another's: until deadline_ns */
	STREAM_BROKEN, /* the file cannot be written: ret_error; the bytes stay in the pipe */
};

/* What all streams share. */
struct stream_world {
	int scratch[2]; /* an empty pipe, for looks into others */
	struct readers *readers;
	struct logfiles files;
	bool finishing; /* nobody waits for another any more */
	char *look;     /* LIMIT_LOG_LOOK bytes for what was seen */
	/* Tell the engine; NULL: there is none. */
	void (*tell_news)(
	    void *context, enum log_news news, const struct stream *stream, int64_t value);
	void *news_context;
};

/* Something about the log of a stream that is worth an event. */
void stream_tell_news(const struct stream_world *world, enum log_news news,
    const struct stream *stream, int64_t value);

/*
 * Write up to `budget` bytes of the pipe to the file.  *ret_moved: bytes written, also when the
 * outcome is STREAM_BROKEN.
 */
enum stream_outcome stream_pump(struct stream *stream, struct stream_world *world, size_t budget,
    size_t *ret_moved, int *ret_error);

/* Write to the spec's file from now on.  Returns 0 or -ENOMEM: as before. */
int stream_join(struct stream *stream, struct stream_world *world);

/* Have nothing to do with its file any more. */
void stream_leave(struct stream *stream, struct stream_world *world);

/* As logfile_rotate(); tells the readers, and says on the own log what did not work. */
int stream_rotate(
    struct logfile *file, const struct logspec *spec, struct readers *readers, uint64_t *size);

/* A file took no more: has an old archive made room, so that it is worth another try? */
bool stream_make_room(const struct stream *stream, int error);

/* Bytes of a line that is written whole. */
static inline size_t stream_line_max(const struct logspec *spec)
{
	return spec->line_max != 0 ? spec->line_max : LIMIT_LOG_LINE;
}

/* Bytes that wait in the pipe. */
size_t stream_count_waiting(const struct stream *stream);

#endif
