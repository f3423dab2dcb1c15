/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/acceptrule.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "lib/clock.h"
#include "supervisord/engine/acceptrule.h"

static uint64_t source_of(const char *address, uint16_t port)
{
	struct sockaddr_storage peer = {0};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
		memcpy(&peer, &in, sizeof(in));
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
		memcpy(&peer, &in6, sizeof(in6));
	}
	return acceptrule_source(&peer, 4711);
}

static uint64_t source_of_user(uint32_t uid)
{
	struct sockaddr_storage peer = {.ss_family = AF_UNIX};

	return acceptrule_source(&peer, uid);
}

static void test_source_is_the_address_whatever_the_port(void **state)
{
	(void)state;
	assert_true(source_of("192.0.2.1", 1) == source_of("192.0.2.1", 65535));
	assert_true(source_of("192.0.2.1", 1) != source_of("192.0.2.2", 1));
	assert_true(source_of("192.0.2.1", 1) == source_of("::ffff:192.0.2.1", 2));
}

/* Whoever has one address of such a network has them all. */
static void test_source_of_ipv6_is_its_first_64_bits(void **state)
{
	(void)state;
	assert_true(source_of("2001:db8::1", 1) == source_of("2001:db8::ffff:1", 2));
	assert_true(source_of("2001:db8:0:1::1", 1) != source_of("2001:db8::1", 1));
	assert_true(source_of("::1", 1) != source_of("2001:db8::1", 1));
	assert_true(source_of("::1", 1) != source_of("0:0:0:1::1", 1));
}

static void test_source_of_a_unix_socket_is_the_user(void **state)
{
	(void)state;
	assert_true(source_of_user(0) == source_of_user(0));
	assert_true(source_of_user(0) != source_of_user(1000));
	assert_true(source_of_user(0) != source_of("0.0.0.0", 0));
	assert_true(source_of_user(UINT32_MAX) != source_of("255.255.255.255", 0));
}

/* Smaller numbers mean something else where it is kept. */
static void test_source_is_never_one_of_the_small_numbers(void **state)
{
	(void)state;
	assert_true(source_of("::", 0) >= ACCEPTRULE_SOURCES);
	assert_true(source_of("::1", 0) >= ACCEPTRULE_SOURCES);
	assert_true(source_of("0:0:0:1::", 0) >= ACCEPTRULE_SOURCES);
	assert_true(source_of("0.0.0.0", 0) >= ACCEPTRULE_SOURCES);
	assert_true(source_of_user(0) >= ACCEPTRULE_SOURCES);
}

static void test_source_with_as_many_as_allowed_is_refused(void **state)
{
	const struct acceptrule none = {.per_source = 0}, two = {.per_source = 2};

	(void)state;
	assert_false(acceptrule_refuses(&none, UINT32_MAX));
	assert_false(acceptrule_refuses(&two, 0));
	assert_false(acceptrule_refuses(&two, 1));
	assert_true(acceptrule_refuses(&two, 2));
	assert_true(acceptrule_refuses(&two, 3));
}

static void test_rate_is_used_up_then_it_rests_to_the_end_of_the_interval(void **state)
{
	const struct acceptrule rule = {.limit = 2, .interval_ns = NS_PER_S};
	struct acceptrule_window window = {0};

	(void)state;
	assert_int_equal(acceptrule_rests_until(&rule, &window, 5 * NS_PER_S), 0);
	acceptrule_note(&rule, &window, 5 * NS_PER_S);
	assert_int_equal(acceptrule_rests_until(&rule, &window, 5 * NS_PER_S + 1), 0);
	acceptrule_note(&rule, &window, 5 * NS_PER_S + 2);
	assert_int_equal(acceptrule_rests_until(&rule, &window, 5 * NS_PER_S + 3), 6 * NS_PER_S);
	assert_int_equal(acceptrule_rests_until(&rule, &window, 6 * NS_PER_S - 1), 6 * NS_PER_S);
	assert_int_equal(acceptrule_rests_until(&rule, &window, 6 * NS_PER_S), 0);
	/* And a new one begins with the next connection. */
	acceptrule_note(&rule, &window, 6 * NS_PER_S + 7);
	assert_int_equal(window.begin_ns, 6 * NS_PER_S + 7);
	assert_int_equal(window.count, 1);
}

static void test_rate_without_a_limit_never_rests(void **state)
{
	const struct acceptrule rule = {.limit = 0, .interval_ns = NS_PER_S};
	struct acceptrule_window window = {0};

	(void)state;
	for (int i = 1; i < 1000; i++) {
		acceptrule_note(&rule, &window, i);
		assert_int_equal(acceptrule_rests_until(&rule, &window, i), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_source_is_the_address_whatever_the_port),
	    cmocka_unit_test(test_source_of_ipv6_is_its_first_64_bits),
	    cmocka_unit_test(test_source_of_a_unix_socket_is_the_user),
	    cmocka_unit_test(test_source_is_never_one_of_the_small_numbers),
	    cmocka_unit_test(test_source_with_as_many_as_allowed_is_refused),
	    cmocka_unit_test(test_rate_is_used_up_then_it_rests_to_the_end_of_the_interval),
	    cmocka_unit_test(test_rate_without_a_limit_never_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
