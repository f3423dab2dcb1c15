/* SPDX-License-Identifier: ISC */
/*
 * reply.h: the Varlink messages a log reader is answered with, each with its NUL, see
 * lib/io.superctl.varlink.
 */
#ifndef LOGGER_REPLY_H
#define LOGGER_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/jsonw.h"

/* What a reply says of a log. */
struct reply {
	const char *bytes;
	size_t length;
	const char *format; /* of its lines */
	const char *next;   /* the place after the bytes */
	bool lost;          /* the first line says that some are missing before the others */
	bool continues;     /* more replies follow */
};

/* {"parameters":{"data":…,"format":…,"next":…}}.  Replaces what `w` has. */
void reply_write(struct jsonw *w, const struct reply *reply);

/* The same in one message of limited size: what does not fit is left out at the front, by lines. */
void reply_write_last(struct jsonw *w, const struct reply *reply);

void reply_write_busy(struct jsonw *w, const char *reason);
void reply_write_invalid_parameter(struct jsonw *w, const char *parameter);

/*
 * How much of `bytes` one message should carry when more may follow: up to the last line end in a
 * full block, else all but the start of a UTF-8 sequence at the end.
 */
size_t reply_cut(const char *bytes, size_t length, bool is_full);

#endif
