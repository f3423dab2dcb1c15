/* SPDX-License-Identifier: ISC */
/*
 * target.h: one place that the lines of a stream go to, and how far it has come.
 *
 * All targets of a stream are fed from the same pipe, and bytes leave the pipe when every target
 * has them.  So each target counts by how much it is ahead of the pipe's first byte; that count is
 * all there is to lose when the logger is killed, and why the lines in the pipe may repeat then.
 *
 * What a target cannot take waits (log_full = block), or is counted and dropped (drop); the count
 * is written as a line of the logger's own when the target takes lines again.  A receiver that is
 * away (syslog, journal) drops in any case: nobody waits for somebody who is not there.
 */
#ifndef LOGGER_TARGET_H
#define LOGGER_TARGET_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/logspec.h"
#include "supervisord/logger/form.h"
#include "supervisord/logger/sink.h"
#include "supervisord/logger/stream.h"

struct target {
	struct stream *stream; /* whose */
	struct sink *sink;     /* NULL: the file */
	TAILQ_ENTRY(target) wait_link;
	enum logspec_format format;
	size_t line_max;
	size_t ahead;     /* bytes at the head of the pipe that it has */
	uint64_t dropped; /* lines, not told yet */
	int error;        /* why it takes nothing now; 0: it does */
	int64_t retry_ns; /* of the file: not before */
	bool mark_due;    /* to be told that the logger was restarted */
	bool is_skipping; /* the rest of a line whose beginning was dropped */
	bool is_waiting;  /* on sink->waiting */
};

/* A look into the pipe, for all targets of the stream. */
struct delivery {
	const struct logspec *spec;
	struct stream_world *world;
	struct sinks *sinks;
	struct form *form;
	struct jsonw *out; /* scratch */
	struct origin origin;
	const char *host;
	const char *bytes;
	size_t length;
	bool flush;        /* give what has no newline, too */
	size_t file_bytes; /* added to the file */
};

/* Give a target what it does not have yet; moves target->ahead, sets target->error. */
void target_deliver(struct target *target, struct delivery *delivery);

/* Does it have news for its reader that wait for the target to be there? */
bool target_has_notes(const struct target *target);

#endif
