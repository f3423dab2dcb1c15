/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/peer.h. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisord/engine/peer.h"

static struct peer internet(const char *address, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct peer peer = {.uid = (uid_t)-1, .gid = (gid_t)-1};

	if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
		memcpy(&peer.address, &in, peer.length = sizeof(in));
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
		memcpy(&peer.address, &in6, peer.length = sizeof(in6));
	}
	return peer;
}

/* All variables, one a line. */
static const char *variables(const struct peer *peer)
{
	static char text[512];
	char *list[PEER_ENVIRONMENT + 1] = {0};
	size_t count = 0;

	assert_int_equal(peer_add(peer, list, &count), 0);
	assert_in_range(count, 0, PEER_ENVIRONMENT);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", list[i]);
		free(list[i]);
	}
	return text;
}

static void test_peer_of_the_internet_is_told_by_address_and_port(void **state)
{
	struct peer peer = internet("192.0.2.1", 4711);
	char text[PEER_TEXT];

	(void)state;
	assert_string_equal(peer_text(&peer, text, sizeof(text)), "192.0.2.1:4711");
	assert_string_equal(variables(&peer), "REMOTE_ADDR=192.0.2.1\nREMOTE_PORT=4711\n");
	peer = internet("2001:db8::1", 4711);
	assert_string_equal(peer_text(&peer, text, sizeof(text)), "[2001:db8::1]:4711");
	assert_string_equal(variables(&peer), "REMOTE_ADDR=2001:db8::1\nREMOTE_PORT=4711\n");
}

static void test_peer_that_came_by_ipv4_is_called_so(void **state)
{
	struct peer peer = internet("::ffff:192.0.2.1", 80);
	char text[PEER_TEXT];

	(void)state;
	assert_string_equal(peer_text(&peer, text, sizeof(text)), "192.0.2.1:80");
	assert_string_equal(variables(&peer), "REMOTE_ADDR=192.0.2.1\nREMOTE_PORT=80\n");
}

static void test_longest_peer_is_not_cut(void **state)
{
	struct peer peer = internet("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
	char text[PEER_TEXT];

	(void)state;
	assert_string_equal(peer_text(&peer, text, sizeof(text)),
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	peer = (struct peer){.address.ss_family = AF_UNIX, .uid = UINT32_MAX - 1, .pid = INT32_MAX};
	assert_string_equal(peer_text(&peer, text, sizeof(text)), "uid 4294967294, pid 2147483647");
}

static void test_peer_of_a_unix_socket_is_told_by_who_it_is(void **state)
{
	char expected[128];
	struct peer peer;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(peer_of(fds[0], &peer), 0);
	assert_int_equal(peer.uid, geteuid());
	assert_int_equal(peer.pid, getpid());
	(void)snprintf(expected, sizeof(expected), "REMOTE_UID=%u\nREMOTE_GID=%u\nREMOTE_PID=%d\n",
	    (unsigned)geteuid(), (unsigned)getegid(), (int)getpid());
	assert_string_equal(variables(&peer), expected);
	close(fds[0]);
	close(fds[1]);
}

/* And one that has a name by that, too. */
static void test_named_peer_of_a_unix_socket_is_told_by_its_name(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/run/client"};
	struct peer peer = {.uid = 7, .gid = 8, .length = sizeof(un)};

	(void)state;
	memcpy(&peer.address, &un, sizeof(un));
	assert_string_equal(
	    variables(&peer), "REMOTE_ADDR=/run/client\nREMOTE_UID=7\nREMOTE_GID=8\n");
}

static void test_what_is_not_connected_has_no_peer(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct peer peer;

	(void)state;
	assert_int_equal(peer_of(fd, &peer), -ENOTCONN);
	close(fd);
	assert_int_equal(peer_of(fd, &peer), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_peer_of_the_internet_is_told_by_address_and_port),
	    cmocka_unit_test(test_peer_that_came_by_ipv4_is_called_so),
	    cmocka_unit_test(test_longest_peer_is_not_cut),
	    cmocka_unit_test(test_peer_of_a_unix_socket_is_told_by_who_it_is),
	    cmocka_unit_test(test_named_peer_of_a_unix_socket_is_told_by_its_name),
	    cmocka_unit_test(test_what_is_not_connected_has_no_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
