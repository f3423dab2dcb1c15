/* SPDX-License-Identifier: ISC */
/*
 * copy.h: the second way of a stream: through memory, for whatever is not a raw log in one file.
 *
 * Bytes are looked at with tee(2), which takes nothing, made into lines, given to the targets, and
 * only then taken out of the pipe.  So a killed logger loses nothing; what it had given and not
 * taken comes again, at most what fits into the pipe, and the next logger says so.
 *
 * The pipe is the buffer.  While it holds an unfinished line it is watched edge-triggered, and
 * that alone does not do: a write(2) that is larger than the pipe wakes nobody until it is done, if
 * the pipe was not empty when it began.  So there are looks after 1, 2, 4 … ms, too, and the pipe
 * of a program that writes that much grows to LIMIT_LOG_PIPE.  A line without a newline stays in it
 * until there is one, or the line grows too long, or HOLD_NS have passed; what a target cannot take
 * stays in it, too.  One chunk is in memory at any time, of all streams, so memory does not grow
 * with the number of programs.
 *
 * A raw log beside other targets is still moved by splice(2): that is how its bytes leave the pipe.
 */
#ifndef LOGGER_COPY_H
#define LOGGER_COPY_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ledger.h"
#include "supervisord/logger/raw.h"
#include "supervisord/logger/ring.h"
#include "supervisord/logger/sink.h"
#include "supervisord/logger/stream.h"
#include "supervisord/logger/target.h"

/* What all copied streams share. */
struct copier {
	const struct ledger *ledger; /* NULL: none, runs are 0 */
	struct stream_world *world;
	int64_t start_ns;  /* of this logger */
	bool is_restarted; /* another one was there before */
	int scratch[2];    /* for looks into pipes */
	int null_fd;
	char *in; /* the chunk */
	size_t in_size;
	struct jsonw out; /* what is made of it */
	struct form form;
	struct rings rings;
	struct sinks sinks;
	char host[256];
	TAILQ_HEAD(copy_held, copy) held; /* with an unfinished line, the oldest first */
	int64_t look_ns; /* the earliest of theirs, or before it; INT64_MAX: none */
};

/* Of one stream. */
struct copy {
	struct stream *stream;
	TAILQ_ENTRY(copy) held_link;
	struct ring *ring;     /* NULL: it has a file */
	size_t held;           /* bytes of an unfinished line, when nothing else is in the pipe */
	int64_t look_ns;       /* when to look whether there is more … */
	int64_t look_delay_ns; /* … and how long after the last look that is */
	int64_t held_ns;       /* since, 0: none; then it is on copier->held */
	bool may_repeat;       /* what is in the pipe may have been given by another logger */
	bool has_raw_file;     /* the file takes its bytes by splice(2) */
	struct raw raw;
	size_t count;
	struct target targets[]; /* all but a raw file */
};

/* Borrows `world` and `ledger`.  Returns 0 or -errno. */
int copier_init(
    struct copier *copier, int epoll_fd, struct stream_world *world, const struct ledger *ledger);

/* The limits of the specs in force. */
void copier_set_limits(struct copier *copier, size_t memory, size_t line_max);

/* Must the stream of this spec go this way? */
bool copy_is_needed(const struct logspec *spec);

/*
 * Give a stream the targets of its spec; NULL copy: it had none.  What an old target had ahead of
 * the others is kept where the new spec has that target, too.  Returns 0 or -ENOMEM: the old ones
 * stay.
 */
int copy_set_spec(struct copier *copier, struct stream *stream);
void copy_free(struct copier *copier, struct copy *copy);

/* Its unfinished line is no more, or is no more waited for. */
void copy_forget_held(struct copier *copier, struct copy *copy);

/*
 * As stream_pump(): give what is in the pipe to the targets.  flush: an unfinished line, too.
 * *ret_moved: bytes that a reader of the log has more to read.  STREAM_BROKEN: a target takes
 * nothing, with the reason; -EAGAIN: it is a receiver that is slow or away.
 */
enum stream_outcome copy_pump(struct copier *copier, struct stream *stream, size_t budget,
    bool flush, size_t *ret_moved, int *ret_error);

/* When an unfinished line is due to be given or looked at, CLOCK_BOOTTIME; INT64_MAX: never. */
int64_t copier_next_due(const struct copier *copier);

/*
 * A stream whose unfinished line is due at `now_ns`, to be called until there is none (NULL);
 * *ret_flush: it has waited long enough.
 */
struct stream *copier_get_due(struct copier *copier, int64_t now_ns, bool *ret_flush);

#endif
