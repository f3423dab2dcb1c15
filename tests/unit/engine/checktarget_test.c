/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/checktarget.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "supervisord/engine/checktarget.h"

/* "127.0.0.1 80" */
static const char *address_text(const struct sockaddr_storage *address, unsigned length)
{
	static char text[INET6_ADDRSTRLEN + 8];
	char host[INET6_ADDRSTRLEN];
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (address->ss_family == AF_INET6) {
		assert_int_equal(length, sizeof(v6));
		memcpy(&v6, address, sizeof(v6));
		assert_non_null(inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host)));
		snprintf(text, sizeof(text), "%s %u", host, ntohs(v6.sin6_port));
	} else {
		assert_int_equal(address->ss_family, AF_INET);
		assert_int_equal(length, sizeof(v4));
		memcpy(&v4, address, sizeof(v4));
		assert_non_null(inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host)));
		snprintf(text, sizeof(text), "%s %u", host, ntohs(v4.sin_port));
	}
	return text;
}

static void assert_tcp(const char *target, const char *expected)
{
	struct sockaddr_storage address;
	unsigned length = 0;

	assert_int_equal(checktarget_parse_tcp(target, &address, &length), 0);
	assert_string_equal(address_text(&address, length), expected);
}

static void assert_http(const char *target, const char *expected, const char *expected_path)
{
	struct sockaddr_storage address;
	const char *path = NULL;
	unsigned length = 0;

	assert_int_equal(checktarget_parse_http(target, &address, &length, &path), 0);
	assert_string_equal(address_text(&address, length), expected);
	assert_string_equal(path, expected_path);
	assert_true(path > target && path < target + strlen(target));
}

static void test_tcp_target_with_number_or_localhost_is_an_address(void **state)
{
	(void)state;
	assert_tcp("127.0.0.1:80", "127.0.0.1 80");
	assert_tcp("10.1.2.255:1", "10.1.2.255 1");
	assert_tcp("localhost:65535", "127.0.0.1 65535");
	assert_tcp("[::1]:8080", "::1 8080");
	assert_tcp("[2001:db8::ffff:1.2.3.4]:443", "2001:db8::ffff:102:304 443");
}

static void test_tcp_target_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {"", ":", "80", "localhost", "localhost:", "localhost:0",
	    "localhost:65536", "localhost:99999999999", "localhost:+80", "localhost: 80",
	    "localhost:80 ", "localhost:80:80", "Localhost:80", "example.org:80", ":80", "127.1:80",
	    "127.0.0.1.1:80", "256.0.0.1:80", "0x7f.0.0.1:80", "::1:80", "[::1]", "[::1]80",
	    "[::1]:", "[::1:80", "[]:80", "[127.0.0.1]:80", "[localhost]:80", "[fe80::1%lo]:80",
	    "[::1]]:80", "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sockaddr_storage address;
		unsigned length = 77;

		if (checktarget_parse_tcp(bad[i], &address, &length) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);
		assert_int_equal(length, 77);
	}
}

static void test_http_target_has_address_and_path(void **state)
{
	(void)state;
	assert_http("http://127.0.0.1/", "127.0.0.1 80", "/");
	assert_http(
	    "http://localhost:8080/health?a=b&c=%20", "127.0.0.1 8080", "/health?a=b&c=%20");
	assert_http("http://[::1]/a/b:c@d", "::1 80", "/a/b:c@d");
	assert_http("http://[::1]:1//", "::1 1", "//");
}

static void test_http_target_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {"", "http:", "http://", "http:///", "http://localhost",
	    "HTTP://localhost/", "https://localhost/", "http:/localhost/", "localhost/",
	    "http://localhost:/", "http://localhost:0/", "http://localhost:x/", "http://:80/",
	    "http://example.org/", "http://user@localhost/", "http://localhost/a b",
	    "http://localhost/a\r\nHost: x", "http://localhost/\x7f", "http://localhost/\xc3\xa4",
	    "http://localhost/#a", "http://localhost?a", "http://::1/", "http://[::1/"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sockaddr_storage address;
		const char *path = "untouched";
		unsigned length;

		if (checktarget_parse_http(bad[i], &address, &length, &path) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);
		assert_string_equal(path, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tcp_target_with_number_or_localhost_is_an_address),
	    cmocka_unit_test(test_tcp_target_that_is_none_is_refused),
	    cmocka_unit_test(test_http_target_has_address_and_path),
	    cmocka_unit_test(test_http_target_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
