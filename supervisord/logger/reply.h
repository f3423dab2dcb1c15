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

/* {"parameters":{"data":…}}, with "continues":true if more replies follow.  Replaces what `w` has.
 */
void reply_write_data(struct jsonw *w, const char *bytes, size_t length, bool continues);

/* The same in one message of limited size: what does not fit is left out at the front, by lines. */
void reply_write_last_data(struct jsonw *w, const char *bytes, size_t length);

void reply_write_busy(struct jsonw *w, const char *reason);
void reply_write_no_such_program(struct jsonw *w, const char *name);

/*
 * How much of `bytes` one message should carry when more may follow: up to the last line end in a
 * full block, else all but the start of a UTF-8 sequence at the end.
 */
size_t reply_cut(const char *bytes, size_t length, bool is_full);

#endif
