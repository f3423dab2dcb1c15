/* SPDX-License-Identifier: ISC */
/*
 * logview.h: the logs that one superctl logs shows, and in which way: first their history, in the
 * order of time where all lines say it and else one log after the other (loghistory.c), then what
 * comes, as it arrives (logfollow.c).
 */
#ifndef CTL_LOGVIEW_H
#define CTL_LOGVIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/logfilter.h"
#include "ctl/logshow.h"
#include "ctl/logsource.h"

struct logview {
	struct ctl *ctl;
	struct log_query query;
	struct logfilter filter;
	struct logshow show;
	struct logsource *sources;
	size_t count;
	int64_t last; /* of the lines that the filter wants, so many; -1: all */
};

/*
 * One log with nothing left out or added: its bytes are passed on as they come.  Known after the
 * first reply: lines that say whose they are are looked at.
 */
bool logview_is_plain(const struct logview *view);

/* Is this a line to be shown?  Not those of another program in a file that is shared. */
bool logview_wants(
    const struct logview *view, const struct logsource *source, const struct logline *line);

/* Show a line of a source. */
void logview_show(struct logview *view, struct logsource *source, const struct logline *line);

/* The exit code of all sources together. */
enum exitcode logview_join(const struct logview *view);

/* Both tell the user what goes wrong, and return OK or FAILED: the output cannot be written. */
enum exitcode loghistory_run(struct logview *view);
enum exitcode logfollow_run(struct logview *view);

/* Instead of showing them, do what --rotate, --reopen or --clear says to the logs.  (logact.c) */
enum exitcode logact_run(struct logview *view);

#endif
