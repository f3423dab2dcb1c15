/* SPDX-License-Identifier: ISC */
/* Tests of stdout and stderr: what is read, refused and printed, and what it means (route.h). */
#define _GNU_SOURCE
#include "tests/unit/engine/valuetext.h"

#include "supervisord/engine/route.h"

static struct stdio read_stdio(const char *const *items, size_t count)
{
	const struct value_input input = {.row = &program_rows[PROGRAM_stdout],
	    .items = items,
	    .count = count,
	    .list = count > 1};
	struct stdio stdio = {0};
	char *problem = NULL;

	if (value_parse(&input, &stdio, &problem) != 0)
		fail_msg("%s", problem);
	return stdio;
}

static void done(struct stdio *stdio)
{
	value_done(&program_rows[PROGRAM_stdout], stdio, NULL);
}

static void test_route_when_one_place_then_as_ever(void **state)
{
	static const char *const log[] = {"log"}, *const inherit[] = {"inherit"},
				 *const program[] = {"program:next"};
	struct stdio stdio = read_stdio(log, 1);
	size_t index = 0;

	(void)state;
	assert_int_equal(stdio.kind, STDIO_LOG);
	assert_null(stdio.targets);
	assert_true(route_is_logged(&stdio, LOGSPEC_RAW));
	assert_true(route_has_file(&stdio));
	done(&stdio);
	stdio = read_stdio(inherit, 1);
	assert_int_equal(stdio.kind, STDIO_INHERIT);
	assert_false(route_is_logged(&stdio, LOGSPEC_RAW));
	assert_true(route_is_logged(&stdio, LOGSPEC_PREFIX));
	assert_false(route_has_file(&stdio));
	assert_string_equal(route_next_target(&stdio, &index), "inherit");
	assert_null(route_next_target(&stdio, &index));
	done(&stdio);
	stdio = read_stdio(program, 1);
	assert_int_equal(stdio.kind, STDIO_PROGRAM);
	assert_false(route_is_logged(&stdio, LOGSPEC_JSON));
	index = 0;
	assert_string_equal(route_next_program(&stdio, &index), "next");
	assert_null(route_next_program(&stdio, &index));
	done(&stdio);
}

static void test_route_when_syslog_alone_then_by_the_logger_without_a_file(void **state)
{
	static const char *const words[] = {
	    "syslog", "journal", "syslog://127.0.0.1:514", "syslog+tcp://[::1]:601"};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct stdio stdio = read_stdio(&words[i], 1);
		size_t index = 0;

		assert_true(route_is_logged(&stdio, LOGSPEC_RAW));
		assert_false(route_has_file(&stdio));
		assert_string_equal(route_next_target(&stdio, &index), words[i]);
		assert_null(route_next_target(&stdio, &index));
		done(&stdio);
	}
}

static void test_route_when_several_then_each_is_found(void **state)
{
	static const char *const words[] = {"program:a", "syslog", "log", "program:b", "inherit"};
	struct stdio stdio = read_stdio(words, 5);
	size_t index = 0;

	(void)state;
	assert_true(route_is_logged(&stdio, LOGSPEC_RAW));
	assert_true(route_has_file(&stdio));
	assert_string_equal(route_next_program(&stdio, &index), "a");
	assert_string_equal(route_next_program(&stdio, &index), "b");
	assert_null(route_next_program(&stdio, &index));
	done(&stdio);
}

static void refuse(const char *const *items, size_t count, const char *expected)
{
	const struct value_input input = {
	    .row = &program_rows[PROGRAM_stdout], .items = items, .count = count, .list = true};
	struct stdio stdio = {0};
	char *problem = NULL;

	assert_int_equal(value_parse(&input, &stdio, &problem), -EINVAL);
	if (strstr(problem, expected) == NULL)
		fail_msg("%s", problem);
	free(problem);
}

static void test_stdout_when_places_do_not_go_together_then_refused(void **state)
{
	static const char *const file[] = {"log", "append:/x"}, *const null[] = {"null", "log"},
				 *const twice[] = {"log", "log"}, *const what[] = {"log", "sysloq"},
				 *const host[] = {"log", "syslog://example.org:514"},
				 *const port[] = {"syslog+tcp://127.0.0.1", "log"};

	(void)state;
	refuse(file, 2, "'append:/x' stands alone: log, syslog,");
	refuse(null, 2, "'null' stands alone");
	refuse(twice, 2, "'log' is given twice");
	refuse(what, 2, "'sysloq' is not known: null, append:PATH,");
	refuse(host, 2, "'syslog://example.org:514' has no address of a number (or localhost)");
	refuse(port, 2, "has no address of a number (or localhost) and a port");
	refuse(NULL, 0, "'' is not known");
}

static void test_stdout_when_printed_then_it_is_read_again(void **state)
{
	(void)state;
	assert_prints("stdout", "syslog", "{\"syslog\"}");
	assert_prints("stdout", "log", "\"log\"");
	assert_prints("stdout", "program:x", "\"program:x\"");
	assert_prints("syslog_facility", "local7", "local7");
	assert_refused("syslog_facility", "kern",
	    "'kern' is not known: user, mail, daemon, auth, syslog, lpr, news, uucp, cron, "
	    "authpriv, ftp or local0 to local7 is allowed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_route_when_one_place_then_as_ever),
	    cmocka_unit_test(test_route_when_syslog_alone_then_by_the_logger_without_a_file),
	    cmocka_unit_test(test_route_when_several_then_each_is_found),
	    cmocka_unit_test(test_stdout_when_places_do_not_go_together_then_refused),
	    cmocka_unit_test(test_stdout_when_printed_then_it_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
