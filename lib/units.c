/* SPDX-License-Identifier: ISC */
/*
 * units.c: see units.h.  Everything is integer arithmetic: a fraction is taken digit by digit from
 * its last one, so that a value which is no whole number of nanoseconds or bytes is found and
 * refused.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/units.h"

#define NS_PER_US  1000LL
#define NS_PER_MIN (60 * NS_PER_S)
#define NS_PER_H   (60 * NS_PER_MIN)
#define NS_PER_D   (24 * NS_PER_H)

struct unit {
	const char *name;
	uint64_t factor;
};

/* clang-format off */
/* Descending; of two names of one unit the one to print comes first. */
static const struct unit duration_units[] = {
	{"d", NS_PER_D}, {"h", NS_PER_H}, {"min", NS_PER_MIN}, {"m", NS_PER_MIN},
	{"s", NS_PER_S}, {"ms", NS_PER_MS}, {"us", NS_PER_US}, {NULL, 0},
};

static const struct unit size_units[] = {
	{"B", 1},
	{"KB", 1000}, {"MB", 1000000}, {"GB", 1000000000},
	{"K", 1024}, {"KiB", 1024}, {"M", 1 << 20}, {"MiB", 1 << 20}, {"G", 1 << 30}, {"GiB", 1 << 30},
	{NULL, 0},
};
/* clang-format on */

/* Digits with an optional fraction, not yet multiplied by their unit. */
struct number {
	uint64_t whole;
	const char *fraction;
	size_t fraction_length;
};

static int take_number(const char **at, struct number *ret_number);
static const struct unit *take_unit(const char **at, const struct unit *units);
static int add_scaled(uint64_t *sum, const struct number *number, uint64_t factor);
static int take_digits(const char *text, unsigned base, uint64_t *ret_value);
static bool is_digit(char c);

int units_parse_duration(const char *text, int64_t *ret_ns)
{
	uint64_t last = UINT64_MAX, sum = 0;
	struct number number;
	int error;

	do {
		const struct unit *unit;

		error = take_number(&text, &number);
		if (error < 0)
			return error;
		if (*text == '\0' && last == UINT64_MAX) {
			error = add_scaled(&sum, &number, NS_PER_S);
			break;
		}
		/* 1min30s but not 30s1min, not 1s1s: what is written twice was meant otherwise. */
		unit = take_unit(&text, duration_units);
		if (unit == NULL || unit->factor >= last)
			return -EINVAL;
		last = unit->factor;
		error = add_scaled(&sum, &number, unit->factor);
	} while (error == 0 && *text != '\0');

	if (error < 0)
		return error;
	if (sum > INT64_MAX)
		return -ERANGE;
	*ret_ns = (int64_t)sum;
	return 0;
}

int units_parse_size(const char *text, uint64_t *ret_bytes)
{
	static const struct unit bytes = {"B", 1};
	const struct unit *unit = &bytes;
	struct number number;
	uint64_t sum = 0;
	int error;

	error = take_number(&text, &number);
	if (error < 0)
		return error;
	if (*text != '\0')
		unit = take_unit(&text, size_units);
	if (unit == NULL || *text != '\0')
		return -EINVAL;
	error = add_scaled(&sum, &number, unit->factor);
	if (error == 0)
		*ret_bytes = sum;
	return error;
}

