/* SPDX-License-Identifier: ISC */
/* Lines out of shared memory: whole, once, and after a death at any instruction. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/inbox.h"

static struct inbox *box;
static struct inbox_view view;

static int set_up(void **state)
{
	(void)state;
	box = calloc(1, sizeof(*box));
	assert_non_null(box);
	inbox_attach(&view, box);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(box);
	return 0;
}

static void put(const char *bytes, size_t length)
{
	while (length > 0) {
		size_t room;
		char *to = inbox_get_room(&view, &room);
		size_t part = length < room ? length : room;

		assert_true(room > 0);
		memcpy(to, bytes, part);
		inbox_add(&view, part);
		bytes += part;
		length -= part;
	}
}

static void put_text(const char *text)
{
	put(text, strlen(text));
}

/* Take a line, which must be this. */
static void take(const char *wanted)
{
	const char *line = NULL;
	size_t length = 0;

	assert_int_equal(inbox_next(&view, &line, &length), INBOX_LINE);
	assert_int_equal(length, strlen(wanted));
	assert_memory_equal(line, wanted, length);
	inbox_take(&view, length);
}

static void nothing(void)
{
	const char *line;
	size_t length;

	assert_int_equal(inbox_next(&view, &line, &length), INBOX_NOTHING);
}

static void test_next_when_lines_come_in_parts_then_each_is_whole(void **state)
{
	(void)state;
	nothing();
	put_text("{\"a\"");
	nothing();
	put_text(":1}\n\n2\n3");
	take("{\"a\":1}");
	take("");
	take("2");
	nothing();
	put_text("4\n");
	take("34");
	nothing();
}

static void test_next_when_not_taken_then_it_stays(void **state)
{
	const char *line = NULL;
	size_t length = 0;

	(void)state;
	put_text("one\ntwo\n");
	for (int i = 0; i < 3; i++)
		assert_int_equal(inbox_next(&view, &line, &length), INBOX_LINE);
	take("one");
	take("two");
}

static void test_attach_when_killed_after_a_read_then_the_bytes_are_there(void **state)
{
	size_t room;

	(void)state;
	put_text("one\ntwo\nthr");
	take("one");
	/* What the kernel has written and nobody has counted. */
	memcpy(inbox_get_room(&view, &room), "ee\nfo", 5);
	inbox_attach(&view, box);
	take("two");
	take("three");
	nothing();
	put_text("ur\n");
	take("four");
}

static void test_attach_when_all_was_taken_then_empty(void **state)
{
	(void)state;
	put_text("one\n");
	take("one");
	inbox_attach(&view, box);
	nothing();
	put_text("two\n");
	take("two");
}

static void test_next_when_longest_then_whole_and_one_more_is_left_out(void **state)
{
	static char text[LIMIT_IPC_LINE + 2];
	const char *line = NULL;
	size_t length = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[LIMIT_IPC_LINE] = '\n';
	put(text, LIMIT_IPC_LINE + 1);
	assert_int_equal(inbox_next(&view, &line, &length), INBOX_LINE);
	assert_int_equal(length, LIMIT_IPC_LINE);
	inbox_take(&view, length);
	text[LIMIT_IPC_LINE] = 'x';
	put(text, LIMIT_IPC_LINE + 1);
	assert_int_equal(inbox_next(&view, &line, &length), INBOX_TOO_LONG);
	assert_int_equal(line[0], 'x');
	nothing();
	put(text, 100);
	nothing();
	inbox_attach(&view, box);
	put_text("x\nafter\n");
	take("after");
	nothing();
}

static void test_room_when_a_line_has_begun_at_the_end_then_it_moves(void **state)
{
	static char text[LIMIT_IPC_LINE];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[LIMIT_IPC_LINE - 10] = '\n';
	put(text, LIMIT_IPC_LINE);
	text[LIMIT_IPC_LINE - 10] = '\0';
	take(text);
	nothing();
	put_text("yyyy\n");
	take("xxxxxxxxxyyyy");
	nothing();
}

