/* SPDX-License-Identifier: ISC */
/*
 * logfilter.h: which lines of a log are wanted.  It works here and not in the daemon, so that no
 * regular expression costs anybody else time.
 */
#ifndef CTL_LOGFILTER_H
#define CTL_LOGFILTER_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/logline.h"

struct logfilter {
	int64_t since_ns; /* LOGLINE_NO_TIME: from the beginning */
	int64_t run;      /* -1: of all */
	bool has_grep;
	regex_t grep;
};

/*
 * `grep`: a POSIX extended regular expression, NULL: none.  Returns 0, or -EINVAL with what is
 * wrong with it in `ret_problem`.  logfilter_done() is due in both cases.
 */
int logfilter_init(struct logfilter *filter, int64_t since_ns, int64_t run, const char *grep,
    char *ret_problem, size_t size);
void logfilter_done(struct logfilter *filter);

/* Does it leave out anything? */
bool logfilter_is_active(const struct logfilter *filter);

/*
 * `time_ns`: of the line, or of the one before it when it has none.  A log that knows no times
 * (LOGLINE_NO_TIME) is wanted from wherever it begins; a line of which the run is not known is not,
 * when one is asked for; a note of the reader always is.
 */
bool logfilter_wants(const struct logfilter *filter, const struct logline *line, int64_t time_ns);

#endif
