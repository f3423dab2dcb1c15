/* SPDX-License-Identifier: ISC */
/*
 * form.h: a line of a program as it is written: raw, stamped, as a JSON object, or with the name in
 * front.  Pure.
 *
 *   stamp   2026-11-27T09:30:12.123456Z NAME RUN STREAM TEXT
 *   json    {"time":"…Z","program":"web","name":"web@3","run":7,"stream":"out","text":"…"}
 *   prefix  NAME | TEXT
 *
 * STREAM is out, err, or log for what the logger itself says.  A part of a line that goes on is
 * marked: out+, err+, in JSON "partial":true.  TEXT of stamp and prefix is as the program wrote it,
 * in JSON what is not UTF-8 becomes U+FFFD.  Supervisord's readers take these forms apart again, so
 * a change here is one there.
 *
 * What is the same for every line of a chunk is made once, by form_begin().
 */
#ifndef LOGGER_FORM_H
#define LOGGER_FORM_H

#include <stdint.h>

#include "lib/jsonw.h"
#include "lib/limits.h"
#include "lib/logspec.h"
#include "supervisord/logger/lines.h"
#include "supervisord/logger/stamp.h"

/* Whose lines they are, and when they were taken. */
struct origin {
	const char *name; /* of the instance: web@3; of a companion: web:filter */
	const char *tag;  /* for syslog and journal; NULL: the name */
	int facility;     /* of syslog */
	uint64_t run;
	int32_t pid; /* of the main process; 0: not known */
	uint16_t stream;
	int64_t wall_ns;
};

/* Bytes before the text. */
#define FORM_HEAD (LIMIT_NAME * 2 + 128)

struct form {
	enum logspec_format format;
	struct stamp stamp;
	size_t head_length;
	size_t part_length;
	size_t note_length;
	char head[FORM_HEAD]; /* of a whole line … */
	char part[FORM_HEAD]; /* … of one that goes on … */
	char note[FORM_HEAD]; /* … and of the logger's own */
};

/* Prepare for the lines of a chunk.  `form` was zeroed once. */
void form_begin(struct form *form, enum logspec_format format, const struct origin *origin);

/* Add a line to `out`. */
void form_write(const struct form *form, struct jsonw *out, const struct line *line);

/* Add a line of the logger's own: a sentence without newline.  Raw: "[supervisord: SENTENCE]". */
void form_write_note(const struct form *form, struct jsonw *out, const char *sentence);

/* Bytes of the name that are the program's: all before '@' and ':'. */
size_t form_program_length(const char *name);

/* Most bytes that a line of `length` bytes can become, with the text and all. */
size_t form_bound(size_t length);

#endif
