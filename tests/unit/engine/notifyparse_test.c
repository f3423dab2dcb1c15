/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/notifyparse.h: what a program may say, and what it may not. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisord/engine/notifyparse.h"

#define ELLIPSIS "\xe2\x80\xa6"

/* From a copy of exactly that length, so that a sanitizer sees each byte too many. */
static struct notify_message parse_bytes(const char *bytes, size_t length)
{
	struct notify_message message;
	char *copy = malloc(length > 0 ? length : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	memset(&message, 0x55, sizeof(message));
	notify_parse(copy, length, &message);
	free(copy);
	return message;
}

static struct notify_message parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void assert_nothing(struct notify_message message)
{
	assert_false(message.ready || message.reloading || message.stopping);
	assert_false(message.watchdog || message.watchdog_trigger || message.barrier);
	assert_false(message.fdstore || message.fdstore_remove || message.has_status);
	assert_int_equal(message.error, -1);
	assert_int_equal(message.main_pid, -1);
	assert_int_equal(message.monotonic_us, -1);
	assert_int_equal(message.extend_us, -1);
	assert_int_equal(message.watchdog_us, -1);
	assert_string_equal(message.status, "");
	assert_string_equal(message.fdname, "");
}

static void test_each_flag_when_it_is_1_then_it_is_set_and_nothing_else(void **context)
{
	static const struct {
		const char *text;
		size_t offset;
	} cases[] = {
	    {"READY=1", offsetof(struct notify_message, ready)},
	    {"RELOADING=1", offsetof(struct notify_message, reloading)},
	    {"STOPPING=1", offsetof(struct notify_message, stopping)},
	    {"WATCHDOG=1", offsetof(struct notify_message, watchdog)},
	    {"WATCHDOG=trigger", offsetof(struct notify_message, watchdog_trigger)},
	    {"BARRIER=1", offsetof(struct notify_message, barrier)},
	    {"FDSTORE=1", offsetof(struct notify_message, fdstore)},
	    {"FDSTOREREMOVE=1", offsetof(struct notify_message, fdstore_remove)},
	};

	(void)context;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct notify_message message = parse(cases[i].text);
		bool *flag = (bool *)((char *)&message + cases[i].offset);

		assert_true(*flag);
		*flag = false;
		assert_nothing(message);
	}
}

static void test_each_number_when_it_is_one_then_it_is_read_and_nothing_else(void **context)
{
	static const struct {
		const char *text;
		size_t offset;
		int64_t value;
	} cases[] = {
	    {"ERRNO=0", offsetof(struct notify_message, error), 0},
	    {"ERRNO=4095", offsetof(struct notify_message, error), 4095},
	    {"MAINPID=1", offsetof(struct notify_message, main_pid), 1},
	    {"MAINPID=2147483647", offsetof(struct notify_message, main_pid), INT_MAX},
	    {"MONOTONIC_USEC=123456789012", offsetof(struct notify_message, monotonic_us),
		123456789012},
	    {"EXTEND_TIMEOUT_USEC=20000000", offsetof(struct notify_message, extend_us), 20000000},
	    {"WATCHDOG_USEC=0", offsetof(struct notify_message, watchdog_us), 0},
	    {"WATCHDOG_USEC=0000000000000000000000001",
		offsetof(struct notify_message, watchdog_us), 1},
	    /* "infinity" */
	    {"WATCHDOG_USEC=18446744073709551615", offsetof(struct notify_message, watchdog_us),
		INT64_MAX},
	};

	(void)context;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct notify_message message = parse(cases[i].text);
		int64_t *number = (int64_t *)(void *)((char *)&message + cases[i].offset);

		assert_int_equal(*number, cases[i].value);
		*number = -1;
		assert_nothing(message);
	}
}

