/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/expand.h. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "supervisord/engine/expand.h"

static const struct expand_words words = {
    .name = "web@3",
    .program = "web",
    .instance = "3",
    .user = "www",
    .home = "/srv/%{name}",
    .run_dir = "/run/x",
};

static void assert_expands(const char *text, const char *expected)
{
	char *result = NULL;

	assert_int_equal(expand_string(text, &words, &result), 0);
	assert_string_equal(result, expected);
	free(result);
}

static void test_known_words_are_replaced(void **state)
{
	(void)state;
	assert_expands("%{name} %{program} %{instance}", "web@3 web 3");
	assert_expands("%{user}:%{run_dir}", "www:/run/x");
	assert_expands("a%{name}b%{name}c", "aweb@3bweb@3c");
	assert_expands("", "");
}

static void test_what_is_put_in_is_not_expanded_again(void **state)
{
	(void)state;
	assert_expands("%{home}/a", "/srv/%{name}/a");
}

static void test_other_percents_are_left_alone(void **state)
{
	(void)state;
	assert_expands("%20 date +%s 100% %% %(name) %name% {name} %",
	    "%20 date +%s 100% %% %(name) %name% {name} %");
	assert_expands("%%{name}", "%web@3");
	/* And so is what would be a word. */
	assert_expands("%{percent}{name} %{percent}%{percent}{", "%{name} %%{");
}

static void test_unknown_or_open_word_is_refused(void **state)
{
	static const char *const bad[] = {"%{nam}", "%{names}", "%{}", "%{ name}", "%{name", "%{",
	    "%{%{name}}", "%{name} %{nope}"};
	char *result = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (expand_check(bad[i]) < 0 || expand_string(bad[i], &words, &result) != -EINVAL)
			fail_msg("'%s' was not refused", bad[i]);
	}
	assert_null(result);
	assert_int_equal(expand_check("%{name} %{nope}"), 8);
	assert_int_equal(expand_check("%{name} %s"), -1);
}

static void test_a_word_without_value_is_empty(void **state)
{
	struct expand_words none = {.name = "a"};
	char *result = NULL;

	(void)state;
	assert_int_equal(expand_string("<%{home}>", &none, &result), 0);
	assert_string_equal(result, "<>");
	free(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_words_are_replaced),
	    cmocka_unit_test(test_what_is_put_in_is_not_expanded_again),
	    cmocka_unit_test(test_other_percents_are_left_alone),
	    cmocka_unit_test(test_unknown_or_open_word_is_refused),
	    cmocka_unit_test(test_a_word_without_value_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
