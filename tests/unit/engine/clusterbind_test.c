/* SPDX-License-Identifier: ISC */
/* Ports that are bound for somebody who may not: those that are named, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisord/engine/clusterbind.h"

static struct link_bind wish;

/* A wish for a port of 127.0.0.1, which is the kernel's choice when it is 0. */
static void wish_v4(int type, const char *address, unsigned port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&wish.address;

	wish = (struct link_bind){.length = sizeof(*v4), .type = type};
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	assert_int_equal(inet_pton(AF_INET, address, &v4->sin_addr), 1);
}

static int open_by(const char *rule)
{
	char text[64];
	char *rules[] = {text, NULL};

	assert_true(strlen(rule) < sizeof(text));
	memcpy(text, rule, strlen(rule) + 1);
	return clusterbind_open(rules, &wish);
}

static void test_open_when_named_then_bound_there(void **state)
{
	struct sockaddr_in name;
	socklen_t size = sizeof(name);
	int fd;

	(void)state;
	wish_v4(SOCK_STREAM, "127.0.0.1", 0);
	fd = open_by("tcp:127.0.0.1:0");
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	/* Taken now: what the kernel says is what comes back. */
	wish_v4(SOCK_STREAM, "127.0.0.1", ntohs(name.sin_port));
	assert_int_equal(open_by("tcp:1024-65535"), -EADDRINUSE);
	close(fd);
	fd = open_by("tcp:1024-65535");
	assert_true(fd >= 0);
	close(fd);
}

static void test_open_when_both_reuse_the_port_then_both(void **state)
{
	struct sockaddr_in name;
	socklen_t size = sizeof(name);
	int one, two;

	(void)state;
	wish_v4(SOCK_STREAM, "127.0.0.1", 0);
	wish.reuse_port = 1;
	one = open_by("tcp:0");
	assert_int_equal(getsockname(one, (struct sockaddr *)&name, &size), 0);
	wish_v4(SOCK_STREAM, "127.0.0.1", ntohs(name.sin_port));
	wish.reuse_port = 1;
	two = open_by("tcp:1024-65535");
	assert_true(one >= 0 && two >= 0);
	close(one);
	close(two);
}

static void test_open_when_no_rule_names_it_then_eacces(void **state)
{
	static const char *const rules[] = {"tcp:*", "tcp:127.0.0.1:*", "tcp:81", "udp:80",
	    "tcp:127.0.0.2:80", "tcp:[::1]:80", "unix:*", "unix:/80", "nonsense", ""};

	(void)state;
	wish_v4(SOCK_STREAM, "127.0.0.1", 80);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		assert_int_equal(open_by(rules[i]), -EACCES);
	assert_int_equal(clusterbind_open(NULL, &wish), -EACCES);
	/* Any address is more than one. */
	wish_v4(SOCK_STREAM, "0.0.0.0", 80);
	assert_int_equal(open_by("tcp:127.0.0.1:80"), -EACCES);
	wish_v4(SOCK_DGRAM, "127.0.0.1", 80);
	assert_int_equal(open_by("tcp:80"), -EACCES);
}

static void test_open_when_the_wish_is_nonsense_then_eacces(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/tmp/x"};

	(void)state;
	wish_v4(SOCK_RAW, "127.0.0.1", 0);
	assert_int_equal(open_by("tcp:0"), -EACCES);
	wish_v4(SOCK_STREAM, "127.0.0.1", 0);
	wish.length = UINT32_MAX;
	assert_int_equal(open_by("tcp:0"), -EACCES);
	wish.length = 4;
	assert_int_equal(open_by("tcp:0"), -EACCES);
	wish = (struct link_bind){.length = sizeof(un), .type = SOCK_STREAM};
	memcpy(&wish.address, &un, sizeof(un));
	assert_int_equal(open_by("tcp:0"), -EACCES);
	memset(&wish, 0xff, sizeof(wish));
	assert_int_equal(open_by("tcp:0"), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_open_when_named_then_bound_there),
	    cmocka_unit_test(test_open_when_both_reuse_the_port_then_both),
	    cmocka_unit_test(test_open_when_no_rule_names_it_then_eacces),
	    cmocka_unit_test(test_open_when_the_wish_is_nonsense_then_eacces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
