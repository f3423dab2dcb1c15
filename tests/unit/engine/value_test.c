/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/value.h: each type reads, prints and refuses. */
#define _GNU_SOURCE
#include "tests/unit/engine/valuetext.h"

#include "lib/limits.h"

#define EXITS_ALLOWED                                                                              \
	"a list of exit codes from 0 to 255, ranges of them and signals by name, such as {0, "     \
	"10-19, TERM}, is allowed"
#define STDOUT_ALLOWED                                                                             \
	"null, append:PATH, fifo:PATH, or one or a list of log, syslog, syslog://HOST:PORT, "      \
	"syslog+tcp://HOST:PORT, journal, inherit, program:NAME is allowed"

static void check_default(const struct key_row *row)
{
	struct value_input input = {.row = row, .items = &row->def, .count = 1};
	union any value = {{0}};
	char *problem = NULL, allowed[VALUE_ALLOWED];

	assert_true(row->size <= sizeof(value));
	assert_true(strlen(value_allowed(row, allowed)) > 0);
	if (row->def == NULL)
		return;
	if (value_parse(&input, &value, &problem) != 0)
		fail_msg("the default of %s: %s", row->name, problem);
	value_done(row, &value, NULL);
}

static void test_every_default_is_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < PROGRAM_KEY_COUNT; i++)
		check_default(&program_rows[i]);
	for (size_t i = 0; i < SETTING_KEY_COUNT; i++)
		check_default(&setting_rows[i]);
	for (size_t i = 0; i < GROUP_KEY_COUNT; i++)
		check_default(&group_rows[i]);
	for (size_t i = 0; i < SOCKET_KEY_COUNT; i++)
		check_default(&socket_rows[i]);
}

/* What is printed is read as the same again. */
static void test_every_default_is_printed_as_it_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < PROGRAM_KEY_COUNT; i++) {
		const struct key_row *row = &program_rows[i];
		struct value_input input = {.row = row, .items = &row->def, .count = 1};
		union any value = {{0}};
		char *problem = NULL, *printed = NULL;
		size_t size;
		FILE *file;

		if (row->def != NULL)
			assert_int_equal(value_parse(&input, &value, &problem), 0);
		file = open_memstream(&printed, &size);
		assert_non_null(file);
		value_write(row, &value, file);
		fclose(file);
		/* Unset: nothing, or an empty set. */
		if (row->def == NULL)
			assert_true(printed[0] == '\0' || strcmp(printed, "{}") == 0);
		else
			assert_true(printed[0] != '\0');
		free(printed);
		value_done(row, &value, NULL);
	}
}

static void test_numbers_are_read_and_bounded(void **state)
{
	(void)state;
	assert_prints("umask", "27", "027");
	assert_refused(
	    "umask", "1000", "'1000' is out of range: an octal number from 0 to 777 is allowed");
	assert_refused(
	    "umask", "", "'' is not an octal number: an octal number from 0 to 777 is allowed");
	assert_prints("start_limit", "010", "10");
	assert_refused(
	    "start_limit", "", "'' is not a number: a whole number from 0 to 1000 is allowed");
	assert_refused("start_limit", "1001",
	    "'1001' is out of range: a whole number from 0 to 1000 is allowed");
	assert_refused("start_limit", "99999999999999999999",
	    "'99999999999999999999' is out of range: a whole number from 0 to 1000 is allowed");
	assert_prints("stop_timeout", "90s", "1min30s");
	assert_refused("stop_timeout", "1ms",
	    "'1ms' is out of range: a duration from 10ms to 1d, such as 500ms, 10s or 1min30s, is "
	    "allowed");
	assert_refused("stop_timeout", "",
	    "'' is not a duration: a duration from 10ms to 1d, such as 500ms, 10s or 1min30s, is "
	    "allowed");
	assert_prints("log_max_size", "1024K", "1MiB");
	assert_prints("log_max_size", "0", "0B");
	assert_refused("log_max_size", "2000000GB",
	    "'2000000GB' is out of range: a size from 0B to 1000GB, such as 64K, 10MB or 1GiB, is "
	    "allowed");
	assert_refused("log_max_size", "10 MB",
	    "'10 MB' is not a size: a size from 0B to 1000GB, such as 64K, 10MB or 1GiB, is "
	    "allowed");
	assert_prints("restart_factor", "1.50", "1.5");
	assert_refused("restart_factor", "0.5",
	    "'0.5' is out of range: a number from 1 to 100, such as 1.5, is allowed");
	for (size_t i = 0; i < 8; i++) {
		static const char *const bad[] = {"", "inf", "nan", "1e1", "0x2", " 2", "-2", "2."};
		char message[128];

		snprintf(message, sizeof(message),
		    "'%s' is not a number: a number from 1 to 100, such as 1.5, is allowed",
		    bad[i]);
		assert_refused("restart_factor", bad[i], message);
	}
}

