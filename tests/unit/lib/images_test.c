/* SPDX-License-Identifier: ISC */
/* images_test.c: less is mapped, and nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/images.h"
#include "lib/units.h"

static const char *const words[] = {"one", "two", "three"}; /* relocated, then made read-only */
static int counted = 1;

/* KB of code that are mapped, of the executable and all libraries. */
static long count_code_kb(void)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	char line[512], flags[5];
	long kb = 0, more;
	bool code = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "%*x-%*x %4s", flags) == 1)
			code = strcmp(flags, "r-xp") == 0;
		else if (code && sscanf(line, "Rss: %ld kB", &more) == 1)
			kb += more;
	}
	assert_int_equal(fclose(file), 0);
	return kb;
}

static void test_let_go_when_only_a_part_is_used_again_then_less_is_mapped(void **state)
{
	long before;

	(void)state;
	before = count_code_kb();
	images_let_go();
	assert_true(count_code_kb() < before);
}

static void test_let_go_when_memory_was_written_to_then_it_is_kept(void **state)
{
	const char *const volatile *word = words;
	uint64_t size;

	(void)state;
	counted++;
	images_let_go();
	assert_int_equal(counted, 2);
	assert_string_equal(word[2], "three");
	assert_int_equal(units_parse_size("64K", &size), 0); /* code and constants come back */
	assert_int_equal(size, 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_let_go_when_only_a_part_is_used_again_then_less_is_mapped),
	    cmocka_unit_test(test_let_go_when_memory_was_written_to_then_it_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