/* A death while what was dealt with is being zeroed, or moved, leaves rubbish behind. */
static void test_attach_when_cleaning_was_cut_short_then_nothing_comes_of_it(void **state)
{
	(void)state;
	put_text("one\ntwo");
	take("one");
	atomic_store(&box->cleaning, 1);
	memcpy(box->bytes[1] + 100, "rubbish\n", 8);
	memcpy(box->bytes[0] + 5000, "rubbish\n", 8);
	inbox_attach(&view, box);
	put_text("\n");
	take("two");
	nothing();
	assert_int_equal(box->bytes[1][100], 0);
	assert_int_equal(box->bytes[0][5000], 0);
}

static void test_attach_when_memory_is_nonsense_then_empty(void **state)
{
	(void)state;
	atomic_store(&box->place, UINT64_MAX);
	memset(box->bytes, 'x', sizeof(box->bytes));
	inbox_attach(&view, box);
	nothing();
	put_text("one\n");
	take("one");
}

/* JSON has none, but who sends is not bound to that: it harms its own lines only. */
static void test_next_when_there_are_zero_bytes_then_later_lines_are_whole(void **state)
{
	const char *line = NULL;
	size_t length = 0;
	int lines = 0;

	(void)state;
	put("a\0b\nnext\n\0\0", 11);
	assert_int_equal(inbox_next(&view, &line, &length), INBOX_LINE);
	assert_int_equal(length, 3);
	inbox_take(&view, length);
	take("next");
	nothing();
	inbox_attach(&view, box);
	put("\0\nafter\n", 8);
	while (inbox_next(&view, &line, &length) == INBOX_LINE && memcmp(line, "after", 5) != 0) {
		inbox_take(&view, length);
		assert_true(++lines < 3);
	}
	take("after");
	nothing();
}

static void test_next_when_all_are_empty_lines_then_each_is_one(void **state)
{
	static char text[1000];

	(void)state;
	memset(text, '\n', sizeof(text));
	put(text, sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++) {
		take("");
		if (i % 100 == 0)
			inbox_attach(&view, box);
	}
	nothing();
}

static void test_clear_when_skipping_then_the_next_line_is_whole(void **state)
{
	static char text[LIMIT_IPC_LINE + 1];
	const char *line = NULL;
	size_t length = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	put(text, sizeof(text));
	assert_int_equal(inbox_next(&view, &line, &length), INBOX_TOO_LONG);
	/* Of another run: its first line is not the rest of that. */
	inbox_clear(&view);
	put_text("first\n");
	take("first");
	nothing();
	for (size_t i = 0; i < INBOX_BYTES; i++)
		assert_true(box->bytes[0][i] == 0 && box->bytes[1][i] == 0);
}

/* However often the bytes come to lie where others have been, and over deaths. */
static void test_mark_is_of_one_line_only(void **state)
{
	uint64_t marks[64];
	const char *line;
	size_t length;

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		put_text("[1]\n");
		assert_int_equal(inbox_next(&view, &line, &length), INBOX_LINE);
		marks[i] = inbox_get_mark(&view);
		assert_int_not_equal(marks[i], 0);
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(marks[k], marks[i]);
		inbox_attach(&view, box);
		assert_int_equal(inbox_get_mark(&view), marks[i]);
		if (i % 7 == 6)
			inbox_clear(&view);
		else
			take("[1]");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(test_mark_is_of_one_line_only),
	    TEST(test_next_when_lines_come_in_parts_then_each_is_whole),
	    TEST(test_next_when_not_taken_then_it_stays),
	    TEST(test_attach_when_killed_after_a_read_then_the_bytes_are_there),
	    TEST(test_attach_when_all_was_taken_then_empty),
	    TEST(test_next_when_longest_then_whole_and_one_more_is_left_out),
	    TEST(test_room_when_a_line_has_begun_at_the_end_then_it_moves),
	    TEST(test_attach_when_cleaning_was_cut_short_then_nothing_comes_of_it),
	    TEST(test_attach_when_memory_is_nonsense_then_empty),
	    TEST(test_next_when_there_are_zero_bytes_then_later_lines_are_whole),
	    TEST(test_next_when_all_are_empty_lines_then_each_is_one),
	    TEST(test_clear_when_skipping_then_the_next_line_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
