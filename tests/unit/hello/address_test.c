/* SPDX-License-Identifier: ISC */
/* address_test.c: listen addresses as written and as shown. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hello/address.h"

static void check(const char *text, const char *shown)
{
	struct address address;
	char buffer[ADDRESS_TEXT];

	assert_int_equal(address_parse(text, &address), 0);
	assert_string_equal(address_format(&address, buffer, sizeof(buffer)), shown);
}

static void test_parse_when_well_formed_then_shown_as_url(void **state)
{
	(void)state;
	check("127.0.0.1:8124", "http://127.0.0.1:8124/");
	check("0.0.0.0:0", "http://0.0.0.0:0/");
	check("[::]:65535", "http://[::]:65535/");
	check("[::1]:80", "http://[::1]:80/");
	check("unix:/run/h.sock", "unix:/run/h.sock");
	check("unix:a:b", "unix:a:b");
}

static void test_parse_when_malformed_then_invalid(void **state)
{
	static const char *const texts[] = {"", ":", "8124", ":8124", "127.0.0.1",
	    "127.0.0.1:", "localhost:80", "127.1:80", "1.2.3.4:65536", "1.2.3.4:+1", "1.2.3.4: 1",
	    "1.2.3.4:1x", "::1:80", "[]:80", "[::1]", "[::1:80", "[1.2.3.4]:80", "[::1]x:80",
	    "unix:", "999.0.0.1:80", "1.2.3.4:99999999999999999999999"};
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (address_parse(texts[i], &address) != -EINVAL)
			fail_msg("%s", texts[i]);
}

static void test_parse_when_path_too_long_then_error_not_cut(void **state)
{
	struct address address;
	char text[5 + sizeof(address.un.sun_path) + 1] = "unix:";

	(void)state;
	memset(text + 5, 'x', sizeof(address.un.sun_path));
	assert_int_equal(address_parse(text, &address), -ENAMETOOLONG);
	text[sizeof(text) - 2] = '\0';
	assert_int_equal(address_parse(text, &address), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse_when_well_formed_then_shown_as_url),
	    cmocka_unit_test(test_parse_when_malformed_then_invalid),
	    cmocka_unit_test(test_parse_when_path_too_long_then_error_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
