/* SPDX-License-Identifier: ISC */
/*
 * units.h: numbers with units, as people write them in the configuration and on the command line.
 * Strict: no blanks, no sign, no leading or trailing rubbish, overflow is an error, and nothing is
 * ever rounded in silence.  Pure.
 */
#ifndef LIB_UNITS_H
#define LIB_UNITS_H

#include <stddef.h>
#include <stdint.h>

/*
 * "500ms", "10s", "2min", "1h", "1d", "1min30s", and a bare number of seconds ("10", "0.5").  Units:
 * us ms s m min h d.  Result in nanoseconds.  -EINVAL: not a duration; -ERANGE: does not fit.
 */
int units_parse_duration(const char *text, int64_t *ret_ns);

/* "10MB" = 10 * 10^6, "64K" = "64KiB" = 64 * 2^10; B KB MB GB are decimal, K M G KiB MiB GiB binary. */
int units_parse_size(const char *text, uint64_t *ret_bytes);

/* Decimal digits only, within the bounds; "010" is ten.  -EINVAL, -ERANGE. */
int units_parse_count(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *ret_value);

/* Octal digits only ("022", "0022", "22"). */
int units_parse_octal(const char *text, unsigned maximum, unsigned *ret_value);

/* The shortest exact form: "200ms", "1min30s", "0s".  Returns `buffer`. */
const char *units_format_duration(int64_t ns, char *buffer, size_t size);

/* For people: two units at most, "3d4h", "5min12s", "850ms". Returns `buffer`. */
const char *units_format_age(int64_t ns, char *buffer, size_t size);

/* For people: "1.5M", "640K", "12B" (binary). Returns `buffer`. */
const char *units_format_size(uint64_t bytes, char *buffer, size_t size);

#endif
