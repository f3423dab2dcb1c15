/* SPDX-License-Identifier: ISC */
/* Tests of override "NAME" { … }, supervisord/engine/confoverride.c. */
#include "tests/unit/engine/confdir.h"

#include "supervisord/engine/confsource.h"
#include "supervisord/engine/keytable.h"

static const struct program_config *find(const struct config *config, const char *name)
{
	const struct program_config *program = config_find_program(config, name);

	assert_non_null(program);
	return program;
}

/* Sources as an engine has them, "path", "text", … NULL. */
static int load(struct config **ret_config, struct config_errors *errors, const char *const *texts)
{
	struct config_source *sources = calloc(8, sizeof(*sources));
	size_t count = 0;

	for (; texts[0] != NULL; texts += 2)
		assert_int_equal(
		    confsource_copy(texts[0], texts[1], strlen(texts[1]), &sources[count++]), 0);
	return config_load_sources(sources, count, ret_config, errors);
}

static void test_override_is_laid_over_stanza_and_defaults_wherever_it_stands(void **state)
{
	struct config *config = confdir_accept(
	    "override \"web\" { stop_timeout = 3s umask = 077 command = {\"/bin/b\", \"x y\"}\n"
	    "\thealth { interval = 7s } environment = {\"A=2\"} }\n"
	    "program \"web\" { command = /bin/a stop_timeout = 9s environment = {\"A=1\", \"B=1\"} "
	    "health { check = \"tcp:127.0.0.1:1\" interval = 1s } }\n"
	    "program \"db\" { command = /bin/a }\n"
	    "defaults { umask = 027 }\n");
	const struct program_config *web = find(config, "web"), *db = find(config, "db");

	(void)state;
	assert_int_equal(web->key_stop_timeout, 3 * NS_PER_S);
	assert_int_equal(web->key_umask, 077);
	assert_string_equal(web->key_command[0], "/bin/b");
	assert_string_equal(web->key_command[1], "x y");
	assert_null(web->key_command[2]);
	assert_string_equal(web->key_environment[0], "A=2");
	assert_null(web->key_environment[1]);
	assert_int_equal(web->life->key_health_interval, 7 * NS_PER_S);
	assert_int_equal(web->life->key_health_check.kind, CHECK_TCP);
	/* Nobody else has any of it. */
	assert_int_equal(db->key_umask, 027);
	assert_int_equal(db->key_stop_timeout, 10 * NS_PER_S);
	assert_int_equal(db->override_count, 0);
	config_free(config);
}

static void test_program_knows_which_keys_are_overridden_and_where(void **state)
{
	struct config *config =
	    confdir_accept("program \"web\" { command = /bin/a instances = 2 }\n"
			   "override \"web\" {\n"
			   "\tsoak = 1s\n"
			   "\tumask = 077\n"
			   "}\n");
	const struct program_config *web = find(config, "web@2");
	const struct program_override *umask = config_find_override(web, PROGRAM_umask);

	(void)state;
	assert_int_equal(web->override_count, 2);
	assert_non_null(umask);
	assert_string_equal(umask->file, confdir_path("main.conf"));
	assert_int_equal(umask->line, 4);
	assert_false(config_is_set(umask));
	assert_int_equal(config_find_override(web, PROGRAM_soak)->line, 3);
	assert_null(config_find_override(web, PROGRAM_command));
	config_free(config);
}

static void test_same_values_by_an_override_are_the_same_program(void **state)
{
	struct config *plain = confdir_accept("program \"web\" { command = /bin/b umask = 077 }\n");
	struct config *over = confdir_accept("program \"web\" { command = /bin/a }\n"
					     "override \"web\" { command = /bin/b umask = 077 }\n");

	(void)state;
	assert_int_equal(find(plain, "web")->hash, find(over, "web")->hash);
	assert_int_equal(
	    config_diff_program(find(plain, "web"), find(over, "web"), NULL, NULL), CHANGE_NONE);
	config_free(plain);
	config_free(over);
}

static void test_two_ways_to_say_one_thing_are_not_refused_between_stanza_and_override(void **state)
{
	struct config *config = confdir_accept(
	    "program \"a\" { command = /bin/a stop_sequence = {\"INT:1s\", \"TERM:2s\"} }\n"
	    "override \"a\" { stop_signal = HUP }\n"
	    "program \"b\" { command = /bin/a stop_signal = INT stop_timeout = 4s reload_signal = "
	    "HUP "
	    "}\n"
	    "override \"b\" { stop_sequence = {\"TERM:2s\"} reload_command = /bin/c }\n");
	const struct program_config *a = find(config, "a"), *b = find(config, "b");

	(void)state;
	assert_int_equal(a->life->key_stop_sequence.count, 0);
	assert_int_equal(a->key_stop_signal, 1);
	assert_int_equal(b->life->key_stop_sequence.count, 1);
	assert_string_equal(b->life->key_reload_command[0], "/bin/c");
	assert_int_equal(b->life->key_reload_signal, 0);
	config_free(config);
	confdir_refuse("program \"a\" { command = /bin/a }\n"
		       "override \"a\" { stop_signal = HUP\n stop_sequence = {\"TERM:2s\"} }\n",
	    "@/main.conf:3: stop_sequence: is given beside stop_signal: only one of the two is "
	    "allowed\n");
}

