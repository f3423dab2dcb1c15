/* SPDX-License-Identifier: ISC */
/* What is to be switched off in a terminal again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/ttymodes.h"

static void expect(const char *output, const char *reset)
{
	struct ttymodes modes = {0}, bytewise = {0};
	char buffer[TTYMODES_RESET];

	ttymodes_note(&modes, (const unsigned char *)output, strlen(output));
	assert_string_equal(ttymodes_reset(&modes, buffer), reset);
	for (size_t i = 0; output[i] != '\0'; i++)
		ttymodes_note(&bytewise, (const unsigned char *)output + i, 1);
	assert_string_equal(ttymodes_reset(&bytewise, buffer), reset);
}

static void test_reset_when_modes_were_set_then_it_sets_them_back(void **state)
{
	(void)state;
	expect("plain \033[1mtext\033[m", "");
	expect("\033[?1049h", "\033[?1049l\033[m");
	expect("\033[?1049h\033[?1049l", "");
	expect("\033[?25l", "\033[?25h\033[m");
	expect("\033[?25h", "");
	expect("\033[?1000;1006h\033[?25l", "\033[?1000l\033[?1006l\033[?25h\033[m");
	expect("\033[?12345678901234567890h\033[?9999h", "");
	expect("\033[?2004", "");
	expect("\033[2004h\033?2004h", "");
}

static void test_reset_when_all_are_set_then_it_fits(void **state)
{
	struct ttymodes modes = {.changed = UINT32_MAX};
	char buffer[TTYMODES_RESET];

	(void)state;
	ttymodes_reset(&modes, buffer);
	assert_true(strlen(buffer) + 1 < sizeof(buffer));
	assert_string_equal(buffer + strlen(buffer) - 3, "\033[m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reset_when_modes_were_set_then_it_sets_them_back),
	    cmocka_unit_test(test_reset_when_all_are_set_then_it_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
