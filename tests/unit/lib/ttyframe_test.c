/* SPDX-License-Identifier: ISC */
/* Frames between a client and a terminal's relay. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/ttyframe.h"

static void test_frame_when_set_then_it_is_read_byte_by_byte(void **state)
{
	struct ttyframe sent, got = {.length = 0};
	const unsigned char *payload;
	size_t length;

	(void)state;
	ttyframe_set(&sent, TTYFRAME_INPUT, "abc", 3);
	assert_int_equal(sent.length, TTYFRAME_HEAD + 3);
	assert_int_equal(ttyframe_missing(&got), TTYFRAME_HEAD);
	for (size_t i = 0; i < sent.length; i++) {
		assert_true(ttyframe_missing(&got) > 0);
		got.bytes[got.length++] = sent.bytes[i];
	}
	assert_int_equal(ttyframe_missing(&got), 0);
	assert_int_equal(ttyframe_type(&got), TTYFRAME_INPUT);
	payload = ttyframe_payload(&got, &length);
	assert_int_equal(length, 3);
	assert_memory_equal(payload, "abc", 3);
}

static void test_numbers_when_set_then_the_higher_byte_is_first(void **state)
{
	struct ttyframe frame;
	const unsigned char *payload;
	size_t length;

	(void)state;
	ttyframe_set_window(&frame, 0x0102, 0x0304);
	payload = ttyframe_payload(&frame, &length);
	assert_int_equal(length, 4);
	assert_memory_equal(payload, "\1\2\3\4", 4);
	assert_int_equal(ttyframe_number(payload, 2), 0x0102);
	ttyframe_set_gap(&frame, UINT64_C(0x0102030405060708));
	payload = ttyframe_payload(&frame, &length);
	assert_int_equal(length, 8);
	assert_true(ttyframe_number(payload, 8) == UINT64_C(0x0102030405060708));
}

static void test_length_when_it_is_longer_than_any_then_refused(void **state)
{
	struct ttyframe frame = {.bytes = {'i', 0x10, 0x00}, .length = 3};

	(void)state;
	assert_int_equal(ttyframe_missing(&frame), 4096);
	frame.bytes[2] = 1;
	assert_int_equal(ttyframe_missing(&frame), -EPROTO);
	frame.bytes[1] = frame.bytes[2] = 0;
	assert_int_equal(ttyframe_missing(&frame), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_frame_when_set_then_it_is_read_byte_by_byte),
	    cmocka_unit_test(test_numbers_when_set_then_the_higher_byte_is_first),
	    cmocka_unit_test(test_length_when_it_is_longer_than_any_then_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
