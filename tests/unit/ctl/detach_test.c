/* SPDX-License-Identifier: ISC */
/* The keys that detach, among what is typed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/detach.h"

static struct detach parse(const char *text)
{
	struct detach detach;

	assert_int_equal(detach_parse(text, &detach), 0);
	return detach;
}

static void test_parse_when_it_is_a_list_of_keys_then_taken(void **state)
{
	struct detach detach = parse(DETACH_DEFAULT);

	(void)state;
	assert_int_equal(detach.count, 2);
	assert_int_equal(detach.keys[0], 0x10);
	assert_int_equal(detach.keys[1], 0x11);
	detach = parse("Ctrl-],ctrl-@,d");
	assert_int_equal(detach.count, 3);
	assert_memory_equal(detach.keys, "\x1d\0d", 3);
	assert_int_equal(parse("none").count, 0);
}

static void test_parse_when_it_is_none_then_refused(void **state)
{
	static const char *const bad[] = {
	    "", ",", "a,", ",a", "ab", "ctrl-", "ctrl-5", "ctrl-pp", " ", "a,a,a,a,a,a,a,a,a"};
	struct detach detach;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(detach_parse(bad[i], &detach), -EINVAL);
}

/* Each byte by itself comes to the same as all at once. */
static void expect(const char *keys, const char *typed, const char *passed, bool detaches)
{
	struct detach whole = parse(keys), bytewise = whole;
	unsigned char to[64], piece[16];
	size_t length = strlen(typed), at, each = 0;
	bool detached, now = false;

	at = detach_filter(&whole, (const unsigned char *)typed, length, to, &detached);
	assert_int_equal(at, strlen(passed));
	assert_memory_equal(to, passed, at);
	assert_int_equal(detached, detaches);
	for (size_t i = 0; i < length && !now; i++) {
		size_t count =
		    detach_filter(&bytewise, (const unsigned char *)typed + i, 1, piece, &now);

		assert_memory_equal(piece, passed + each, count);
		each += count;
	}
	assert_int_equal(each, at);
	assert_int_equal(now, detaches);
}

static void test_filter_when_keys_are_typed_then_only_all_of_them_detach(void **state)
{
	(void)state;
	expect(DETACH_DEFAULT, "ab", "ab", false);
	expect(DETACH_DEFAULT,
	    "ab\x10\x11"
	    "c",
	    "ab", true);
	expect(DETACH_DEFAULT, "a\x10", "a", false);
	expect(DETACH_DEFAULT,
	    "a\x10"
	    "b\x11",
	    "a\x10"
	    "b\x11",
	    false);
	expect(DETACH_DEFAULT, "\x10\x10\x11", "\x10", true);
	expect("ctrl-]", "a\x1d", "a", true);
	expect("none", "a\x10\x11", "a\x10\x11", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse_when_it_is_a_list_of_keys_then_taken),
	    cmocka_unit_test(test_parse_when_it_is_none_then_refused),
	    cmocka_unit_test(test_filter_when_keys_are_typed_then_only_all_of_them_detach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
