/* SPDX-License-Identifier: ISC */
/* options_test.c: the command line, good and bad, and --user. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hello/options.h"
#include "lib/clock.h"

#define ARGS 40

static int parse(const char *const *words, struct options *options, char *error, size_t size)
{
	char *argv[ARGS + 2] = {strdup("hello")};
	int argc = 1, r;

	for (; words[argc - 1]; argc++)
		argv[argc] = strdup(words[argc - 1]);
	error[0] = '\0';
	r = options_parse(argc, argv, options, error, size);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return r;
}

static void test_parse_when_empty_then_defaults(void **state)
{
	struct options o;
	char error[256];

	(void)state;
	assert_int_equal(parse((const char *const[]){NULL}, &o, error, sizeof(error)), 0);
	assert_int_equal(o.act, OPTIONS_RUN);
	assert_int_equal(o.address_count, 0);
	assert_int_equal(o.grace_ns, 5 * NS_PER_S);
	assert_int_equal(o.pool.connections_max, LIMIT_HELLO_CONNECTIONS);
	assert_false(o.has_identity);
	assert_false(o.pool.is_debug);
}

static void test_parse_when_all_given_then_all_set(void **state)
{
	static const char *const words[] = {"--listen", "127.0.0.1:0", "-l", "unix:x",
	    "--user=1234:99", "--grace", "2s", "--header-timeout=100ms", "--body-timeout", "1min",
	    "--idle-timeout", "3s", "--write-timeout", "4s", "--max-connections", "7", "--debug",
	    NULL};
	struct options o;
	char error[256];

	(void)state;
	assert_int_equal(parse(words, &o, error, sizeof(error)), 0);
	assert_int_equal(o.address_count, 2);
	assert_int_equal(o.identity.uid, 1234);
	assert_int_equal(o.identity.gid, 99);
	assert_int_equal(o.grace_ns, 2 * NS_PER_S);
	assert_int_equal(o.pool.timeout_ns[PHASE_FRESH], 100 * NS_PER_MS);
	assert_int_equal(o.pool.timeout_ns[PHASE_HEAD], 100 * NS_PER_MS);
	assert_int_equal(o.pool.timeout_ns[PHASE_BODY], 60 * NS_PER_S);
	assert_int_equal(o.pool.timeout_ns[PHASE_IDLE], 3 * NS_PER_S);
	assert_int_equal(o.pool.timeout_ns[PHASE_WRITE], 4 * NS_PER_S);
	assert_int_equal(o.pool.connections_max, 7);
	assert_true(o.pool.is_debug);
}

static void test_parse_when_bad_then_one_line_with_what_is_allowed(void **state)
{
	static const struct {
		const char *words[3];
		const char *says;
	} rows[] = {
	    {{"--bogus"}, "--bogus"},
	    {{"-x"}, "-x"},
	    {{"--listen"}, "needs a value"},
	    {{"word"}, "word"},
	    {{"--listen", "nowhere"}, "IPV4:PORT"},
	    {{"--grace", "soon"}, "10s"},
	    {{"--grace", "0"}, "1ms to 24h"},
	    {{"--grace", "25h"}, "1ms to 24h"},
	    {{"--max-connections", "0"}, "1 to"},
	    {{"--max-connections", "9999999"}, "1 to"},
	    {{"--user", ""}, "USER:GROUP"},
	    {{"--user", ":0"}, "USER:GROUP"},
	    {{"--user", "1:"}, "USER:GROUP"},
	    {{"--user", "no-such-user-here"}, "no such user"},
	    {{"--user", "1:no-such-group-here"}, "no such group"},
	    {{"--user", "0:0"}, "root"},
	    {{"--user", "3999999999"}, "USER:GROUP"},
	    {{"--user", "4294967295:1"}, "no such user"},
	};
	struct options o;
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *words[4] = {rows[i].words[0], rows[i].words[1], rows[i].words[2], NULL};

		assert_int_equal(parse(words, &o, error, sizeof(error)), -EINVAL);
		if (!strstr(error, rows[i].says) || strchr(error, '\n'))
			fail_msg("row %zu: %s", i, error);
	}
}

static void test_user_when_sudo_then_ids_of_environment(void **state)
{
	static const char *const words[] = {"--user", "@sudo", NULL};
	static const char *const bad[][2] = {{NULL, NULL}, {"1000", NULL}, {NULL, "1000"},
	    {"", "1"}, {"1x", "1"}, {"-1", "1"}, {"1", "4294967295"}, {"0", "0"}, {" 1", "1"}};
	struct options o;
	char error[256];

	(void)state;
	setenv("SUDO_UID", "1001", 1);
	setenv("SUDO_GID", "1002", 1);
	assert_int_equal(parse(words, &o, error, sizeof(error)), 0);
	assert_int_equal(o.identity.uid, 1001);
	assert_int_equal(o.identity.gid, 1002);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		unsetenv("SUDO_UID");
		unsetenv("SUDO_GID");
		if (bad[i][0])
			setenv("SUDO_UID", bad[i][0], 1);
		if (bad[i][1])
			setenv("SUDO_GID", bad[i][1], 1);
		assert_int_equal(parse(words, &o, error, sizeof(error)), -EINVAL);
		assert_non_null(strstr(error, "@sudo"));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse_when_empty_then_defaults),
	    cmocka_unit_test(test_parse_when_all_given_then_all_set),
	    cmocka_unit_test(test_parse_when_bad_then_one_line_with_what_is_allowed),
	    cmocka_unit_test(test_user_when_sudo_then_ids_of_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
