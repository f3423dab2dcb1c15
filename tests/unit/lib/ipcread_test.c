/* SPDX-License-Identifier: ISC */
/* Bytes of a channel, and sockets that nobody asked for. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/ipcread.h"

static int ends[2];

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static int tear_down(void **state)
{
	(void)state;
	close(ends[0]);
	if (ends[1] >= 0)
		close(ends[1]);
	return 0;
}

static size_t count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

/* A byte with so many sockets. */
static void send_sockets(unsigned count)
{
	union {
		struct cmsghdr align;
		unsigned char space[CMSG_SPACE(sizeof(int) * 64)];
	} control = {0};
	char byte = 'x';
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
	int fds[64];

	for (unsigned i = 0; i < count; i++)
		fds[i] = ends[1];
	header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * count);
	assert_int_equal(sendmsg(ends[1], &header, 0), 1);
}

static void test_receive_when_nothing_is_there_then_eagain_and_at_the_end_none(void **state)
{
	char room[8];

	(void)state;
	assert_int_equal(ipcread_receive(ends[0], room, sizeof(room)), -EAGAIN);
	assert_int_equal(write(ends[1], "0123456789", 10), 10);
	assert_int_equal(ipcread_receive(ends[0], room, sizeof(room)), 8);
	assert_memory_equal(room, "01234567", 8);
	assert_int_equal(ipcread_receive(ends[0], room, sizeof(room)), 2);
	close(ends[1]);
	ends[1] = -1;
	assert_int_equal(ipcread_receive(ends[0], room, sizeof(room)), 0);
}

/* Also more than there is room for, which the kernel drops. */
static void test_receive_when_sockets_come_then_none_stays_open(void **state)
{
	static const unsigned counts[] = {1, 2, 32, 33, 64};
	size_t before = count_descriptors();
	char room[8];

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		send_sockets(counts[i]);
		assert_int_equal(ipcread_receive(ends[0], room, sizeof(room)), 1);
		assert_int_equal(count_descriptors(), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(test_receive_when_nothing_is_there_then_eagain_and_at_the_end_none),
	    TEST(test_receive_when_sockets_come_then_none_stays_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