static void test_words_of_a_set_are_read(void **state)
{
	(void)state;
	assert_prints("shell", "yes", "true");
	assert_prints("shell", "off", "false");
	assert_refused("shell", "True", "'True' is not known: true or false is allowed");
	assert_prints("restart", "on-abnormal", "on-abnormal");
	assert_refused(
	    "restart", "", "'' is not known: never, on-failure, on-abnormal or always is allowed");
	assert_prints("log_level", "debug", "debug");
	assert_refused(
	    "log_level", "info", "'info' is not known: error, warning, notice or debug is allowed");
}

static void test_signals_and_exits_are_read(void **state)
{
	static const char *const bad[] = {"0", "256"}, *const worse[] = {"TERM", "FOO"};

	(void)state;
	assert_prints("stop_signal", "sigint", "INT");
	assert_prints("stop_signal", "2", "INT");
	assert_refused("stop_signal", "FOO",
	    "'FOO' is not a signal: a signal, such as TERM, HUP or \"RTMIN+3\", is allowed");
	assert_prints("success_exit", "255", "{255}");
	assert_prints("success_exit", "term", "{TERM}");
	refuse_list("success_exit", bad, 2, false, "'256' is out of range: " EXITS_ALLOWED);
	refuse_list("success_exit", worse, 2, false,
	    "'FOO' is neither an exit code nor a signal: " EXITS_ALLOWED);
}

static void test_exit_codes_are_read_in_ranges(void **state)
{
	static const char *const mixed[] = {"3-5", "7", "RTMAX", "9-9", "254-255", "TERM", "4"};
	static const char *const bad[] = {"5-3", "0-256", "256-257", "99999999999999999999999999"};
	static const char *const worse[] = {"3-", "-3", "3-4-5", "3-TERM", "", " 3", "3,4"};
	char message[256];

	(void)state;
	assert_prints("success_exit", "0-255", "{0-255}");
	list_prints("restart_force_exit", mixed, 7, "{3-5, 7, 9, 254-255, TERM, RTMIN+30}");
	list_prints("restart_prevent_exit", mixed, 0, "{}");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(message, sizeof(message), "'%s' is out of range: " EXITS_ALLOWED, bad[i]);
		assert_refused("restart_force_exit", bad[i], message);
	}
	for (size_t i = 0; i < sizeof(worse) / sizeof(worse[0]); i++) {
		snprintf(message, sizeof(message),
		    "'%s' is neither an exit code nor a signal: " EXITS_ALLOWED, worse[i]);
		assert_refused("restart_force_exit", worse[i], message);
	}
}

static void test_streams_are_read(void **state)
{
	(void)state;
	assert_prints("stdin", "file:/a b", "\"file:/a b\"");
	assert_prints("stdout", "append:%{name}.log", "\"append:%{name}.log\"");
	assert_prints("stdout", "program:web", "\"program:web\"");
	assert_prints("stderr", "stdout", "\"stdout\"");
	assert_refused("stdin", "log", "'log' is not known: null, pipe or file:PATH is allowed");
	assert_refused("stdout", "stdout", "'stdout' is not known: " STDOUT_ALLOWED);
	assert_refused("stdout", "logs", "'logs' is not known: " STDOUT_ALLOWED);
	assert_refused("stdout", "append:", "'append:' names no file: " STDOUT_ALLOWED);
	assert_refused(
	    "stdout", "append:/var/log/", "'append:/var/log/' names no file: " STDOUT_ALLOWED);
	assert_refused("stdout", "append:%{nam}",
	    "'%{nam}' is not known: %{name}, %{program}, %{instance}, %{user}, %{home}, "
	    "%{run_dir} and %{percent} are allowed");
	assert_refused("stdout", "program:a b",
	    "the program name 'a b' has other characters than letters, digits, '_', '.' and '-'");
}

static void test_command_is_argv(void **state)
{
	static const char *const none[] = {NULL}, *const empty[] = {"", "a"},
				 *const two[] = {"a", "b"};

	(void)state;
	assert_prints("command", "/bin/echo 'a b' c", "{\"/bin/echo\", \"a b\", \"c\"}");
	assert_prints("command", "a \"\\$x\" \\\"", "{\"a\", \"\\$x\", \"\\\"\"}");
	assert_refused("command", "", "is empty: a program to run is needed");
	assert_refused("command", "  ", "is empty: a program to run is needed");
	assert_refused("command", "'' a", "is empty: a program to run is needed");
	assert_refused("command", "a 'b",
	    "a ' that is not closed in the command: put a \\ before it (in \"...\" of this file: "
	    "\\\\) to take it "
	    "literally");
	refuse_list("command", none, 0, false, "is empty: a program to run is needed");
	refuse_list("command", empty, 2, false, "is empty: a program to run is needed");
	refuse_list("command", two, 2, true, "a list with shell = true: one string is allowed");
	refuse_list("command", none, 0, true, "a list with shell = true: one string is allowed");
}

