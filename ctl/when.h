/* SPDX-License-Identifier: ISC */
/* when.h: a time of the wire as a person reads it. */
#ifndef CTL_WHEN_H
#define CTL_WHEN_H

#include <stdint.h>

#define WHEN_SIZE 32

/*
 * Of RFC 3339 the local time: "12:00:00.123" of the day of `now_ns` (wall clock), else
 * "2026-01-31 12:00:00".  What is no time stays as it is, as far as there is room.  Returns
 * `buffer`.
 */
const char *when_format(const char *time, int64_t now_ns, char buffer[WHEN_SIZE]);

#endif
