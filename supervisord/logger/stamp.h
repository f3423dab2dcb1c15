/* SPDX-License-Identifier: ISC */
/*
 * stamp.h: a time as text, "2026-11-27T09:30:12.123456Z" (RFC 3339, UTC, microseconds).  What
 * changes once a second is kept from one call to the next.  Pure.
 */
#ifndef LOGGER_STAMP_H
#define LOGGER_STAMP_H

#include <stdint.h>

#define STAMP_LENGTH 27

/* Zeroed before the first use. */
struct stamp {
	int64_t second;
	char text[STAMP_LENGTH + 1];
};

/* The text of a wall clock time, of the years 1970 to 9999; valid until the next call. */
const char *stamp_get(struct stamp *stamp, int64_t wall_ns);

#endif