static void test_junk_when_it_comes_alone_then_nothing_is_said(void **context)
{
	static const char *const junk[] = {"", "\n", "\n\n\n", "=", "=1", "READY",
	    "READY=", "READY=0", "READY=01", "READY=1 ", " READY=1", "ready=1", "READY =1",
	    "READY=1\r", "XREADY=1", "READYX=1", "FDPOLL=0", "X_FOO=bar", "WATCHDOG=yes",
	    "BARRIER=2", "ERRNO=", "ERRNO=-1", "ERRNO=+1", "ERRNO=4096", "ERRNO=1x", "ERRNO=0x10",
	    "ERRNO= 1", "MAINPID=0", "MAINPID=2147483648", "MAINPID=self",
	    "MAINPID=18446744073709551617", "EXTEND_TIMEOUT_USEC=18446744073709551616",
	    "EXTEND_TIMEOUT_USEC=1s", "MONOTONIC_USEC=99999999999999999999999999999999999999",
	    "FDNAME=", "FDNAME=a:b", "FDNAME=a\tb", "FDNAME=\xc3\xa4", "STATU=x", "STATUSX=x"};

	(void)context;
	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		assert_nothing(parse(junk[i]));
}

static void test_lines_when_there_are_several_then_each_counts(void **context)
{
	struct notify_message message;

	(void)context;
	message = parse("READY=1\nSTATUS=3 workers\n\nnonsense\nMAINPID=42\nUNKNOWN=1\n"
			"FDSTORE=1\nFDNAME=listener 1\nERRNO=2");
	assert_true(message.ready);
	assert_true(message.has_status);
	assert_string_equal(message.status, "3 workers");
	assert_int_equal(message.main_pid, 42);
	assert_true(message.fdstore);
	assert_string_equal(message.fdname, "listener 1");
	assert_int_equal(message.error, 2);
	assert_false(message.reloading);
}

static void test_a_name_when_it_comes_twice_then_the_last_one_counts(void **context)
{
	struct notify_message message;

	(void)context;
	message = parse("READY=1\nSTATUS=long text\nMAINPID=1\nFDNAME=one\nWATCHDOG=1\n"
			"READY=0\nSTATUS=b\nMAINPID=2\nFDNAME=two\nWATCHDOG=trigger\n");
	assert_false(message.ready);
	assert_string_equal(message.status, "b");
	assert_int_equal(message.main_pid, 2);
	assert_string_equal(message.fdname, "two");
	assert_false(message.watchdog);
	assert_true(message.watchdog_trigger);
	/* A bad one takes away what stood there before. */
	message = parse("FDNAME=one\nMAINPID=7\nFDNAME=a:b\nMAINPID=x");
	assert_string_equal(message.fdname, "");
	assert_int_equal(message.main_pid, -1);
}

static void test_nul_bytes_when_one_is_in_a_line_then_that_line_is_left_out(void **context)
{
	static const char inside[] = "READY=1\0\nSTOPPING=1\nSTATUS=a\0b\nMAINPID=5";
	static const char at_end[] = "READY=1\nSTATUS=x\0";
	static const char only[] = "\0\0\0\0";
	struct notify_message message;

	(void)context;
	message = parse_bytes(inside, sizeof(inside) - 1);
	assert_false(message.ready);
	assert_true(message.stopping);
	assert_false(message.has_status);
	assert_int_equal(message.main_pid, 5);
	/* The one of a string that was sent with its end. */
	message = parse_bytes(at_end, sizeof(at_end) - 1);
	assert_true(message.ready);
	assert_string_equal(message.status, "x");
	assert_nothing(parse_bytes(only, sizeof(only)));
}

static void test_status_when_empty_then_it_is_said(void **context)
{
	struct notify_message message = parse("STATUS=");

	(void)context;
	assert_true(message.has_status);
	assert_string_equal(message.status, "");
	/* All behind the first "=". */
	message = parse("STATUS=a=b");
	assert_string_equal(message.status, "a=b");
}

static void test_status_when_it_fits_exactly_then_it_is_whole(void **context)
{
	char text[7 + LIMIT_STATUS_TEXT + 1] = "STATUS=";
	struct notify_message message;

	(void)context;
	memset(text + 7, 'x', LIMIT_STATUS_TEXT - 1);
	message = parse(text);
	assert_int_equal(strlen(message.status), LIMIT_STATUS_TEXT - 1);
	assert_string_equal(message.status, text + 7);
	/* One more, and the last three make place for the mark. */
	text[7 + LIMIT_STATUS_TEXT - 1] = 'x';
	message = parse(text);
	assert_int_equal(strlen(message.status), LIMIT_STATUS_TEXT - 1);
	assert_string_equal(message.status + LIMIT_STATUS_TEXT - 4, ELLIPSIS);
	assert_memory_equal(message.status, text + 7, LIMIT_STATUS_TEXT - 4);
}

