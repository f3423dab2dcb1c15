/* SPDX-License-Identifier: ISC */
/* timestamp.h: points of the wall clock as RFC 3339 writes them.  Pure. */
#ifndef LIB_TIMESTAMP_H
#define LIB_TIMESTAMP_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of "2026-01-31T12:00:00.123456Z" with its NUL. */
#define TIMESTAMP_SIZE 28

/*
 * "2026-01-31T12:00:00[.123456]Z", or +01:00 in place of Z: all `length` bytes are the time.  To
 * nanoseconds since 1970, truncated past the ninth digit; years 1970 to 2200.  -EINVAL.
 */
int timestamp_parse(const char *text, size_t length, int64_t *ret_ns);

/* With microseconds, in UTC.  `ns` is not before 1970.  Returns `buffer`. */
const char *timestamp_format(int64_t ns, char buffer[TIMESTAMP_SIZE]);

#endif
