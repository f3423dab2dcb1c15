/* SPDX-License-Identifier: ISC */
/* logfilter.c: see logfilter.h. */
#include <errno.h>

#include "ctl/logfilter.h"

int logfilter_init(struct logfilter *filter, int64_t since_ns, int64_t run, const char *grep,
    char *ret_problem, size_t size)
{
	int r;

	*filter = (struct logfilter){.since_ns = since_ns, .run = run};
	if (grep == NULL)
		return 0;
	r = regcomp(&filter->grep, grep, REG_EXTENDED | REG_NOSUB);
	if (r != 0) {
		(void)regerror(r, &filter->grep, ret_problem, size);
		return -EINVAL;
	}
	filter->has_grep = true;
	return 0;
}

void logfilter_done(struct logfilter *filter)
{
	if (filter->has_grep)
		regfree(&filter->grep);
	filter->has_grep = false;
}

bool logfilter_is_active(const struct logfilter *filter)
{
	return filter->since_ns != LOGLINE_NO_TIME || filter->run >= 0 || filter->has_grep;
}

bool logfilter_wants(const struct logfilter *filter, const struct logline *line, int64_t time_ns)
{
	/* The text may have NULs and has none at its end: by its length. */
	regmatch_t match = {.rm_so = 0, .rm_eo = (regoff_t)line->text_length};

	if (line->is_note)
		return true;
	if (filter->since_ns != LOGLINE_NO_TIME && time_ns != LOGLINE_NO_TIME &&
	    time_ns < filter->since_ns)
		return false;
	if (filter->run >= 0 && line->run != filter->run)
		return false;
	return !filter->has_grep ||
	       regexec(&filter->grep, line->text, 1, &match, REG_STARTEND) == 0;
}
