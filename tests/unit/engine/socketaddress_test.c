/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/socketaddress.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "supervisord/engine/socketaddress.h"

static struct socket_address parse(const char *text)
{
	struct socket_address address;
	const char *problem = NULL;

	if (socketaddress_parse(text, &address, &problem) < 0)
		fail_msg("%s: %s", text, problem);
	return address;
}

static void refuse(const char *text, const char *expected)
{
	struct socket_address address;
	const char *problem = NULL;

	assert_int_equal(socketaddress_parse(text, &address, &problem), -EINVAL);
	assert_string_equal(problem, expected);
}

static bool is_same(const char *one, const char *other)
{
	struct socket_address a = parse(one), b = parse(other);

	return socketaddress_hash(&a) == socketaddress_hash(&b);
}

static void test_parse_of_internet_forms_gives_address_and_port(void **state)
{
	struct socket_address address = parse("tcp:80");

	(void)state;
	assert_int_equal(address.kind, SOCKET_TCP);
	assert_true(address.everywhere);
	assert_int_equal(address.any.sa_family, AF_INET6);
	assert_int_equal(socketaddress_port(&address), 80);
	address = parse("tcp:127.0.0.1:8080");
	assert_false(address.everywhere);
	assert_int_equal(address.any.sa_family, AF_INET);
	assert_int_equal(address.in.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(socketaddress_port(&address), 8080);
	address = parse("udp:[::1]:53");
	assert_int_equal(address.kind, SOCKET_UDP);
	assert_int_equal(address.any.sa_family, AF_INET6);
	assert_int_equal(socketaddress_port(&address), 53);
	assert_true(socketaddress_is_internet(&address));
	assert_false(socketaddress_is_stream(&address));
}

static void test_parse_of_names_gives_path_or_abstract_name(void **state)
{
	struct socket_address address = parse("unix:/run/a.sock");

	(void)state;
	assert_int_equal(address.kind, SOCKET_UNIX);
	assert_string_equal(address.path, "/run/a.sock");
	assert_string_equal(address.un.sun_path, "/run/a.sock");
	assert_true(socketaddress_is_stream(&address));
	address = parse("unix-dgram:@name");
	assert_int_equal(address.kind, SOCKET_UNIX_DGRAM);
	assert_true(address.abstract);
	assert_null(address.path);
	assert_memory_equal(address.un.sun_path, "\0name", 5);
	assert_int_equal(address.length, offsetof(struct sockaddr_un, sun_path) + 5);
	assert_true(
	    socketaddress_is_stream(&(struct socket_address){.kind = SOCKET_UNIX_SEQPACKET}));
	address = parse("fifo:/run/f");
	assert_string_equal(address.path, "/run/f");
}

static void test_parse_of_what_is_no_address_says_what_is_wrong(void **state)
{
	char longest[200];

	(void)state;
	refuse("", "is not known");
	refuse("80", "is not known");
	refuse("tcp", "is not known");
	refuse("http:80", "is not known");
	refuse("tcp:", "has no address and port that are numbers");
	refuse("tcp:0", "has no address and port that are numbers");
	refuse("tcp:65536", "has no address and port that are numbers");
	refuse("tcp:example.org:80", "has no address and port that are numbers");
	refuse("tcp:::1:80", "has no address and port that are numbers");
	refuse("unix:", "has neither an absolute path nor an @NAME");
	refuse("unix:run/a", "has neither an absolute path nor an @NAME");
	refuse("unix:@", "has neither an absolute path nor an @NAME");
	refuse("fifo:@a", "has no absolute path");
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "unix:/", 6);
	longest[5 + 107] = '\0';
	(void)parse(longest);
	longest[5 + 107] = 'a';
	longest[5 + 108] = '\0';
	refuse(longest, "is too long: a name of at most 107 bytes");
}

static void test_hash_is_equal_for_two_ways_to_say_one_address(void **state)
{
	(void)state;
	assert_true(is_same("tcp:80", "tcp:[::]:80"));
	assert_true(is_same("tcp:localhost:80", "tcp:127.0.0.1:80"));
	assert_false(is_same("tcp:80", "tcp:81"));
	assert_false(is_same("tcp:80", "udp:80"));
	assert_false(is_same("tcp:0.0.0.0:80", "tcp:80"));
	assert_false(is_same("unix:/a", "unix-dgram:/a"));
	assert_false(is_same("unix:/a", "fifo:/a"));
	assert_false(is_same("unix:@/a", "unix:/a"));
	assert_false(is_same("unix:@a", "unix:@b"));
}

static bool covers(const char *text, bool v6_only, const char *other_text)
{
	struct socket_address address, other;
	const char *problem;

	assert_int_equal(socketaddress_parse(text, &address, &problem), 0);
	assert_int_equal(socketaddress_parse(other_text, &other, &problem), 0);
	return socketaddress_covers(&address, v6_only, &other);
}

static void test_covers_when_it_is_every_address_of_that_port(void **state)
{
	(void)state;
	assert_true(covers("tcp:80", false, "tcp:127.0.0.1:80"));
	assert_true(covers("tcp:[::]:80", false, "tcp:0.0.0.0:80"));
	assert_false(covers("tcp:[::]:80", true, "tcp:0.0.0.0:80"));
	assert_true(covers("tcp:[::]:80", true, "tcp:[::1]:80"));
	assert_true(covers("udp:0.0.0.0:80", false, "udp:127.0.0.1:80"));
	assert_false(covers("tcp:0.0.0.0:80", false, "tcp:[::1]:80"));
	assert_false(covers("tcp:80", false, "tcp:127.0.0.1:81"));
	assert_false(covers("tcp:80", false, "udp:127.0.0.1:80"));
	assert_false(covers("tcp:127.0.0.1:80", false, "tcp:80"));
	assert_false(covers("unix:/a", false, "unix:/a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse_of_internet_forms_gives_address_and_port),
	    cmocka_unit_test(test_parse_of_names_gives_path_or_abstract_name),
	    cmocka_unit_test(test_parse_of_what_is_no_address_says_what_is_wrong),
	    cmocka_unit_test(test_hash_is_equal_for_two_ways_to_say_one_address),
	    cmocka_unit_test(test_covers_when_it_is_every_address_of_that_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
