/* SPDX-License-Identifier: ISC */
/* Messages with descriptors: whole or not at all, and no descriptor is leaked. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/channel.h"

static int ends[2];

static int set_up(void **state)
{
	(void)state;
	return channel_pair(ends);
}

static int tear_down(void **state)
{
	(void)state;
	close(ends[0]);
	if (ends[1] >= 0)
		close(ends[1]);
	return 0;
}

static void test_receive_when_sent_with_descriptors_then_all_arrive(void **state)
{
	struct msg_head head = {.type = MSG_HOLD, .slot = 3, .key = 1ULL << 60, .value = -5};
	int fds[LIMIT_MSG_FDS];
	struct msg msg;

	(void)state;
	for (unsigned i = 0; i < LIMIT_MSG_FDS; i++)
		fds[i] = STDIN_FILENO;
	assert_int_equal(channel_send(ends[0], &head, "payload", 8, fds, LIMIT_MSG_FDS, 0), 0);
	assert_int_equal(channel_receive(ends[1], &msg, 0), 1);
	assert_memory_equal(&msg.head, &head, sizeof(head));
	assert_int_equal(msg.length, 8);
	assert_string_equal((const char *)msg.payload, "payload");
	assert_int_equal(msg.fd_count, LIMIT_MSG_FDS);
	for (unsigned i = 0; i < msg.fd_count; i++)
		assert_int_equal(fcntl(msg.fds[i], F_GETFD), FD_CLOEXEC);
	channel_drop_fds(&msg);
	assert_int_equal(msg.fd_count, 0);
}

static void test_receive_when_nothing_is_there_then_again_or_end(void **state)
{
	struct msg msg;

	(void)state;
	assert_int_equal(channel_receive(ends[0], &msg, MSG_DONTWAIT), -EAGAIN);
	close(ends[1]);
	ends[1] = -1;
	assert_int_equal(channel_receive(ends[0], &msg, MSG_DONTWAIT), 0);
}

static void test_receive_when_too_short_then_bad_message_and_the_next_is_whole(void **state)
{
	struct msg_head head = {.type = MSG_READY};
	struct msg msg;

	(void)state;
	assert_int_equal(send(ends[0], "short", 5, 0), 5);
	assert_int_equal(channel_send_head(ends[0], &head, -1, 0), 0);
	assert_int_equal(channel_receive(ends[1], &msg, 0), -EBADMSG);
	assert_int_equal(channel_receive(ends[1], &msg, 0), 1);
	assert_int_equal(msg.head.type, MSG_READY);
	assert_int_equal(msg.length, 0);
	assert_int_equal(msg.fd_count, 0);
}

static void test_receive_when_too_long_then_bad_message(void **state)
{
	char big[sizeof(struct msg_head) + LIMIT_MSG_BYTES + 1] = "";
	struct msg msg;

	(void)state;
	assert_int_equal(send(ends[0], big, sizeof(big), 0), (ssize_t)sizeof(big));
	assert_int_equal(channel_receive(ends[1], &msg, 0), -EBADMSG);
}

static void test_send_when_too_much_then_refused(void **state)
{
	struct msg_head head = {.type = MSG_READY};
	char big[LIMIT_MSG_BYTES + 1] = "";
	int fds[LIMIT_MSG_FDS + 1] = {0};

	(void)state;
	assert_int_equal(channel_send(ends[0], &head, big, sizeof(big), NULL, 0, 0), -EMSGSIZE);
	assert_int_equal(
	    channel_send(ends[0], &head, NULL, 0, fds, LIMIT_MSG_FDS + 1, 0), -EMSGSIZE);
	assert_int_equal(channel_send(ends[0], &head, big, LIMIT_MSG_BYTES, NULL, 0, 0), 0);
}

static void test_send_when_the_peer_is_gone_then_epipe_and_no_signal(void **state)
{
	struct msg_head head = {.type = MSG_READY};

	(void)state;
	close(ends[1]);
	ends[1] = -1;
	assert_int_equal(channel_send_head(ends[0], &head, -1, 0), -EPIPE);
}

static void test_send_when_the_peer_does_not_read_then_again(void **state)
{
	struct msg_head head = {.type = MSG_READY};
	int error = 0;

	(void)state;
	for (int i = 0; i < 100000 && error == 0; i++)
		error = channel_send_head(ends[0], &head, -1, MSG_DONTWAIT);
	assert_int_equal(error, -EAGAIN);
}

static void test_held_key_when_made_then_its_parts_come_back(void **state)
{
	uint64_t key = held_key(HELD_LOG_READ, UINT32_MAX, 1);

	(void)state;
	assert_int_equal(held_key_kind(key), HELD_LOG_READ);
	assert_true(held_key_row(key) == UINT32_MAX);
	assert_int_equal(held_key_stream(key), 1);
	assert_true(held_is_for_logger(key));
	assert_false(held_is_for_logger(held_key(HELD_LOG_WRITE, 0, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_receive_when_sent_with_descriptors_then_all_arrive, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_receive_when_nothing_is_there_then_again_or_end, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_receive_when_too_short_then_bad_message_and_the_next_is_whole, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		test_receive_when_too_long_then_bad_message, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_send_when_too_much_then_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_send_when_the_peer_is_gone_then_epipe_and_no_signal, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_send_when_the_peer_does_not_read_then_again, set_up, tear_down),
	    cmocka_unit_test(test_held_key_when_made_then_its_parts_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
