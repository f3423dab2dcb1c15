/* SPDX-License-Identifier: ISC */
/*
 * logsource.h: one log as it comes over a connection of its own: replies of the method Logs in,
 * lines out.
 *
 * Each reply says where the next one begins.  So when the connection is lost (the engine or the
 * logger was restarted) another one goes on exactly there, and what was read is neither missed nor
 * read twice.  The history and what follows it are two calls, joined in the same way.
 */
#ifndef CTL_LOGSOURCE_H
#define CTL_LOGSOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"
#include "lib/varlink.h"
#include "ctl/call.h"
#include "ctl/logline.h"

/* What is read, for all sources alike. */
struct log_query {
	int64_t lines;     /* -1: all */
	const char *since; /* RFC 3339, instead of lines; NULL */
	bool of_stderr;
};

struct logsource {
	char *name;    /* of the instance; owned */
	char *program; /* of its stanza; owned */
	bool is_named; /* by the user, not by a glob or a group */
	struct ctl *ctl;
	const struct log_query *query;
	struct call call; /* its reply is the one that is being read */
	struct varlink_input in;
	int fd;               /* -1: not connected */
	bool follow;          /* the present call goes on after the end */
	bool has_ended;       /* the last reply of the present call was read */
	enum exitcode code;   /* not OK: it failed, and the user was told */
	bool has_no_log;      /* it failed because its output goes elsewhere; told if is_named */
	int64_t give_up_ns;   /* while it is not connected, CLOCK_BOOTTIME; 0: it is */
	int64_t connected_ns; /* since when it is; INT64_MAX: it is not */
	char next[LIMIT_LOG_PLACE]; /* where to go on; "": at the beginning */
	bool has_format;
	enum logline_format format;
	/* What was read and not yet taken. */
	char *data;
	size_t start, end, size;
	size_t note_at;        /* the line there is a note of the reader; SIZE_MAX: none */
	int64_t part_since_ns; /* the rest without newline is there since then; 0: there is none */
	struct logline_reader lines;
	int64_t time_ns; /* of the last line taken */
};

enum logsource_state {
	LOGSOURCE_DATA,  /* something was read */
	LOGSOURCE_WAIT,  /* nothing yet: poll its fd */
	LOGSOURCE_OFF,   /* not connected: again in LOGSOURCE_PAUSE_MS */
	LOGSOURCE_ENDED, /* the call is over: see `code` */
};

#define LOGSOURCE_PAUSE_MS 20

/* Copies both names; borrows the rest.  Returns 0 or -ENOMEM; logsource_done() is due after 0. */
int logsource_init(struct logsource *source, struct ctl *ctl, const struct log_query *query,
    const char *name, const char *program);
void logsource_done(struct logsource *source);

/* Begin a call: the history from the query on, or, with `follow`, what comes after what was read.
 */
void logsource_begin(struct logsource *source, bool follow);

/* It is not read any further; the user was told why. */
void logsource_end(struct logsource *source, enum exitcode code);

/* One step without waiting.  It reads only when no whole line is left to be taken. */
enum logsource_state logsource_read(struct logsource *source);

/* As logsource_read(), but waits for DATA or ENDED. */
enum logsource_state logsource_wait(struct logsource *source);

/* The next whole line; its texts stay until the next call on the source. */
bool logsource_take_line(struct logsource *source, struct logline *ret_line);

/* What is left at the end, or after some waiting, without a newline. */
bool logsource_take_rest(struct logsource *source, struct logline *ret_line);

/* Everything that was read, as it is; nothing is left.  Borrowed until the next call. */
const char *logsource_take_bytes(struct logsource *source, size_t *ret_length);

#endif
