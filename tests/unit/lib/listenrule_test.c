/* SPDX-License-Identifier: ISC */
/* What cluster_listen allows, and what it does not by accident. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/listenrule.h"

static bool port(const char *text, enum listen_kind kind, const char *address, unsigned number)
{
	struct listen_rule rule;
	const char *problem;

	assert_int_equal(listen_rule_parse(text, &rule, &problem), 0);
	return listen_rules_permit_port(&rule, 1, kind, address, number, 1024);
}

static bool path(const char *text, const char *name)
{
	struct listen_rule rule;
	const char *problem;

	assert_int_equal(listen_rule_parse(text, &rule, &problem), 0);
	return listen_rules_permit_path(&rule, 1, name);
}

static void test_permit_when_port_is_named_then_it_alone(void **state)
{
	(void)state;
	assert_true(port("tcp:8124", LISTEN_TCP, NULL, 8124));
	assert_true(port("tcp:8124", LISTEN_TCP, "10.0.0.1", 8124));
	assert_false(port("tcp:8124", LISTEN_TCP, NULL, 8125));
	assert_false(port("tcp:8124", LISTEN_UDP, NULL, 8124));
	assert_true(port("tcp:443", LISTEN_TCP, "::", 443));
	assert_true(port("udp:8000-8010", LISTEN_UDP, NULL, 8010));
	assert_false(port("udp:8000-8010", LISTEN_UDP, NULL, 8011));
	assert_false(port("tcp:8124", LISTEN_TCP, NULL, 0));
	assert_true(port("tcp:0", LISTEN_TCP, NULL, 0));
}

static void test_permit_when_any_port_then_none_that_needs_a_privilege(void **state)
{
	(void)state;
	assert_true(port("tcp:*", LISTEN_TCP, NULL, 1024));
	assert_true(port("tcp:*", LISTEN_TCP, NULL, 0));
	assert_false(port("tcp:*", LISTEN_TCP, NULL, 1023));
	assert_false(port("tcp:[::1]:*", LISTEN_TCP, "::1", 80));
}

static void test_permit_when_address_is_named_then_no_other(void **state)
{
	(void)state;
	assert_true(port("tcp:127.0.0.1:80", LISTEN_TCP, "127.0.0.1", 80));
	assert_false(port("tcp:127.0.0.1:80", LISTEN_TCP, "127.0.0.2", 80));
	assert_false(port("tcp:127.0.0.1:80", LISTEN_TCP, NULL, 80));
	assert_true(port("tcp:[::1]:80", LISTEN_TCP, "0:0::1", 80));
	assert_false(port("tcp:80", LISTEN_TCP, "no address", 80));
}

static void test_permit_when_path_then_as_written(void **state)
{
	(void)state;
	assert_true(path("unix:/run/x", "/run/x"));
	assert_false(path("unix:/run/x", "/run/xy"));
	assert_true(path("unix:/run/web/*", "/run/web/a"));
	assert_false(path("unix:/run/web/*", "/run/web/"));
	assert_false(path("unix:/run/web/*", "/run/web/a/b"));
	assert_false(path("unix:/run/web/*", "/run/web/.."));
	assert_true(path("unix:*", "/anything/at/all"));
	assert_false(path("unix:*", "/run/../etc/x"));
	assert_false(path("unix:*", "relative"));
	assert_false(path("tcp:*", "/run/x"));
}

static void test_parse_when_wrong_then_says_what_is_allowed(void **state)
{
	static const char *const wrong[] = {"", "8124", "tcp", "tcp:", "tcp:x", "tcp:65536",
	    "tcp:-1", "tcp:9-8", "tcp:0-9", "tcp:localhost:80", "tcp:::1:80", "tcp:[127.0.0.1]:80",
	    "tcp:[]:80", "tcp:[::1:80", "unix:", "unix:x", "unix:/a/../b", "unix:/a*",
	    "unix:/a/*/b", "sctp:1"};
	struct listen_rule rule;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *problem = NULL;

		assert_int_not_equal(listen_rule_parse(wrong[i], &rule, &problem), 0);
		assert_non_null(problem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_permit_when_port_is_named_then_it_alone),
	    cmocka_unit_test(test_permit_when_any_port_then_none_that_needs_a_privilege),
	    cmocka_unit_test(test_permit_when_address_is_named_then_no_other),
	    cmocka_unit_test(test_permit_when_path_then_as_written),
	    cmocka_unit_test(test_parse_when_wrong_then_says_what_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