static void test_command_by_shell_is_one_word(void **state)
{
	const char *text = "echo \"$A\" | cat";
	struct value_input input = {
	    .row = row_of("command"), .items = &text, .count = 1, .shell = true};
	string_list argv = NULL;
	char *problem = NULL;

	(void)state;
	assert_int_equal(value_parse(&input, &argv, &problem), 0);
	assert_string_equal(argv[0], "/bin/sh");
	assert_string_equal(argv[1], "-c");
	assert_string_equal(argv[2], text);
	assert_null(argv[3]);
	free(argv);
}

static void test_environment_is_checked(void **state)
{
	static const char *const twice[] = {"A=1", "AB=1", "A=2"};
	static const char *const bad[] = {"A", "=1", "1A=1", "A B=1", "A-B=1", ""};

	(void)state;
	assert_prints("environment", "A=b=c \"d\"", "{\"A=b=c \\\"d\\\"\"}");
	assert_prints("environment", "A=", "{\"A=\"}");
	refuse_list("environment", twice, 3, false, "'A' is given twice");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char message[160];

		snprintf(message, sizeof(message),
		    "'%s' is not NAME=VALUE with a NAME of letters, digits and '_' that begins "
		    "with no digit",
		    bad[i]);
		assert_refused("environment", bad[i], message);
	}
}

static void test_lists_have_a_limit(void **state)
{
	const char *items[LIMIT_LIST + 1];

	(void)state;
	for (size_t i = 0; i <= LIMIT_LIST; i++)
		items[i] = "a";
	refuse_list("after", items, LIMIT_LIST + 1, false, "257 values: at most 256 are allowed");
	refuse_list("after", items, 2, false, "'a' is given twice");
}

static void test_program_names_follow_the_rule(void **state)
{
	char longest[58], longer[59];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[57] = '\0';
	memset(longer, 'a', sizeof(longer));
	longer[58] = '\0';
	assert_null(value_check_name("a"));
	assert_null(value_check_name("0web_1.x-y"));
	assert_null(value_check_name(longest));
	assert_string_equal(value_check_name(longer), "is too long: at most 57 bytes are allowed");
	assert_string_equal(value_check_name(""), "is empty");
	assert_string_equal(value_check_name("-a"), "does not begin with a letter or digit");
	assert_string_equal(value_check_name(".a"), "does not begin with a letter or digit");
	assert_non_null(value_check_name("a@1"));
	assert_non_null(value_check_name("a/b"));
	assert_non_null(value_check_name("a\n"));
	assert_non_null(value_check_name("web*"));
	assert_string_equal(value_check_name("all"), "has a meaning of its own in commands");
	assert_string_equal(
	    value_check_name("supervisord"), "has a meaning of its own in commands");
}

static void test_message_shows_no_control_byte_and_cuts_the_long(void **state)
{
	char text[300], message[256];

	(void)state;
	assert_refused(
	    "shell", "a\n\x1b[1m", "'a\\x0a\\x1b[1m' is not known: true or false is allowed");
	memset(text, 'x', sizeof(text));
	text[299] = '\0';
	snprintf(
	    message, sizeof(message), "'%.91s...' is not known: true or false is allowed", text);
	assert_refused("shell", text, message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_default_is_allowed),
	    cmocka_unit_test(test_every_default_is_printed_as_it_is_read),
	    cmocka_unit_test(test_numbers_are_read_and_bounded),
	    cmocka_unit_test(test_words_of_a_set_are_read),
	    cmocka_unit_test(test_signals_and_exits_are_read),
	    cmocka_unit_test(test_exit_codes_are_read_in_ranges),
	    cmocka_unit_test(test_streams_are_read),
	    cmocka_unit_test(test_command_is_argv),
	    cmocka_unit_test(test_command_by_shell_is_one_word),
	    cmocka_unit_test(test_environment_is_checked),
	    cmocka_unit_test(test_lists_have_a_limit),
	    cmocka_unit_test(test_program_names_follow_the_rule),
	    cmocka_unit_test(test_message_shows_no_control_byte_and_cuts_the_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
