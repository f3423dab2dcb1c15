/* SPDX-License-Identifier: ISC */
/* held_test.c: who is told what of a held descriptor, when peers are slow, dead or restarted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/channel.h"
#include "supervisord/guardian/held.h"

#define LOG_KEY   held_key(HELD_LOG_READ, 7, 1)
#define STDIN_KEY held_key(HELD_STDIN_READ, 7, 0)

static struct held held;
static int channel[2];

static int new_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int set_up(void **context)
{
	(void)context;
	memset(&held, 0, sizeof(held));
	return channel_pair(channel);
}

static int tear_down(void **context)
{
	(void)context;
	for (uint32_t slot = 0; slot < held.high; slot++)
		if (held.slots[slot].key != 0)
			close(held.slots[slot].fd);
	close(channel[0]);
	close(channel[1]);
	return 0;
}

/* The next message, or 0 when there is none. */
static uint32_t next_message(uint32_t *ret_slot)
{
	struct msg msg;

	if (channel_receive(channel[1], &msg, MSG_DONTWAIT) != 1)
		return 0;
	*ret_slot = msg.head.slot;
	channel_drop_fds(&msg);
	return msg.head.type;
}

static void test_put_when_for_the_logger_then_only_the_logger_is_told(void **context)
{
	uint32_t slot = 0;

	(void)context;
	assert_int_equal(held_put(&held, 20, LOG_KEY, new_fd()), 0);
	assert_int_equal(held_put(&held, 21, STDIN_KEY, new_fd()), 0);
	assert_int_equal(held_deliver(&held, HELD_LOGGER, channel[0]), 0);
	assert_int_equal(next_message(&slot), MSG_HELD);
	assert_int_equal(slot, 20);
	assert_int_equal(next_message(&slot), 0);
	assert_int_equal(held_deliver(&held, HELD_ENGINE, channel[0]), 0);
	assert_int_equal(next_message(&slot), 0);
}

static void test_restart_of_the_engine_then_it_gets_everything_and_hears_what_is_not_free(
    void **context)
{
	uint32_t slot = 0;

	(void)context;
	held_put(&held, 20, LOG_KEY, new_fd());
	held_put(&held, 21, STDIN_KEY, new_fd());
	held_put(&held, 22, LOG_KEY, new_fd());
	held_release(&held, 22);
	held_restart_peer(&held, HELD_ENGINE);
	assert_int_equal(held_deliver(&held, HELD_ENGINE, channel[0]), 0);
	assert_int_equal(next_message(&slot), MSG_HELD);
	assert_int_equal(slot, 20);
	assert_int_equal(next_message(&slot), MSG_HELD);
	assert_int_equal(slot, 21);
	assert_int_equal(next_message(&slot), MSG_RELEASED);
	assert_int_equal(slot, 22);
	assert_int_equal(next_message(&slot), 0);
	/* And it may not be given something else before that is written. */
	assert_int_equal(held_put(&held, 22, STDIN_KEY, 0), -EBUSY);
}

static void test_release_of_a_log_pipe_then_it_is_kept_until_drained(void **context)
{
	int fd = new_fd();
	uint32_t slot = 0;

	(void)context;
	held_put(&held, 20, LOG_KEY, fd);
	assert_int_equal(held_release(&held, 20), 0);
	assert_int_equal(held_release(&held, 20), -EINVAL);
	assert_true(is_open(fd));
	/* No logger has had it yet: it gets it, and then hears that it is the last of it. */
	assert_int_equal(held_deliver(&held, HELD_LOGGER, channel[0]), 0);
	assert_int_equal(next_message(&slot), MSG_HELD);
	assert_int_equal(next_message(&slot), MSG_RELEASED);
	assert_int_equal(slot, 20);
	/* That logger was killed over it: the next one gets both again. */
	held_restart_peer(&held, HELD_LOGGER);
	assert_int_equal(held_deliver(&held, HELD_LOGGER, channel[0]), 0);
	assert_int_equal(next_message(&slot), MSG_HELD);
	assert_int_equal(next_message(&slot), MSG_RELEASED);
	held_note_drained(&held, 20, STDIN_KEY);
	assert_true(is_open(fd));
	held_note_drained(&held, 20, LOG_KEY);
	assert_false(is_open(fd));
	assert_int_equal(held.slots[20].key, 0);
}

static void test_release_of_another_kind_then_it_is_closed_at_once(void **context)
{
	int fd = new_fd();

	(void)context;
	held_put(&held, 20, STDIN_KEY, fd);
	assert_int_equal(held_release(&held, 20), 0);
	assert_false(is_open(fd));
}

static void test_put_when_the_slot_is_taken_then_the_former_is_closed(void **context)
{
	int first = new_fd(), second = new_fd();

	(void)context;
	held_put(&held, 20, STDIN_KEY, first);
	held_put(&held, 20, LOG_KEY, second);
	assert_false(is_open(first));
	assert_true(is_open(second));
}

static void test_put_when_slot_or_key_is_bad_then_refused(void **context)
{
	(void)context;
	assert_int_equal(held_put(&held, LIMIT_HELD, LOG_KEY, 0), -EINVAL);
	assert_int_equal(held_put(&held, 20, 0, 0), -EINVAL);
	assert_int_equal(held_release(&held, LIMIT_HELD), -EINVAL);
	assert_int_equal(held_release(&held, 20), -EINVAL);
}

static void test_deliver_when_the_peer_is_slow_then_goes_on_where_it_was(void **context)
{
	uint32_t slot = 0, expected = 0, rounds = 0;

	(void)context;
	for (uint32_t i = 0; i < 2000; i++)
		held_put(&held, i, LOG_KEY, new_fd());
	for (;;) {
		int error = held_deliver(&held, HELD_LOGGER, channel[0]);

		while (next_message(&slot) == MSG_HELD)
			assert_int_equal(slot, expected++);
		if (error == 0)
			break;
		assert_int_equal(error, -EAGAIN);
		assert_true(++rounds < 2000);
	}
	assert_true(rounds > 0);
	assert_int_equal(expected, 2000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_put_when_for_the_logger_then_only_the_logger_is_told),
	    TEST(test_restart_of_the_engine_then_it_gets_everything_and_hears_what_is_not_free),
	    TEST(test_release_of_a_log_pipe_then_it_is_kept_until_drained),
	    TEST(test_release_of_another_kind_then_it_is_closed_at_once),
	    TEST(test_put_when_the_slot_is_taken_then_the_former_is_closed),
	    TEST(test_put_when_slot_or_key_is_bad_then_refused),
	    TEST(test_deliver_when_the_peer_is_slow_then_goes_on_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