static void test_what_is_wrong_is_told_with_its_place_and_what_is_allowed(void **state)
{
	(void)state;
	confdir_refuse("program \"web\" { command = /bin/a }\n"
		       "override \"wep\" { umask = 077 }\n"
		       "override \"other\" { }\n"
		       "override \"web\" { umaks = 077 }\n"
		       "override \"web\" { match = {\"state:FATAL\"} }\n"
		       "override \"web\" { stop_timeout = soon }\n",
	    "@/main.conf:2: override: there is no program 'wep': did you mean 'web'?\n"
	    "@/main.conf:3: override: there is no program 'other': the name of a stanza program is "
	    "allowed; remove what is for one that is gone\n"
	    "@/main.conf:4: umaks: unknown key: did you mean 'umask'?\n"
	    "@/main.conf:5: match: is a key of on_event: on_event \"NAME\" { match = VALUE exec = "
	    "VALUE }\n"
	    "@/main.conf:6: stop_timeout: 'soon' is not a duration: a duration from 10ms to 1d, "
	    "such "
	    "as 500ms, 10s or 1min30s, is allowed\n");
	confdir_refuse("override { umask = 077 }\n",
	    "@/main.conf:1: override: has no name: override \"NAME\" { ... }\n");
}

static void test_one_key_is_overridden_once(void **state)
{
	(void)state;
	confdir_refuse(
	    "program \"web\" { command = /bin/a }\n"
	    "override \"web\" { umask = 077 health { interval = 1s } }\n"
	    "override \"web\" { stop_timeout = 1s\n umask = 027\n health { interval = 2s } }\n"
	    "on_event \"mail\" { match = {\"state:FATAL\"} exec = /bin/m }\n"
	    "override \"mail\" { umask = 077 }\n",
	    "@/main.conf:4: umask: of program 'web' is already overridden at @/main.conf:2: one "
	    "override of a key is allowed\n"
	    "@/main.conf:5: health.interval: of program 'web' is already overridden at "
	    "@/main.conf:2: "
	    "one override of a key is allowed\n"
	    "@/main.conf:7: override: 'mail' is an on_event (@/main.conf:6): only a program can be "
	    "overridden\n");
}

static void test_error_that_shows_later_names_the_place_of_the_override(void **state)
{
	(void)state;
	confdir_refuse("program \"web\" { command = /bin/a }\n\n\n"
		       "override \"web\" {\n requires = {\"db\"}\n command = \"'x\"\n}\n",
	    "@/main.conf:5: requires: there is no program or group 'db'\n"
	    "@/main.conf:6: command: a ' that is not closed in the command: put a \\ before it "
	    "(in \"...\" of this file: \\\\) to take it literally\n");
}

static void test_what_superctl_set_says_is_laid_over_files(void **state)
{
	static const char *const texts[] = {"/m",
	    "program \"web\" { command = /bin/a umask = 022 }\n", CONFIG_SET_PATH "web",
	    "override \"web\" { umask = 077 }\n", "/o",
	    "override \"web\" { umask = 027 stop_timeout = 1s }\n", NULL};
	struct config_errors errors = {0};
	struct config *config = NULL;
	const struct program_config *web;

	(void)state;
	assert_int_equal(load(&config, &errors, texts), 0);
	web = find(config, "web");
	assert_int_equal(web->key_umask, 077);
	assert_int_equal(web->key_stop_timeout, NS_PER_S);
	assert_true(config_is_set(config_find_override(web, PROGRAM_umask)));
	assert_false(config_is_set(config_find_override(web, PROGRAM_stop_timeout)));
	config_free(config);
	config_errors_done(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_override_is_laid_over_stanza_and_defaults_wherever_it_stands),
	    cmocka_unit_test(test_program_knows_which_keys_are_overridden_and_where),
	    cmocka_unit_test(test_same_values_by_an_override_are_the_same_program),
	    cmocka_unit_test(
		test_two_ways_to_say_one_thing_are_not_refused_between_stanza_and_override),
	    cmocka_unit_test(test_what_is_wrong_is_told_with_its_place_and_what_is_allowed),
	    cmocka_unit_test(test_one_key_is_overridden_once),
	    cmocka_unit_test(test_error_that_shows_later_names_the_place_of_the_override),
	    cmocka_unit_test(test_what_superctl_set_says_is_laid_over_files),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
