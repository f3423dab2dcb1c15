/* SPDX-License-Identifier: ISC */
/* What outlives a primary: taken over as it is, or made anew, never half of each. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisord/cluster/state.h"

static int fd;

static int set_up(void **state)
{
	(void)state;
	fd = memfd_create("state", MFD_CLOEXEC);
	return fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	return close(fd);
}

static struct state *open_state(uint32_t mode, bool wanted_new)
{
	struct state *memory = NULL;
	bool is_new = !wanted_new;

	assert_int_equal(state_open(fd, mode, &memory, &is_new), 0);
	assert_int_equal(is_new, wanted_new);
	return memory;
}

static void leave(struct state *memory)
{
	munmap(memory, sizeof(*memory));
}

static void test_open_when_it_was_left_then_the_same(void **state)
{
	struct state *memory = open_state(1, true);

	(void)state;
	memory->seq = 99;
	memory->workers[5].id = 7;
	leave(memory);
	memory = open_state(1, false);
	assert_int_equal(memory->seq, 99);
	assert_int_equal(memory->workers[5].id, 7);
	leave(memory);
}

static void test_open_when_of_another_mode_version_or_size_then_empty(void **state)
{
	struct state *memory;

	(void)state;
	for (int i = 0; i < 4; i++) {
		memory = open_state(1, true);
		memory->workers[5].id = 7;
		if (i == 0)
			memory->mode = 2;
		else if (i == 1)
			memory->version++;
		else if (i == 2)
			memory->size--;
		else
			memory->magic = 0;
		leave(memory);
		memory = open_state(1, true);
		assert_int_equal(memory->workers[5].id, 0);
		assert_int_equal(memory->mode, 1);
		leave(memory);
		assert_int_equal(ftruncate(fd, 0), 0);
	}
}

static void test_open_when_too_short_or_too_long_then_empty(void **state)
{
	static const size_t sizes[] = {1, 8, sizeof(struct state) - 1, sizeof(struct state) + 1};
	struct state *memory;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		leave(open_state(1, i == 0));
		assert_int_equal(ftruncate(fd, (off_t)sizes[i]), 0);
		memory = open_state(1, true);
		assert_int_equal(memory->magic, STATE_MAGIC);
		leave(memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(test_open_when_it_was_left_then_the_same),
	    TEST(test_open_when_of_another_mode_version_or_size_then_empty),
	    TEST(test_open_when_too_short_or_too_long_then_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
