/* SPDX-License-Identifier: ISC */
/* Lines on a channel: whole or not at all, however full it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/ipcsend.h"
#include "lib/limits.h"

static int ends[2];
static char line[LIMIT_IPC_LINE + 1], got[LIMIT_IPC_LINE + 1];

static int set_up(void **state)
{
	(void)state;
	memset(line, 'x', sizeof(line));
	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static int tear_down(void **state)
{
	(void)state;
	close(ends[0]);
	return close(ends[1]);
}

static int send_bytes(size_t length)
{
	struct iovec part = {.iov_base = line, .iov_len = length};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	return ipcsend_line(ends[0], &header, length);
}

/* All that is there. */
static size_t drain(void)
{
	size_t total = 0;
	ssize_t count;

	while ((count = recv(ends[1], got, sizeof(got), MSG_DONTWAIT)) > 0)
		total += (size_t)count;
	return total;
}

/* Lines of a length until none is taken; what the reader then finds is so many whole ones. */
static void fill(size_t length)
{
	size_t taken = 0;

	while (send_bytes(length) == 0)
		taken++;
	assert_true(taken > 0);
	assert_int_equal(drain(), taken * length);
}

static void test_full_channel_when_lines_are_of_any_length_then_all_are_whole(void **state)
{
	static const size_t lengths[] = {
	    1, 100, 16384, 16385, 36545, 36546, 36547, 50000, LIMIT_IPC_LINE, LIMIT_IPC_LINE + 1};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		fill(lengths[i]);
		/* Behind short ones, which leave any room. */
		for (size_t k = 0; send_bytes(97) == 0 && k < 40 * i; k++)
			;
		(void)drain();
		fill(lengths[i]);
	}
}

static void test_full_channel_when_read_again_then_takes_again(void **state)
{
	(void)state;
	while (send_bytes(LIMIT_IPC_LINE) == 0)
		;
	assert_int_equal(send_bytes(LIMIT_IPC_LINE), -EAGAIN);
	(void)drain();
	assert_int_equal(send_bytes(LIMIT_IPC_LINE), 0);
}

static void test_line_when_longer_than_all_room_then_too_long(void **state)
{
	int room = 4096;

	(void)state;
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	assert_int_equal(send_bytes(LIMIT_IPC_LINE), -EMSGSIZE);
}

static void test_channel_when_at_its_end_then_an_error_and_no_signal(void **state)
{
	(void)state;
	(void)shutdown(ends[1], SHUT_RDWR);
	assert_int_equal(send_bytes(10), -EPIPE);
	assert_int_equal(send_bytes(LIMIT_IPC_LINE), -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(test_full_channel_when_lines_are_of_any_length_then_all_are_whole),
	    TEST(test_full_channel_when_read_again_then_takes_again),
	    TEST(test_line_when_longer_than_all_room_then_too_long),
	    TEST(test_channel_when_at_its_end_then_an_error_and_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
