/* SPDX-License-Identifier: ISC */
/* confvalues_test.c: what differs between two stanzas, as text that a file could have. */
#include "tests/unit/engine/engineworld.h"

#include "supervisord/engine/confvalues.h"

/* The program "web" of two configurations; old NULL: it is new. */
static const char *differences(const char *old_text, const char *new_text)
{
	struct config *old_config = old_text != NULL ? confdir_accept(old_text) : NULL;
	struct config *new_config = confdir_accept(new_text);
	struct jsonw w;

	jsonw_init(&w, 8192);
	confvalues_write_program(old_config != NULL ? config_find_program(old_config, "web") : NULL,
	    config_find_program(new_config, "web"), &w);
	config_free(old_config);
	config_free(new_config);
	return engineworld_text(&w);
}

static const char *daemon_differences(const char *old_text, const char *new_text)
{
	struct config *old_config = confdir_accept(old_text),
		      *new_config = confdir_accept(new_text);
	struct jsonw w;

	jsonw_init(&w, 8192);
	confvalues_write_daemon(old_config, new_config, &w);
	config_free(old_config);
	config_free(new_config);
	return engineworld_text(&w);
}

static void test_program_when_same_then_nothing(void **state)
{
	(void)state;
	assert_string_equal(differences("program web { command = x }\n",
				"# a line\nprogram \"web\" {\n command = \"x\"\n}\n"),
	    "");
}

static void test_program_when_keys_of_each_class_differ_then_each_with_it(void **state)
{
	(void)state;
	assert_string_equal(
	    differences("program web { command = x }\n",
		"program web { command = {\"x\", \"a b\"} log_keep = 9 ready = \"fd:3\" }\n"),
	    "{\"key\":\"command\",\"class\":\"restart\",\"old\":\"{\\\"x\\\"}\",\"new\":\"{"
	    "\\\"x\\\", \\\"a b\\\"}\"},"
	    "{\"key\":\"log_keep\",\"class\":\"live\",\"old\":\"5\",\"new\":\"9\"},"
	    "{\"key\":\"ready\",\"class\":\"next\",\"old\":\"\\\"none\\\"\",\"new\":\"\\\"fd:"
	    "3\\\"\"}");
}

static void test_program_when_key_comes_or_goes_then_null_stands_for_it(void **state)
{
	(void)state;
	assert_string_equal(differences("program web { command = x reload_signal = HUP }\n",
				"program web { command = x syslog_tag = \"t\" }\n"),
	    "{\"key\":\"reload_signal\",\"class\":\"live\",\"old\":\"HUP\",\"new\":null},"
	    "{\"key\":\"syslog_tag\",\"class\":\"live\",\"old\":null,\"new\":\"\\\"t\\\"\"}");
}

/* With the dot that a file has. */
static void test_program_when_health_differs_then_key_of_the_section(void **state)
{
	(void)state;
	assert_string_equal(
	    differences("program web { command = x }\n",
		"program web { command = x health { check = \"tcp:127.0.0.1:9\" } }\n"),
	    "{\"key\":\"health.check\",\"class\":\"live\",\"old\":\"\\\"none\\\"\",\"new\":"
	    "\"\\\"tcp:127.0.0.1:9\\\"\"}");
}

static void test_program_when_new_then_what_is_not_default(void **state)
{
	(void)state;
	assert_string_equal(
	    differences(NULL, "defaults { log_keep = 9 }\nprogram web { command = x }\n"),
	    "{\"key\":\"command\",\"class\":\"restart\",\"old\":null,\"new\":\"{\\\"x\\\"}\"},"
	    "{\"key\":\"log_keep\",\"class\":\"live\",\"old\":null,\"new\":\"9\"}");
}

static void test_daemon_when_settings_and_groups_differ_then_each(void **state)
{
	static const char programs[] = "program a { command = x }\nprogram b { command = x }\n";
	char old_text[256], new_text[256];

	(void)state;
	snprintf(old_text, sizeof(old_text), "%sgroup g { members = {a} }\n", programs);
	snprintf(new_text, sizeof(new_text),
	    "%slog_level = debug\ngroup g { members = {a, b} }\ngroup h { members = {b} }\n",
	    programs);
	assert_string_equal(daemon_differences(old_text, new_text),
	    "{\"key\":\"log_level\",\"class\":\"live\",\"old\":\"notice\",\"new\":\"debug\"},"
	    "{\"key\":\"group g\",\"class\":\"live\",\"old\":\"{\\\"a\\\"}\",\"new\":\"{\\\"a\\\", "
	    "\\\"b\\\"}\"},"
	    "{\"key\":\"group h\",\"class\":\"live\",\"old\":null,\"new\":\"{\\\"b\\\"}\"}");
	assert_string_equal(daemon_differences(old_text, old_text), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_program_when_same_then_nothing),
	    cmocka_unit_test(test_program_when_keys_of_each_class_differ_then_each_with_it),
	    cmocka_unit_test(test_program_when_key_comes_or_goes_then_null_stands_for_it),
	    cmocka_unit_test(test_program_when_health_differs_then_key_of_the_section),
	    cmocka_unit_test(test_program_when_new_then_what_is_not_default),
	    cmocka_unit_test(test_daemon_when_settings_and_groups_differ_then_each),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
