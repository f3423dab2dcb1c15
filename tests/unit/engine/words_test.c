/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/words.h. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisord/engine/words.h"

/* The words joined by '|', as one string of static storage. */
static const char *split(const char *text)
{
	static char joined[256];
	const char *problem = NULL;
	char **words;

	assert_int_equal(words_split(text, 16, &words, &problem), 0);
	joined[0] = '\0';
	for (size_t i = 0; words[i] != NULL; i++) {
		if (i > 0)
			strcat(joined, "|");
		strcat(joined, words[i]);
	}
	free(words);
	return joined;
}

static void test_split_at_blanks_gives_words(void **state)
{
	(void)state;
	assert_string_equal(split("a b  c\td\ne"), "a|b|c|d|e");
	assert_string_equal(split("  a  "), "a");
	assert_string_equal(split(""), "");
	assert_string_equal(split(" \t\n"), "");
}

static void test_split_of_quotes_takes_them_off(void **state)
{
	(void)state;
	assert_string_equal(split("'a b' \"c d\""), "a b|c d");
	assert_string_equal(split("a'b c'd"), "ab cd");
	assert_string_equal(split("'' x \"\""), "|x|");
	assert_string_equal(split("'a\\b\"c'"), "a\\b\"c");
	assert_string_equal(split("\"a'b\""), "a'b");
	assert_string_equal(split("\"\\\" \\\\ \\$ \\` \\n\""), "\" \\ $ ` \\n");
}

static void test_split_of_backslash_outside_quotes_takes_the_next_character(void **state)
{
	(void)state;
	assert_string_equal(split("a\\ b \\'c \\\\ \\n"), "a b|'c|\\|n");
}

static void test_split_expands_nothing(void **state)
{
	(void)state;
	assert_string_equal(
	    split("echo $HOME ${X} `id` $(id) *.c ~ a;b|c&d>e<f #g %{name} !h {a,b}"),
	    "echo|$HOME|${X}|`id`|$(id)|*.c|~|a;b|c&d>e<f|#g|%{name}|!h|{a,b}");
}

static void test_split_of_an_open_quote_is_refused(void **state)
{
	const char *problem = NULL;
	char **words = NULL;

	(void)state;
	assert_int_equal(words_split("a \"b c", 16, &words, &problem), -EINVAL);
	assert_string_equal(problem, "a \" that is not closed");
	assert_int_equal(words_split("a 'b c", 16, &words, &problem), -EINVAL);
	assert_string_equal(problem, "a ' that is not closed");
	assert_int_equal(words_split("a \"b\\\"", 16, &words, &problem), -EINVAL);
	assert_int_equal(words_split("a b\\", 16, &words, &problem), -EINVAL);
	assert_string_equal(problem, "a backslash at the end");
	assert_null(words);
}

static void test_split_beyond_the_limit_is_refused(void **state)
{
	const char *problem = NULL;
	char **words = NULL;

	(void)state;
	assert_int_equal(words_split("a b c", 2, &words, &problem), -E2BIG);
	assert_null(words);
	assert_int_equal(words_split("a b", 2, &words, &problem), 0);
	free(words);
}

static void test_copy_is_independent_of_the_original(void **state)
{
	char first[] = "one", second[] = "";
	const char *const words[] = {first, second};
	char **copy = words_copy(words, 2);

	(void)state;
	assert_non_null(copy);
	first[0] = 'x';
	assert_string_equal(copy[0], "one");
	assert_string_equal(copy[1], "");
	assert_null(copy[2]);
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_split_at_blanks_gives_words),
	    cmocka_unit_test(test_split_of_quotes_takes_them_off),
	    cmocka_unit_test(test_split_of_backslash_outside_quotes_takes_the_next_character),
	    cmocka_unit_test(test_split_expands_nothing),
	    cmocka_unit_test(test_split_of_an_open_quote_is_refused),
	    cmocka_unit_test(test_split_beyond_the_limit_is_refused),
	    cmocka_unit_test(test_copy_is_independent_of_the_original),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
