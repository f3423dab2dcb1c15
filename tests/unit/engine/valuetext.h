/* SPDX-License-Identifier: ISC */
/* valuetext.h: for tests of the types of values: what a text becomes when it is read and printed,
 * and what is said about a bad one. */
#ifndef TESTS_ENGINE_VALUETEXT_H
#define TESTS_ENGINE_VALUETEXT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisord/engine/value.h"

union any {
	char bytes[sizeof(struct stop_sequence)]; /* the largest */
	int64_t number;
	struct stop_sequence steps;
	struct check check;
	struct on_failure on_failure;
	double factor;
	char *text;
	string_list list;
	struct stdio stdio;
	struct exit_set exits;
};

static inline const struct key_row *row_of(const char *name)
{
	int index = keytable_find(program_rows, PROGRAM_KEY_COUNT, name);

	if (index >= 0)
		return &program_rows[index];
	index = keytable_find(setting_rows, SETTING_KEY_COUNT, name);
	assert_true(index >= 0);
	return &setting_rows[index];
}

/* `text` read as a value of `key` and printed again. */
static inline void assert_prints(const char *key, const char *text, const char *expected)
{
	struct value_input input = {.row = row_of(key), .items = &text, .count = 1};
	union any value = {{0}};
	char *problem = NULL, *printed = NULL;
	size_t size;
	FILE *file;

	assert_int_equal(value_parse(&input, &value, &problem), 0);
	file = open_memstream(&printed, &size);
	assert_non_null(file);
	value_write(input.row, &value, file);
	fclose(file);
	assert_string_equal(printed, expected);
	free(printed);
	value_done(input.row, &value, NULL);
}

static inline void assert_refused(const char *key, const char *text, const char *expected)
{
	struct value_input input = {.row = row_of(key), .items = &text, .count = 1};
	union any value = {{0}}, untouched = {{0}};
	char *problem = NULL;

	assert_int_equal(value_parse(&input, &value, &problem), -EINVAL);
	assert_string_equal(problem, expected);
	assert_memory_equal(&value, &untouched, sizeof(value));
	free(problem);
}

/* The same of a list. */
static inline void list_prints(
    const char *key, const char *const *items, size_t count, const char *expected)
{
	struct value_input input = {
	    .row = row_of(key), .items = items, .count = count, .list = true};
	union any value = {{0}};
	char *problem = NULL, *printed = NULL;
	size_t size;
	FILE *file;

	if (value_parse(&input, &value, &problem) != 0)
		fail_msg("%s: %s", key, problem);
	file = open_memstream(&printed, &size);
	assert_non_null(file);
	value_write(input.row, &value, file);
	fclose(file);
	assert_string_equal(printed, expected);
	free(printed);
	value_done(input.row, &value, NULL);
}

static inline void refuse_list(
    const char *key, const char *const *items, size_t count, bool shell, const char *expected)
{
	struct value_input input = {
	    .row = row_of(key), .items = items, .count = count, .list = true, .shell = shell};
	union any value = {{0}};
	char *problem = NULL;

	assert_int_equal(value_parse(&input, &value, &problem), -EINVAL);
	assert_string_equal(problem, expected);
	free(problem);
}

#endif
