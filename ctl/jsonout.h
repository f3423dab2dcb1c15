/* SPDX-License-Identifier: ISC */
/*
 * jsonout.h: records for programs to read: one array on stdout, a record on each line, as they
 * were received.  They may come in several replies.
 */
#ifndef CTL_JSONOUT_H
#define CTL_JSONOUT_H

#include <stdbool.h>

#include "lib/jsonr.h"
#include "ctl/out.h"

struct jsonout {
	bool begun;
	bool any; /* records */
};

/* Begin the array if it is not, and print the elements of another.  Before anything in them is
 * read: see jsonr_raw(). */
void jsonout_add(struct jsonout *json, struct out *out, const struct jsonr *reply, int array);

/* The end of the array, if it was begun. */
void jsonout_end(struct jsonout *json, struct out *out);

#endif
