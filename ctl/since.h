/* SPDX-License-Identifier: ISC */
/* since.h: a point in the past as a person writes it. */
#ifndef CTL_SINCE_H
#define CTL_SINCE_H

#include <stdint.h>

/* What is allowed, for messages. */
#define SINCE_FORMS "10min, 09:30, 2026-01-31, \"2026-01-31 09:30\", or RFC 3339"

/*
 * So long before `now_ns` ("10min", "1h30min", "2d"), an RFC 3339 time, or a time of the local
 * zone: "09:30[:15]" of the day of `now_ns`, "2026-01-31", "2026-01-31 09:30[:15]", also with a T.
 * In nanoseconds of the wall clock.  -EINVAL.
 */
int since_parse(const char *text, int64_t now_ns, int64_t *ret_ns);

#endif
