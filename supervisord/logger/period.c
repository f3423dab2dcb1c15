/* SPDX-License-Identifier: ISC */
/* period.c: see period.h. */
#include <stdbool.h>
#include <time.h>

#include "supervisord/logger/period.h"

static int64_t find_midnight(const struct tm *date, int days);

void period_find(enum logspec_rotate rotate, int64_t at_s, int64_t *ret_start_s, int64_t *ret_end_s)
{
	time_t at = (time_t)at_s;
	int64_t start = INT64_MIN, end = INT64_MAX;
	struct tm tm;
	int since_monday;

	/* As /etc/localtime is now. */
	tzset();
	if (rotate != LOGSPEC_NEVER && localtime_r(&at, &tm) != NULL) {
		since_monday = (tm.tm_wday + 6) % 7;
		switch (rotate) {
		case LOGSPEC_NEVER:
			break;
		case LOGSPEC_HOURLY:
			/* Of the hour that is shown, which holds also in time zones of half hours;
			 * an hour that is shown twice is two. */
			start = at_s - tm.tm_min * 60 - (tm.tm_sec < 60 ? tm.tm_sec : 59);
			end = start + 3600;
			break;
		case LOGSPEC_DAILY:
			start = find_midnight(&tm, 0);
			end = find_midnight(&tm, 1);
			break;
		case LOGSPEC_WEEKLY:
			start = find_midnight(&tm, -since_monday);
			end = find_midnight(&tm, 7 - since_monday);
			break;
		}
	}
	*ret_start_s = start;
	*ret_end_s = end;
}

/* The first moment of a date, so many days on.  mktime(3) finds the way over the ends of months. */
static int64_t find_midnight(const struct tm *date, int days)
{
	struct tm tm = {.tm_year = date->tm_year,
	    .tm_mon = date->tm_mon,
	    .tm_mday = date->tm_mday + days,
	    .tm_isdst = -1};

	return (int64_t)mktime(&tm);
}
