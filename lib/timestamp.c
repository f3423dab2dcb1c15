/* SPDX-License-Identifier: ISC */
/* timestamp.c: see timestamp.h.  The calendar is computed here: strptime(3) knows no fractions. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/timestamp.h"

struct cursor {
	const char *at;
	const char *end;
};

static bool read_number(struct cursor *cursor, unsigned digits, char after, int *ret_number);
static int64_t read_fraction(struct cursor *cursor);
static int64_t days_from_civil(int64_t year, int month, int day);
static int days_of_month(int year, int month);

int timestamp_parse(const char *text, size_t length, int64_t *ret_ns)
{
	int year, month, day, hour, minute, second, offset_hour = 0, offset_minute = 0;
	struct cursor cursor = {text, text + length};
	int64_t fraction, seconds;
	int sign = 0;

	if (!read_number(&cursor, 4, '-', &year) || !read_number(&cursor, 2, '-', &month) ||
	    !read_number(&cursor, 2, 'T', &day) || !read_number(&cursor, 2, ':', &hour) ||
	    !read_number(&cursor, 2, ':', &minute) || !read_number(&cursor, 2, '\0', &second))
		return -EINVAL;
	if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 ||
	    day > days_of_month(year, month) || hour > 23 || minute > 59 || second > 60)
		return -EINVAL;
	fraction = read_fraction(&cursor);
	if (cursor.at == cursor.end)
		return -EINVAL;
	if (*cursor.at == '+' || *cursor.at == '-') {
		sign = *cursor.at++ == '+' ? 1 : -1;
		if (!read_number(&cursor, 2, ':', &offset_hour) ||
		    !read_number(&cursor, 2, '\0', &offset_minute))
			return -EINVAL;
	} else if (*cursor.at++ != 'Z') {
		return -EINVAL;
	}
	if (cursor.at != cursor.end || offset_hour > 23 || offset_minute > 59)
		return -EINVAL;
	seconds = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
	seconds -= sign * (offset_hour * 60 + offset_minute) * 60;
	*ret_ns = seconds * NS_PER_S + fraction;
	return 0;
}

const char *timestamp_format(int64_t ns, char buffer[TIMESTAMP_SIZE])
{
	time_t seconds = (time_t)(ns / NS_PER_S);
	struct tm utc = {0};

	(void)gmtime_r(&seconds, &utc);
	/* The masks tell the compiler what gmtime_r(3) promises: it fits. */
	(void)snprintf(buffer, TIMESTAMP_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
	    (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)(utc.tm_mon + 1) % 100,
	    (unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100, (unsigned)utc.tm_min % 100,
	    (unsigned)utc.tm_sec % 100, (unsigned)(ns % NS_PER_S / 1000) % 1000000);
	return buffer;
}

static bool is_digit(const struct cursor *cursor)
{
	return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

/* So many digits, then `after` ('\0': anything). */
static bool read_number(struct cursor *cursor, unsigned digits, char after, int *ret_number)
{
	int number = 0;

	for (; digits > 0; digits--, cursor->at++) {
		if (!is_digit(cursor))
			return false;
		number = number * 10 + (*cursor->at - '0');
	}
	if (after != '\0' && (cursor->at == cursor->end || *cursor->at++ != after))
		return false;
	*ret_number = number;
	return true;
}

/* ".123" in nanoseconds, or 0 when there is none.  A point without digits stays unread. */
static int64_t read_fraction(struct cursor *cursor)
{
	int64_t fraction = 0, unit = NS_PER_S / 10;

	if (cursor->end - cursor->at < 2 || cursor->at[0] != '.' || cursor->at[1] < '0' ||
	    cursor->at[1] > '9')
		return 0;
	for (cursor->at++; is_digit(cursor); cursor->at++, unit /= 10)
		fraction += (*cursor->at - '0') * unit;
	return fraction;
}

/* Days since 1970-01-01: years counted from March, so that the leap day is the last of its year. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}
