/* SPDX-License-Identifier: ISC */
/*
 * streams.h: every pipe the logger drains, by slot, and what becomes of each after a pump.
 *
 * A stream whose file cannot be written leaves the epoll set, so that its program is held back by
 * the full pipe and nobody else notices; it is tried again each second, and that timer runs only
 * while there is such a one.  When the guardian is gone it is tried ever later, and given up when
 * its program has ended and that has not helped for a minute.  The same timer serves streams that
 * wait for the end of a line.  A stream that is copied (copy.h) stays in the set, for its other
 * targets.
 */
#ifndef LOGGER_STREAMS_H
#define LOGGER_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisord/logger/copy.h"
#include "supervisord/logger/reader.h"
#include "supervisord/logger/sandbox.h"
#include "supervisord/logger/specs.h"
#include "supervisord/logger/stream.h"

struct streams {
	LIST_HEAD(stream_list, stream) list;
	struct stream **by_slot;
	uint32_t slots;  /* length of by_slot */
	unsigned broken; /* streams with an error … */
	int disk_error;  /* what was said last of a whole disk, while one is broken by it; else 0 */
	unsigned untold; /* streams with that error of which nothing was said */
	int64_t retry_ns; /* … and when they are tried next, CLOCK_BOOTTIME */
	int64_t delay_ns; /* … which was so long after the last time */
	bool is_alone;    /* the guardian is gone */
	int64_t wait_ns; /* when the first one stops waiting for the end of a line; 0: none waits */
	unsigned orphans; /* released and not yet written */
	int epoll_fd;
	struct stream_world world;
	struct copier copier; /* for streams that are not only spliced */
	/* What is told when a released pipe has been written and closed; NULL: nobody. */
	void (*drained)(uint32_t slot, uint64_t key);
	const struct sandbox *sandbox; /* NULL: none */
	size_t moved;                  /* bytes, since somebody has set it to 0 */
	bool wants_new_logger;         /* a file is closed to this one: sandbox_is_outdated() */
};

/* Borrows `readers` and `ledger` (NULL: there is none).  Returns 0 or -errno. */
int streams_init(
    struct streams *streams, int epoll_fd, struct readers *readers, const struct ledger *ledger);

/* `slot` now holds this pipe; what it held is released.  Takes `fd` in any case.  0 or -errno. */
int streams_hold_consume(struct streams *streams, const struct specs *specs, uint32_t slot,
    uint32_t row, uint16_t number, int fd);

/*
 * Write what is in the pipe of this slot, let go of it, and then tell `drained`.  Unknown slots are
 * no error.
 */
void streams_release(struct streams *streams, uint32_t slot, uint64_t key);

/* Move every stream to the new specs; afterwards nothing refers to the old ones. */
void streams_apply_specs(struct streams *streams, const struct specs *specs);

/* Its pipe has something, or has ended.  The stream may be gone afterwards. */
void streams_run(struct streams *streams, struct stream *stream);

/* A sink can take more, or has failed: go on with the streams that wait for it. */
void streams_run_sink(struct streams *streams, struct sink *sink);

/* After the events of a wake-up: free what none of them can mean any more. */
void streams_sweep(struct streams *streams);

/* The last output of a stream that has no file; NULL: it has one, or there is no such stream. */
const struct ring *streams_find_ring(const struct streams *streams, uint32_t row, uint16_t number);

/* Milliseconds until streams_retry() is due; -1: never.  It does what is due. */
int streams_get_timeout_ms(const struct streams *streams);
void streams_retry(struct streams *streams);

/*
 * Move what is in its pipe, at most about `budget` bytes, and do what follows from the outcome; but
 * a stream that has ended is the caller's to forget.  `flush`: an unfinished line, too.
 */
enum stream_outcome streams_pump(
    struct streams *streams, struct stream *stream, size_t budget, bool flush);

/* Its pipe has ended, or is given up: let go of it and free it. */
void streams_forget(struct streams *streams, struct stream *stream);

/* Is there a pipe that is being written to a file? */
bool streams_is_active(const struct streams *streams);

/*
 * When descriptor 2 is one of the pipes drained here, the logger keeps its own pipe alive: point
 * it to /dev/null.
 */
void streams_leave_own_pipe(struct streams *streams);

#endif
