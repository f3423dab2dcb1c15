/* SPDX-License-Identifier: ISC */
/* when.c: see when.h. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/timestamp.h"
#include "ctl/when.h"

const char *when_format(const char *time, int64_t now_ns, char buffer[WHEN_SIZE])
{
	time_t now = (time_t)(now_ns / NS_PER_S), then;
	struct tm today, at;
	int64_t ns;

	if (timestamp_parse(time, strlen(time), &ns) < 0) {
		(void)snprintf(buffer, WHEN_SIZE, "%s", time);
		return buffer;
	}
	then = (time_t)(ns / NS_PER_S);
	if (localtime_r(&now, &today) == NULL || localtime_r(&then, &at) == NULL)
		(void)snprintf(buffer, WHEN_SIZE, "%s", time);
	else if (today.tm_year == at.tm_year && today.tm_yday == at.tm_yday)
		(void)snprintf(buffer, WHEN_SIZE, "%02d:%02d:%02d.%03d", at.tm_hour, at.tm_min,
		    at.tm_sec, (int)(ns % NS_PER_S / NS_PER_MS));
	else
		(void)strftime(buffer, WHEN_SIZE, "%Y-%m-%d %H:%M:%S", &at);
	return buffer;
}
