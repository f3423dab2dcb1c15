/* SPDX-License-Identifier: ISC */
/*
 * readout.h: what one reader of a log is answered, piece by piece: where it begins, the search for
 * that, and replies, from files or from memory.  When it is its turn is reader.h's business.
 */
#ifndef LOGGER_READOUT_H
#define LOGGER_READOUT_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/archives.h"
#include "lib/jsonw.h"
#include "lib/protocol.h"
#include "supervisord/logger/linesearch.h"
#include "supervisord/logger/place.h"
#include "supervisord/logger/ringplace.h"
#include "supervisord/logger/specs.h"
#include "supervisord/logger/watch.h"

struct readers;

struct reader {
	struct watch watch; /* the connection */
	LIST_ENTRY(reader) link;
	const struct readers *owner;
	struct msg_read_log request;
	uid_t uid;  /* whose connection it is */
	char *path; /* of the log that it reads … */
	struct archives archives;
	struct place place;
	struct ringplace ring; /* instead, of a stream that has no file */
	uint64_t ring_end;     /* not following: where to stop in it */
	enum { READER_NEW, READER_SEARCHES, READER_READS } stage;
	struct line_search search;
	struct place_end end; /* not following: where to stop */
	enum place_loss loss; /* to be told with the next bytes */
	char *raw;            /* a block of the log … */
	size_t length;        /* … and what is in it, when one reply has to hold it all */
	bool is_cut;          /* that was not all */
	struct jsonw out;     /* the message that is being sent … */
	size_t sent;          /* … and how far */
	bool is_final;        /* `out` is the last message */
	bool is_dead;         /* to be swept */
};

enum readout {
	READOUT_DONE, /* the last reply is sent, or the connection is no good any more */
	READOUT_IDLE, /* nothing to do until something is written */
	READOUT_MORE
};

/* Takes `conn` on success; NULL: no memory. */
struct reader *readout_new(const struct msg_read_log *request, int conn);
void readout_free(struct reader *reader, int epoll_fd);

/* The log is at this path.  0 or -ENOMEM. */
int readout_set_path(struct reader *reader, const char *path);

/* One piece of work: what is unsent, else the next step. */
enum readout readout_run(struct reader *reader, const struct specs *specs);

/* Do not follow any further than to what is there now. */
void readout_stop(struct reader *reader);

#endif
