/* SPDX-License-Identifier: ISC */
/*
 * valuesignal.c: signals, and sets of exit codes and signals, see valuetype.h.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lib/signame.h"
#include "lib/units.h"
#include "supervisord/engine/valuetype.h"

#define SIGNAL_TEXT 16
#define CODE_MAX    255
#define CODE_TEXT   24

static int parse_signal(const struct value_input *input, void *ret_value, char **ret_problem)
{
	int number = signame_parse(input->items[0]);

	if (number < 0)
		return value_problem(input, input->items[0], "is not a signal", ret_problem);
	*(int *)ret_value = number;
	return 0;
}

static void write_signal(const void *value, FILE *file)
{
	int number = *(const int *)value;
	char text[SIGNAL_TEXT];

	if (number > 0)
		fputs(signame_format(number, text, sizeof(text)), file);
}

static const char *allowed_signal(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "a signal, such as TERM, HUP or \"RTMIN+3\",");
	return buffer;
}

/* "5" or "1-50".  -EINVAL: neither; -ERANGE. */
static int parse_codes(const char *text, uint64_t *ret_first, uint64_t *ret_last)
{
	size_t length = strspn(text, "0123456789");
	char digits[CODE_TEXT];
	int error;

	if (length == 0)
		return -EINVAL;
	if (length >= sizeof(digits))
		return -ERANGE;
	memcpy(digits, text, length);
	digits[length] = '\0';
	error = units_parse_count(digits, 0, CODE_MAX, ret_first);
	*ret_last = *ret_first;
	if (error == 0 && text[length] != '\0')
		error = text[length] != '-'
			    ? -EINVAL
			    : units_parse_count(text + length + 1, *ret_first, CODE_MAX, ret_last);
	return error;
}

/* A number is always a code: signals go by their names here. */
static int parse_exits(const struct value_input *input, void *ret_value, char **ret_problem)
{
	struct exit_set set = {0};

	for (size_t i = 0; i < input->count; i++) {
		uint64_t first = 0, last = 0;
		int error, number;

		error = parse_codes(input->items[i], &first, &last);
		for (uint64_t code = first; error == 0 && code <= last; code++)
			set.codes[code / 64] |= UINT64_C(1) << code % 64;
		if (error == 0)
			continue;
		number = error == -ERANGE ? -EINVAL : signame_parse(input->items[i]);
		if (number < 0)
			return value_problem(input, input->items[i],
			    error == -ERANGE ? "is out of range"
					     : "is neither an exit code nor a signal",
			    ret_problem);
		set.signals |= UINT64_C(1) << ((unsigned)number - 1);
	}
	*(struct exit_set *)ret_value = set;
	return 0;
}

static bool has_code(const struct exit_set *set, unsigned code)
{
	return code <= CODE_MAX && (set->codes[code / 64] >> code % 64 & 1) != 0;
}

static void write_exits(const void *value, FILE *file)
{
	const struct exit_set *set = value;
	const char *separator = "";
	char text[SIGNAL_TEXT];

	putc('{', file);
	for (unsigned code = 0, last; code <= CODE_MAX; code = last + 1) {
		for (last = code; has_code(set, code) && has_code(set, last + 1);)
			last++;
		if (!has_code(set, code))
			continue;
		fprintf(file, "%s%u", separator, code);
		if (last > code)
			fprintf(file, "-%u", last);
		separator = ", ";
	}
	for (int number = 1; number <= 64; number++) {
		if ((set->signals >> (number - 1) & 1) != 0) {
			fprintf(
			    file, "%s%s", separator, signame_format(number, text, sizeof(text)));
			separator = ", ";
		}
	}
	putc('}', file);
}

static const char *allowed_exits(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED,
	    "a list of exit codes from 0 to 255, ranges of them and signals by name, such as {0, "
	    "10-19, TERM},");
	return buffer;
}

const struct value_type value_signal = {parse_signal, NULL, write_signal, allowed_signal};
const struct value_type value_exits = {parse_exits, NULL, write_exits, allowed_exits};
