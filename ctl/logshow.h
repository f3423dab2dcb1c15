/* SPDX-License-Identifier: ISC */
/*
 * logshow.h: how a line of a log is printed.
 *
 * One log: as it is in the file.  Several: "NAME | TEXT", with the time before the text where the
 * line says it; a terminal gets the names in colours.  As JSON: an object a line, of every format.
 */
#ifndef CTL_LOGSHOW_H
#define CTL_LOGSHOW_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/jsonw.h"
#include "ctl/logline.h"
#include "ctl/out.h"

struct logshow {
	struct out *out;
	bool json;
	size_t name_width; /* of the longest name; 0: no names */
	struct jsonw w;
};

/* Whose line it is. */
struct logshow_origin {
	const char *name;
	const char *program;
	const char *stream; /* where the line does not say it: "out", "err" */
	size_t number;      /* picks a colour */
};

void logshow_init(struct logshow *show, struct out *out, bool json);
void logshow_done(struct logshow *show);

/* There is more than one log, and this is the name of one. */
void logshow_add_name(struct logshow *show, const char *name);

/* Into `out`; the caller flushes. */
void logshow_line(
    struct logshow *show, const struct logshow_origin *origin, const struct logline *line);

#endif
