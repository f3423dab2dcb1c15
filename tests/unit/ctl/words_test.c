/* SPDX-License-Identifier: ISC */
/* words_test.c: what a typed line is divided into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/words.h"

/* `expected`: the words, each behind a '|'. */
static void assert_words(const char *line, const char *expected, bool open, bool blank)
{
	char joined[256] = "";
	struct words words;

	assert_int_equal(words_split(line, strlen(line), &words), 0);
	for (size_t i = 0; i < words.count; i++) {
		strcat(joined, "|");
		strcat(joined, words.list[i]);
	}
	assert_string_equal(joined, expected);
	assert_int_equal(words.open, open);
	assert_int_equal(words.blank, blank);
	words_done(&words);
}

static void test_words_when_plain_then_between_blanks(void **state)
{
	(void)state;
	assert_words("", "", false, true);
	assert_words("  \t\n", "", false, true);
	assert_words("a", "|a", false, false);
	assert_words(" start  web\tdb\n", "|start|web|db", false, true);
	assert_words("a b c d e f g h", "|a|b|c|d|e|f|g|h", false, false);
}

static void test_words_when_quoted_then_as_sh_does(void **state)
{
	(void)state;
	assert_words("'a b' \"c d\"", "|a b|c d", false, false);
	assert_words("a\\ b 'c\\d' \"e\\\"f\\g\"", "|a b|c\\d|e\"f\\g", false, false);
	assert_words("''", "|", false, false);
	assert_words("x'' ''y '\"'", "|x|y|\"", false, false);
	assert_words("'$HOME' *", "|$HOME|*", false, false);
}

static void test_words_when_a_quote_is_open_then_told(void **state)
{
	(void)state;
	assert_words("a 'b c", "|a|b c", true, false);
	assert_words("\"", "|", true, false);
	assert_words("a\\", "|a\\", false, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words_when_plain_then_between_blanks),
	    cmocka_unit_test(test_words_when_quoted_then_as_sh_does),
	    cmocka_unit_test(test_words_when_a_quote_is_open_then_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
