/* SPDX-License-Identifier: ISC */
/*
 * valuenumber.c: the types that are one number within bounds, see valuetype.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"
#include "supervisord/engine/valuetype.h"

#define UNIT_TEXT 48

static int refuse(const struct value_input *input, int error, const char *what, char **ret_problem)
{
	return value_problem(
	    input, input->items[0], error == -ERANGE ? "is out of range" : what, ret_problem);
}

static int parse_octal(const struct value_input *input, void *ret_value, char **ret_problem)
{
	int error = units_parse_octal(input->items[0], (unsigned)input->row->maximum, ret_value);

	return error == 0 ? 0 : refuse(input, error, "is not an octal number", ret_problem);
}

static void write_octal(const void *value, FILE *file)
{
	fprintf(file, "%03o", *(const unsigned *)value);
}

static const char *allowed_octal(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	snprintf(
	    buffer, VALUE_ALLOWED, "an octal number from 0 to %" PRIo64, (uint64_t)row->maximum);
	return buffer;
}

static int parse_duration(const struct value_input *input, void *ret_value, char **ret_problem)
{
	int64_t ns;
	int error;

	error = units_parse_duration(input->items[0], &ns);
	if (error == 0 && (ns < input->row->minimum || ns > input->row->maximum))
		error = -ERANGE;
	if (error < 0)
		return refuse(input, error, "is not a duration", ret_problem);
	*(int64_t *)ret_value = ns;
	return 0;
}

static void write_duration(const void *value, FILE *file)
{
	char text[UNIT_TEXT];

	fputs(units_format_duration(*(const int64_t *)value, text, sizeof(text)), file);
}

static const char *allowed_duration(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	char least[UNIT_TEXT], most[UNIT_TEXT];

	snprintf(buffer, VALUE_ALLOWED, "a duration from %s to %s, such as 500ms, 10s or 1min30s,",
	    units_format_duration(row->minimum, least, sizeof(least)),
	    units_format_duration(row->maximum, most, sizeof(most)));
	return buffer;
}

/* The largest unit that divides it, so that nothing is rounded. */
static const char *format_size(uint64_t bytes, char buffer[UNIT_TEXT])
{
	static const struct {
		const char *name;
		uint64_t factor;
	} units[] = {{"GB", 1000000000}, {"GiB", 1 << 30}, {"MB", 1000000}, {"MiB", 1 << 20},
	    {"KB", 1000}, {"KiB", 1024}, {"B", 1}};
	size_t i = 0;

	while (units[i].factor > 1 && (bytes == 0 || bytes % units[i].factor != 0))
		i++;
	snprintf(buffer, UNIT_TEXT, "%" PRIu64 "%s", bytes / units[i].factor, units[i].name);
	return buffer;
}

static int parse_size(const struct value_input *input, void *ret_value, char **ret_problem)
{
	uint64_t bytes;
	int error;

	error = units_parse_size(input->items[0], &bytes);
	if (error == 0 &&
	    (bytes < (uint64_t)input->row->minimum || bytes > (uint64_t)input->row->maximum))
		error = -ERANGE;
	if (error < 0)
		return refuse(input, error, "is not a size", ret_problem);
	*(uint64_t *)ret_value = bytes;
	return 0;
}

static void write_size(const void *value, FILE *file)
{
	char text[UNIT_TEXT];

	fputs(format_size(*(const uint64_t *)value, text), file);
}

static const char *allowed_size(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	char least[UNIT_TEXT], most[UNIT_TEXT];

	snprintf(buffer, VALUE_ALLOWED, "a size from %s to %s, such as 64K, 10MB or 1GiB,",
	    format_size((uint64_t)row->minimum, least), format_size((uint64_t)row->maximum, most));
	return buffer;
}

static int parse_count(const struct value_input *input, void *ret_value, char **ret_problem)
{
	const struct key_row *row = input->row;
	uint64_t count;
	int error;

	error = units_parse_count(
	    input->items[0], (uint64_t)row->minimum, (uint64_t)row->maximum, &count);
	if (error < 0)
		return refuse(input, error, "is not a number", ret_problem);
	*(uint32_t *)ret_value = (uint32_t)count;
	return 0;
}

