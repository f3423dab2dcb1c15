/* SPDX-License-Identifier: ISC */
/*
 * logger.h: the logger's loop: what guardian and engine tell it, and the events of pipes and
 * readers.
 *
 * The logger has no state that matters: it gets every descriptor again from the guardian after a
 * restart and finds the rest on the file system, so it may be killed at any instruction.  It never
 * waits but in epoll_wait(2), and LIMIT_LOG_REST_US for a pipe that is filled line by line.  It
 * exits 0 after MSG_FINISH, or, when the guardian is gone, as soon as no pipe has a writer:
 * programs that outlive everything of ours do not get a SIGPIPE for it.  It exits EXIT_AGAIN when a
 * file is out of its reach that a new logger will have (sandbox.h), and when there is room again
 * for descriptors that came while there was none.
 */
#ifndef LOGGER_LOGGER_H
#define LOGGER_LOGGER_H

#include <stdbool.h>

#include "lib/ledger.h"
#include "supervisord/logger/reader.h"
#include "supervisord/logger/sandbox.h"
#include "supervisord/logger/specs.h"
#include "supervisord/logger/streams.h"
#include "supervisord/logger/upkeep.h"
#include "supervisord/logger/watch.h"

struct logger {
	int epoll_fd;
	const struct ledger *ledger; /* which run says what */
	struct watch guardian;
	struct watch peer;
	struct specs specs;
	struct streams streams;
	struct readers readers;
	struct upkeep upkeep;
	struct sandbox sandbox;
	bool is_done;
	int exit_code;
	const void *busiest; /* the watch that is reported again and again … */
	int64_t woken_ns;    /* … and when it was last, CLOCK_BOOTTIME */
	int64_t news_second; /* in which … */
	unsigned news;       /* … so many news went to the engine */
	unsigned missed;     /* descriptors of the guardian for which there was no room … */
	int64_t retry_ns;    /* … and when to look whether there is now, CLOCK_BOOTTIME */
};

/*
 * Takes both sockets and the ledger's descriptor.  The process is confined from here on.  Returns 0
 * or -errno.
 */
int logger_init(struct logger *logger, int guardian_fd, int peer_fd, int ledger_fd);

/* Serve until the end.  Returns the exit code. */
int logger_run(struct logger *logger);

#endif
