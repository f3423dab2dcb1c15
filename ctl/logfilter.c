/* SPDX-License-Identifier: ISC */
/* logfilter.c: see logfilter.h. */
#include <errno.h>
#include <stdlib.h>

#include "ctl/logfilter.h"

/* Of a line that is matched without asking for memory. */
#define LINE_BYTES 4096

static bool matches(const regex_t *grep, const char *text, size_t length);

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
	if (line->is_note)
		return true;
	if (filter->since_ns != LOGLINE_NO_TIME && time_ns != LOGLINE_NO_TIME &&
	    time_ns < filter->since_ns)
		return false;
	if (filter->run >= 0 && line->run != filter->run)
		return false;
	return !filter->has_grep || matches(&filter->grep, line->text, line->text_length);
}

/* regexec(3) by length (REG_STARTEND) is not everywhere.  A NUL is matched as a newline, which no line
 * has.  Out of memory: it matches, so that nothing is kept from the reader. */
static bool matches(const regex_t *grep, const char *text, size_t length)
{
	char small[LINE_BYTES], *copy = length < sizeof(small) ? small : malloc(length + 1);
	bool found;

	if (copy == NULL)
		return true;
	for (size_t i = 0; i < length; i++)
		copy[i] = text[i] != '\0' ? text[i] : '\n';
	copy[length] = '\0';
	found = regexec(grep, copy, 0, NULL, 0) == 0;
	if (copy != small)
		free(copy);
	return found;
}
