/* SPDX-License-Identifier: ISC */
/*
 * logline.h: one line of a log and what it says of itself, see log_format in supervisord.conf(5).
 *
 * A log is of one format now and may have been of another one before: a line that is not of the
 * expected format is taken as raw.  All texts are borrowed from the line, or, where JSON had to be
 * decoded, from the reader, until its next line.  Pure.
 */
#ifndef CTL_LOGLINE_H
#define CTL_LOGLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/jsonr.h"

enum logline_format {
	LOGLINE_RAW,
	LOGLINE_OWN,   /* the daemon's: time, then text */
	LOGLINE_STAMP, /* time, name, run, stream, text */
	LOGLINE_JSON
};

/* No time is known. */
#define LOGLINE_NO_TIME INT64_MIN

struct logline {
	const char *whole; /* as it is in the log, without its newline */
	size_t whole_length;
	const char *text; /* what the program wrote */
	size_t text_length;
	const char *time; /* RFC 3339; NULL: not known */
	size_t time_length;
	int64_t time_ns;  /* LOGLINE_NO_TIME */
	const char *name; /* NULL: not said */
	size_t name_length;
	int64_t run;        /* -1: not said */
	const char *stream; /* "out", "err", "log" (the logger's own word); NULL: not said */
	bool partial;       /* the text goes on in the next line */
	bool is_note;       /* of the reader of the log: not in any file */
};

struct logline_reader {
	struct jsonr json;
	char *copy; /* of a JSON line: it is decoded in place */
	size_t size;
};

/* "raw", "own", "stamp", "json"; anything else is raw. */
enum logline_format logline_format_of(const char *text);

/* Do lines of this format say when they were written? */
bool logline_has_time(enum logline_format format);

/* … and whose they are? */
bool logline_has_name(enum logline_format format);

void logline_reader_init(struct logline_reader *reader);
void logline_reader_done(struct logline_reader *reader);

/* Read a line without its newline.  Never fails: what is not understood is raw text. */
void logline_read(struct logline_reader *reader, enum logline_format format, const char *bytes,
    size_t length, struct logline *ret_line);

#endif
