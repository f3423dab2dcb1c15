/* SPDX-License-Identifier: ISC */
/* since.c: see since.h. */
#define _GNU_SOURCE /* strptime(3) */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/timestamp.h"
#include "lib/units.h"
#include "ctl/since.h"

static int parse_local(const char *text, int64_t now_ns, int64_t *ret_ns);

int since_parse(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	int64_t age_ns;

	if (units_parse_duration(text, &age_ns) == 0) {
		*ret_ns = age_ns < now_ns ? now_ns - age_ns : 0;
		return 0;
	}
	if (timestamp_parse(text, strlen(text), ret_ns) == 0)
		return 0;
	return parse_local(text, now_ns, ret_ns);
}

static int parse_local(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
	    "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%H:%M:%S", "%H:%M"};
	time_t now = (time_t)(now_ns / NS_PER_S);

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm today, local;
		const char *end;
		time_t seconds;

		if (!isdigit((unsigned char)text[0]) || localtime_r(&now, &today) == NULL)
			return -EINVAL;
		local = (struct tm){.tm_year = today.tm_year,
		    .tm_mon = today.tm_mon,
		    .tm_mday = today.tm_mday,
		    .tm_isdst = -1};
		end = strptime(text, forms[i], &local);
		if (end == NULL || *end != '\0')
			continue;
		local.tm_isdst = -1;
		seconds = mktime(&local);
		if (seconds < 0)
			return -EINVAL;
		*ret_ns = (int64_t)seconds * NS_PER_S;
		return 0;
	}
	return -EINVAL;
}