int units_parse_count(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *ret_value)
{
	uint64_t value;
	int error;

	error = take_digits(text, 10, &value);
	if (error < 0)
		return error;
	if (value < minimum || value > maximum)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int units_parse_octal(const char *text, unsigned maximum, unsigned *ret_value)
{
	uint64_t value;
	int error;

	error = take_digits(text, 8, &value);
	if (error < 0)
		return error;
	if (value > maximum)
		return -ERANGE;
	*ret_value = (unsigned)value;
	return 0;
}

const char *units_format_duration(int64_t ns, char *buffer, size_t size)
{
	uint64_t rest = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	char text[96];
	size_t at = 0;

	if (ns < 0)
		text[at++] = '-';
	for (const struct unit *unit = duration_units; unit->name != NULL; unit++) {
		uint64_t count = rest / unit->factor;

		if (count == 0)
			continue;
		rest %= unit->factor;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%" PRIu64, count);
		/* The smallest unit carries the nanoseconds. */
		if (unit->factor == NS_PER_US && rest > 0) {
			at += (size_t)snprintf(text + at, sizeof(text) - at, ".%03" PRIu64, rest);
			while (text[at - 1] == '0')
				at--;
			rest = 0;
		}
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s", unit->name);
	}
	if (rest > 0) {
		at += (size_t)snprintf(text + at, sizeof(text) - at, "0.%03" PRIu64, rest);
		while (text[at - 1] == '0')
			at--;
		(void)snprintf(text + at, sizeof(text) - at, "us");
	}
	if (ns == 0)
		snprintf(text, sizeof(text), "0s");
	snprintf(buffer, size, "%s", text);
	return buffer;
}

const char *units_format_age(int64_t ns, char *buffer, size_t size)
{
	uint64_t rest = ns < 0 ? 0 : (uint64_t)ns;
	const struct unit *unit = duration_units;
	uint64_t first;
	char text[64];
	int length;

	while (unit->factor > NS_PER_MS && rest < unit->factor)
		unit++;
	first = rest / unit->factor;
	rest %= unit->factor;
	length = snprintf(text, sizeof(text), "%" PRIu64 "%s", first, unit->name);
	/* Below ten seconds the milliseconds say nothing to a person; the second unit is the next
	 * one down. */
	if (unit->factor > NS_PER_S) {
		const struct unit *next = unit + 1;

		while (next->factor == unit->factor)
			next++;
		if (rest / next->factor > 0)
			snprintf(text + length, sizeof(text) - (size_t)length, "%" PRIu64 "%s",
			    rest / next->factor, next->name);
	}
	snprintf(buffer, size, "%s", text);
	return buffer;
}

const char *units_format_size(uint64_t bytes, char *buffer, size_t size)
{
	static const char letters[] = "KMGTPE";
	unsigned shift = 10, step = 0;
	uint64_t tenths;

	if (bytes < 1024) {
		snprintf(buffer, size, "%" PRIu64 "B", bytes);
		return buffer;
	}
	while (step < 5 && bytes >> shift >= 1024) {
		shift += 10;
		step++;
	}
	for (;;) {
		uint64_t mask = (UINT64_C(1) << shift) - 1;

		/* Round to a tenth; 1023.96K becomes 1M, not 1024K. */
		tenths =
		    (bytes >> shift) * 10 + ((((bytes & mask) >> (shift - 10)) * 10 + 512) >> 10);
		if (tenths < 10240 || step == 5)
			break;
		shift += 10;
		step++;
	}
	if (tenths >= 1000 || tenths % 10 == 0)
		snprintf(buffer, size, "%" PRIu64 "%c", (tenths + 5) / 10, letters[step]);
	else
		snprintf(buffer, size, "%" PRIu64 ".%u%c", tenths / 10, (unsigned)(tenths % 10),
		    letters[step]);
	return buffer;
}

static int take_number(const char **at, struct number *ret_number)
{
	struct number number = {0};
	const char *text = *at;

	if (!is_digit(*text))
		return -EINVAL;
	for (; is_digit(*text); text++) {
		if (__builtin_mul_overflow(number.whole, 10, &number.whole) ||
		    __builtin_add_overflow(number.whole, (uint64_t)(*text - '0'), &number.whole))
			return -ERANGE;
	}
	if (*text == '.') {
		number.fraction = ++text;
		while (is_digit(*text))
			text++;
		number.fraction_length = (size_t)(text - number.fraction);
		if (number.fraction_length == 0)
			return -EINVAL;
	}
	*at = text;
	*ret_number = number;
	return 0;
}

/* A unit ends at the end of the text or before the next number, so that "1min" is not 1m + "in". */
static const struct unit *take_unit(const char **at, const struct unit *units)
{
	size_t length = 0;

	while ((*at)[length] != '\0' && !is_digit((*at)[length]))
		length++;
	for (const struct unit *unit = units; unit->name != NULL; unit++) {
		if (strlen(unit->name) == length && strncmp(unit->name, *at, length) == 0) {
			*at += length;
			return unit;
		}
	}
	return NULL;
}

static int add_scaled(uint64_t *sum, const struct number *number, uint64_t factor)
{
	uint64_t whole, part = 0;

	/*
	 * Horner from the last digit.  Once a step is not divisible by ten the end result is not
	 * whole either, so the check of each step is exact.  No overflow: 10 * factor < 2^63.
	 */
	for (size_t i = number->fraction_length; i-- > 0;) {
		part += (uint64_t)(number->fraction[i] - '0') * factor;
		if (part % 10 != 0)
			return -EINVAL;
		part /= 10;
	}
	if (__builtin_mul_overflow(number->whole, factor, &whole) ||
	    __builtin_add_overflow(whole, part, &whole) || __builtin_add_overflow(*sum, whole, sum))
		return -ERANGE;
	return 0;
}

static int take_digits(const char *text, unsigned base, uint64_t *ret_value)
{
	uint64_t value = 0;
	bool overflow = false;

	if (*text == '\0')
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text >= (char)('0' + base))
			return -EINVAL;
		overflow = overflow || __builtin_mul_overflow(value, base, &value) ||
			   __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value);
	}
	if (overflow)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}
