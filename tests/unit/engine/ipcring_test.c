/* SPDX-License-Identifier: ISC */
/* The last messages of a program, and which of them are still there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "supervisord/engine/ipcring.h"

static struct ipcring ring;
static char buffer[LIMIT_IPC_RING];

static int set_up(void **state)
{
	(void)state;
	memset(&ring, 0, sizeof(ring));
	return 0;
}

static void test_copy_when_empty_then_nothing(void **state)
{
	struct ipcring_message message;
	size_t at = 0;

	(void)state;
	assert_int_equal(ipcring_copy(&ring, buffer), 0);
	assert_false(ipcring_next(buffer, 0, &at, &message));
}

static void test_next_when_added_then_in_order_with_number_and_time(void **state)
{
	struct ipcring_message message;
	size_t at = 0, length;

	(void)state;
	assert_int_equal(ipcring_add(&ring, 5, "{\"a\": 1}", 8), 1);
	assert_int_equal(ipcring_add(&ring, -6, "2", 1), 2);
	length = ipcring_copy(&ring, buffer);
	assert_true(ipcring_next(buffer, length, &at, &message));
	assert_int_equal(message.number, 1);
	assert_int_equal(message.wall_ns, 5);
	assert_int_equal(message.length, 8);
	assert_memory_equal(message.text, "{\"a\": 1}", 8);
	assert_true(ipcring_next(buffer, length, &at, &message));
	assert_int_equal(message.number, 2);
	assert_int_equal(message.wall_ns, -6);
	assert_false(ipcring_next(buffer, length, &at, &message));
}

/* Many times round: the newest are there, whole, and each is followed by the next. */
static void test_copy_when_round_then_the_newest(void **state)
{
	struct ipcring_message message;
	size_t at = 0, length, count = 0;
	char text[3000];
	uint64_t number = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < 500; i++)
		ipcring_add(&ring, 1, text, i * 7 % sizeof(text));
	length = ipcring_copy(&ring, buffer);
	assert_true(length <= sizeof(buffer));
	while (ipcring_next(buffer, length, &at, &message)) {
		assert_true(number == 0 || message.number == number + 1);
		number = message.number;
		assert_int_equal(message.length, (number - 1) * 7 % sizeof(text));
		assert_true(
		    message.length == 0 || memchr(message.text, ' ', message.length) == NULL);
		count++;
	}
	assert_int_equal(number, 500);
	assert_true(count > 30);
}

static void test_add_when_longest_then_it_is_there(void **state)
{
	static char text[LIMIT_IPC_LINE];
	struct ipcring_message message = {0};
	size_t at = 0, length;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 3; i++)
		ipcring_add(&ring, 1, text, sizeof(text));
	length = ipcring_copy(&ring, buffer);
	assert_true(ipcring_next(buffer, length, &at, &message));
	assert_int_equal(message.length, sizeof(text));
	assert_int_equal(message.number, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_copy_when_empty_then_nothing, set_up),
	    cmocka_unit_test_setup(test_next_when_added_then_in_order_with_number_and_time, set_up),
	    cmocka_unit_test_setup(test_copy_when_round_then_the_newest, set_up),
	    cmocka_unit_test_setup(test_add_when_longest_then_it_is_there, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