static void write_count(const void *value, FILE *file)
{
	fprintf(file, "%" PRIu32, *(const uint32_t *)value);
}

static const char *allowed_count(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	snprintf(buffer, VALUE_ALLOWED, "a whole number from %" PRId64 " to %" PRId64, row->minimum,
	    row->maximum);
	return buffer;
}

static int parse_instances(const struct value_input *input, void *ret_value, char **ret_problem)
{
	if (strcmp(input->items[0], "cpus") != 0)
		return parse_count(input, ret_value, ret_problem);
	*(uint32_t *)ret_value = INSTANCES_CPUS;
	return 0;
}

static void write_instances(const void *value, FILE *file)
{
	if (*(const uint32_t *)value == INSTANCES_CPUS)
		fputs("cpus", file);
	else
		write_count(value, file);
}

static const char *allowed_instances(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	snprintf(buffer, VALUE_ALLOWED, "a whole number from %" PRId64 " to %" PRId64 ", or cpus,",
	    row->minimum, row->maximum);
	return buffer;
}

/* "10%" or "10" */
static int parse_percent(const struct value_input *input, void *ret_value, char **ret_problem)
{
	const struct key_row *row = input->row;
	const char *text = input->items[0];
	size_t length = strspn(text, "0123456789");
	char digits[UNIT_TEXT];
	uint64_t percent;
	int error = -EINVAL;

	if (length >= sizeof(digits))
		error = -ERANGE;
	else if (text[length] == '\0' || strcmp(text + length, "%") == 0) {
		memcpy(digits, text, length);
		digits[length] = '\0';
		error = units_parse_count(
		    digits, (uint64_t)row->minimum, (uint64_t)row->maximum, &percent);
	}
	if (error < 0)
		return refuse(input, error, "is not a percentage", ret_problem);
	*(uint32_t *)ret_value = (uint32_t)percent;
	return 0;
}

static void write_percent(const void *value, FILE *file)
{
	fprintf(file, "%" PRIu32 "%%", *(const uint32_t *)value);
}

static const char *allowed_percent(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	snprintf(buffer, VALUE_ALLOWED, "a whole percentage from %" PRId64 "%% to %" PRId64 "%%",
	    row->minimum, row->maximum);
	return buffer;
}

static int parse_factor(const struct value_input *input, void *ret_value, char **ret_problem)
{
	const char *text = input->items[0];
	size_t whole = strspn(text, "0123456789"), length = whole, fraction = 0;
	double factor;

	if (text[whole] == '.') {
		fraction = strspn(text + whole + 1, "0123456789");
		length = whole + 1 + fraction;
	}
	/* strtod(3) takes much more: blanks, signs, exponents, hexadecimal, "inf". */
	if (whole == 0 || text[length] != '\0' || (text[whole] == '.' && fraction == 0))
		return refuse(input, -EINVAL, "is not a number", ret_problem);
	factor = strtod(text, NULL);
	if (!(factor >= (double)input->row->minimum && factor <= (double)input->row->maximum))
		return refuse(input, -ERANGE, NULL, ret_problem);
	*(double *)ret_value = factor;
	return 0;
}

static void write_factor(const void *value, FILE *file)
{
	fprintf(file, "%.15g", *(const double *)value);
}

static const char *allowed_factor(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	snprintf(buffer, VALUE_ALLOWED, "a number from %" PRId64 " to %" PRId64 ", such as 1.5,",
	    row->minimum, row->maximum);
	return buffer;
}

const struct value_type value_octal = {parse_octal, NULL, write_octal, allowed_octal};
const struct value_type value_duration = {parse_duration, NULL, write_duration, allowed_duration};
const struct value_type value_size = {parse_size, NULL, write_size, allowed_size};
const struct value_type value_count = {parse_count, NULL, write_count, allowed_count};
const struct value_type value_instances = {
    parse_instances, NULL, write_instances, allowed_instances};
const struct value_type value_factor = {parse_factor, NULL, write_factor, allowed_factor};
const struct value_type value_percent = {parse_percent, NULL, write_percent, allowed_percent};
