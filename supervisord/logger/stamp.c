/* SPDX-License-Identifier: ISC */
/* stamp.c: see stamp.h. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "supervisord/logger/stamp.h"

/* Where the microseconds begin, and how many digits they have. */
#define MICRO_AT     20
#define MICRO_DIGITS 6

const char *stamp_get(struct stamp *stamp, int64_t wall_ns)
{
	int64_t second = wall_ns / NS_PER_S;
	uint32_t micro = (uint32_t)(wall_ns % NS_PER_S / 1000);

	if (stamp->text[0] == '\0' || stamp->second != second) {
		time_t time = (time_t)second;
		char text[64];
		struct tm utc;

		gmtime_r(&time, &utc);
		(void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.000000Z",
		    utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
		    utc.tm_sec);
		memcpy(stamp->text, text, STAMP_LENGTH);
		stamp->text[STAMP_LENGTH] = '\0';
		stamp->second = second;
	}
	for (int i = MICRO_DIGITS - 1; i >= 0; i--) {
		stamp->text[MICRO_AT + i] = (char)('0' + micro % 10);
		micro /= 10;
	}
	return stamp->text;
}
