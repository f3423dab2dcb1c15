/* SPDX-License-Identifier: ISC */
/*
 * progress.h: how far a command on many programs is: one line at the bottom of a terminal that
 * changes, "starting: 12 of 40 … web (waits for db)".
 *
 * Only where the results are read by a person, on a terminal, and there are many: then what has
 * gone well is counted and not listed.
 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include "ctl/call.h"

struct progress {
	struct ctl *ctl;
	const char *doing; /* "starting" */
	size_t total;
	size_t done;
	size_t failed;
	bool shown; /* the line is on the screen */
	bool active;
	char waiting[256]; /* the first of what is waited for, as it was told last */
};

/* Finds out for how many programs the names of the command line stand; not active for a few. */
void progress_begin(struct progress *progress, struct ctl *ctl, const char *doing);

/* Take the line away before something else is printed. */
void progress_hide(struct progress *progress);

/* Count the results of a reply, remember what is waited for, and show the line. */
void progress_note(struct progress *progress, struct jsonr *reply, int results, int waiting);

/* It is over: the line becomes the count. */
void progress_end(struct progress *progress);

#endif
