/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/logger/ring.h: what it keeps, what it gives, and what all may have. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "supervisord/logger/ring.h"

#define MANY 64

static struct rings rings;
static struct ring ring;

static int set_up(void **state)
{
	(void)state;
	rings_init(&rings, (size_t)1024 * 1024);
	ring_init(&ring, &rings);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ring_done(&ring);
	return rings.used == 0 && LIST_EMPTY(&rings.list) ? 0 : -1;
}

static void say(struct ring *to, const char *text)
{
	ring_append(to, 1000, 7, text, strlen(text));
}

/* All there is from `*position`, which moves to the end. */
static const char *rest(const struct ring *of, uint64_t *position, bool *ret_lost)
{
	static char text[2 * LIMIT_LOG_RING];
	struct ring_record record;
	size_t length = 0;
	bool lost;

	*ret_lost = false;
	while (ring_read(of, *position, &record, text + length, &lost)) {
		*ret_lost |= lost;
		assert_true(record.length <= RING_RECORD_MAX);
		assert_true(record.next > *position);
		length += record.length;
		*position = record.next;
	}
	text[length] = '\0';
	return text;
}

static void test_ring_when_text_is_added_then_a_reader_goes_on_from_its_position(void **state)
{
	uint64_t position = ring.begin;
	struct ring_record record;
	char text[RING_RECORD_MAX];
	bool lost;

	(void)state;
	assert_false(ring_read(&ring, position, &record, text, &lost));
	assert_false(lost);
	ring_append(&ring, 123, 7, "one\n", 4);
	assert_true(ring_read(&ring, position, &record, text, &lost));
	assert_int_equal(record.wall_ns, 123);
	assert_int_equal(record.run, 7);
	assert_int_equal(record.length, 4);
	assert_memory_equal(text, "one\n", 4);
	position = record.next;
	assert_false(ring_read(&ring, position, &record, text, &lost));
	say(&ring, "two\n");
	assert_string_equal(rest(&ring, &position, &lost), "two\n");
	assert_false(lost);
}

static void test_ring_when_it_is_full_then_the_newest_whole_lines_are_kept(void **state)
{
	uint64_t position = ring.begin;
	const char *text;
	char line[32];
	int number = 0;
	bool lost;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(line, sizeof(line), "line %d\n", i);
		say(&ring, line);
	}
	assert_int_equal(ring.size, LIMIT_LOG_RING);
	text = rest(&ring, &position, &lost);
	assert_true(lost);
	assert_int_equal(sscanf(text, "line %d", &number), 1);
	for (; number < 20000; number++) {
		(void)snprintf(line, sizeof(line), "line %d\n", number);
		assert_memory_equal(text, line, strlen(line));
		text += strlen(line);
	}
	assert_string_equal(text, "");
}

static void test_ring_when_text_is_long_then_records_end_with_lines(void **state)
{
	static char text[3 * RING_RECORD_MAX + 1];
	struct ring_record record;
	char got[RING_RECORD_MAX];
	bool lost;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[100] = text[RING_RECORD_MAX - 5] = '\n';
	say(&ring, text);
	assert_true(ring_read(&ring, ring.begin, &record, got, &lost));
	assert_int_equal(record.length, RING_RECORD_MAX - 4);
	assert_true(ring_read(&ring, record.next, &record, got, &lost));
	assert_int_equal(record.length, RING_RECORD_MAX);
}

static void test_rings_when_memory_is_short_then_the_largest_shrinks_for_a_new_one(void **state)
{
	static char line[1001];
	uint64_t position;
	struct ring other;
	bool lost;

	(void)state;
	rings_set_limit(&rings, LIMIT_LOG_RING + 100, 0);
	memset(line, 'a', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	for (int i = 0; i < 100; i++)
		say(&ring, line);
	assert_int_equal(ring.size, LIMIT_LOG_RING);
	ring_init(&other, &rings);
	say(&other, "small\n");
	assert_int_equal(ring.size, LIMIT_LOG_RING / 2);
	assert_int_equal(other.size, LIMIT_LOG_RING_MIN);
	position = other.begin;
	assert_string_equal(rest(&other, &position, &lost), "small\n");
	position = ring.begin;
	assert_true(strlen(rest(&ring, &position, &lost)) > LIMIT_LOG_RING / 2 - 2100);
	ring_done(&other);
}

static void test_rings_when_there_are_too_many_then_never_past_the_limit(void **state)
{
	static struct ring many[MANY];
	const size_t limit = (size_t)20 * LIMIT_LOG_RING_MIN;
	unsigned with = 0;

	(void)state;
	rings_set_limit(&rings, limit, LIMIT_LOG_RING_MIN);
	for (int i = 0; i < MANY; i++)
		ring_init(&many[i], &rings);
	for (int round = 0; round < 200; round++)
		for (int i = 0; i < MANY; i++) {
			say(&many[i], "another line of some length, to fill the ring of it\n");
			assert_true(rings.used + rings.reserved <= limit);
		}
	for (int i = 0; i < MANY; i++)
		with += many[i].data != NULL;
	assert_int_equal(with, 19);
	rings_set_limit(&rings, 2 * LIMIT_LOG_RING_MIN, LIMIT_LOG_RING_MIN);
	assert_true(rings.used <= LIMIT_LOG_RING_MIN);
	for (int i = 0; i < MANY; i++)
		ring_done(&many[i]);
}

static void test_ring_when_it_has_no_memory_then_positions_move_on(void **state)
{
	uint64_t position;
	bool lost;

	(void)state;
	rings_set_limit(&rings, 100, 0);
	position = ring.begin;
	say(&ring, "gone\n");
	assert_string_equal(rest(&ring, &position, &lost), "");
	assert_true(ring.end > position);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_ring_when_text_is_added_then_a_reader_goes_on_from_its_position, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		test_ring_when_it_is_full_then_the_newest_whole_lines_are_kept, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_ring_when_text_is_long_then_records_end_with_lines, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_rings_when_memory_is_short_then_the_largest_shrinks_for_a_new_one, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		test_rings_when_there_are_too_many_then_never_past_the_limit, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_ring_when_it_has_no_memory_then_positions_move_on, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