/* Wherever the cut falls: whole characters, then the mark. */
static void test_status_when_cut_then_at_a_whole_character(void **context)
{
	static const char *const characters[] = {
	    "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}; /* of 2, 3 and 4 bytes */

	(void)context;
	for (size_t kind = 0; kind < 3; kind++) {
		for (size_t shift = 0; shift < 5; shift++) {
			size_t size = strlen(characters[kind]), length;
			char text[LIMIT_STATUS_TEXT * 3] = "STATUS=";
			struct notify_message message;

			memset(text + 7, '.', shift);
			while (strlen(text) < 2 * LIMIT_STATUS_TEXT)
				memcpy(text + strlen(text), characters[kind], size + 1);
			message = parse(text);
			length = strlen(message.status);
			assert_true(length < LIMIT_STATUS_TEXT);
			/* No more was cut than it took. */
			assert_true(length + size >= LIMIT_STATUS_TEXT - 1);
			assert_string_equal(message.status + length - 3, ELLIPSIS);
			assert_memory_equal(message.status, text + 7, length - 3);
			assert_int_equal((length - 3 - shift) % size, 0);
		}
	}
}

static void test_status_when_not_utf8_or_control_then_it_can_be_shown(void **context)
{
	static const struct {
		const char *said;
		const char *shown;
	} cases[] = {
	    {"STATUS=a\tb\x1b[31m\x7f.", "a b [31m ."},
	    {"STATUS=\xff\xfe.", "??."},
	    {"STATUS=\xc0\xaf.", "??."},           /* a longer form of "/" */
	    {"STATUS=\xe0\x80\xaf.", "???."},      /* likewise */
	    {"STATUS=\xed\xa0\x80.", "???."},      /* a surrogate */
	    {"STATUS=\xf4\x90\x80\x80.", "????."}, /* past U+10FFFF */
	    {"STATUS=\xf5\x80\x80\x80.", "????."},
	    {"STATUS=\xc2\x9b.", " ."}, /* CSI as one character */
	    {"STATUS=\xc2\xa0.", "\xc2\xa0."},
	    {"STATUS=\xe2\x82", "??"}, /* ends too early */
	    {"STATUS=\xf0\x9f\x98\x80\xc3\xa4", "\xf0\x9f\x98\x80\xc3\xa4"},
	};

	(void)context;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(parse(cases[i].said).status, cases[i].shown);
}

static void test_fdname_when_too_long_then_it_is_none(void **context)
{
	char text[7 + NOTIFY_FDNAME + 1] = "FDNAME=";

	(void)context;
	memset(text + 7, 'n', NOTIFY_FDNAME - 1);
	assert_string_equal(parse(text).fdname, text + 7);
	text[7 + NOTIFY_FDNAME - 1] = 'n';
	assert_string_equal(parse(text).fdname, "");
}

static void test_message_when_of_full_size_then_its_end_is_read(void **context)
{
	static char text[LIMIT_NOTIFY_BYTES];

	(void)context;
	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 8, "\nREADY=1", 8);
	assert_true(parse_bytes(text, sizeof(text)).ready);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_flag_when_it_is_1_then_it_is_set_and_nothing_else),
	    cmocka_unit_test(test_each_number_when_it_is_one_then_it_is_read_and_nothing_else),
	    cmocka_unit_test(test_junk_when_it_comes_alone_then_nothing_is_said),
	    cmocka_unit_test(test_lines_when_there_are_several_then_each_counts),
	    cmocka_unit_test(test_a_name_when_it_comes_twice_then_the_last_one_counts),
	    cmocka_unit_test(test_nul_bytes_when_one_is_in_a_line_then_that_line_is_left_out),
	    cmocka_unit_test(test_status_when_empty_then_it_is_said),
	    cmocka_unit_test(test_status_when_it_fits_exactly_then_it_is_whole),
	    cmocka_unit_test(test_status_when_cut_then_at_a_whole_character),
	    cmocka_unit_test(test_status_when_not_utf8_or_control_then_it_can_be_shown),
	    cmocka_unit_test(test_fdname_when_too_long_then_it_is_none),
	    cmocka_unit_test(test_message_when_of_full_size_then_its_end_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
