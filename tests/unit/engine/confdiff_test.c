/* SPDX-License-Identifier: ISC */
/* Tests of config_diff_program() and of the hash of a stanza. */
#include "tests/unit/engine/confdir.h"

struct seen {
	char text[256];
};

static void see(void *context, const char *key, enum change_class change)
{
	struct seen *seen = context;
	size_t at = strlen(seen->text);

	snprintf(seen->text + at, sizeof(seen->text) - at, "%s=%d ", key, (int)change);
}

/* The strongest class between two bodies of one program; the keys in *ret_seen; whether the hash
 * differs. */
static enum change_class diff(
    const char *old_body, const char *new_body, struct seen *ret_seen, bool *ret_hash)
{
	char text[1024];
	struct config *old_config, *new_config;
	enum change_class change;

	snprintf(text, sizeof(text), "program \"a\" { command = \"x\" %s }", old_body);
	old_config = confdir_accept(text);
	snprintf(text, sizeof(text), "program \"a\" { command = \"x\" %s }", new_body);
	new_config = confdir_accept(text);
	ret_seen->text[0] = '\0';
	change =
	    config_diff_program(old_config->programs[0], new_config->programs[0], see, ret_seen);
	assert_int_equal(
	    config_diff_program(old_config->programs[0], new_config->programs[0], NULL, NULL),
	    change);
	*ret_hash = old_config->programs[0]->hash != new_config->programs[0]->hash;
	config_free(old_config);
	config_free(new_config);
	return change;
}

static void test_same_values_written_otherwise_do_not_differ(void **state)
{
	struct seen seen;
	bool hash;

	(void)state;
	assert_int_equal(
	    diff("stop_timeout = 60s umask = 022 success_exit = {0, 1, TERM} shell = no",
		"stop_timeout = 1min umask = 22 success_exit = {SIGTERM, 1, 0} stdin = null", &seen,
		&hash),
	    CHANGE_NONE);
	assert_string_equal(seen.text, "");
	assert_false(hash);
	assert_int_equal(diff("environment = {}", "", &seen, &hash), CHANGE_NONE);
	assert_false(hash);
	/* A life of its own with the values of the shared one. */
	assert_int_equal(diff("",
			     "type = service ready = none stop_sequence = {} restart_force_exit = "
			     "{} pre_stop = {} on_failure = none health { failures = 3 }",
			     &seen, &hash),
	    CHANGE_NONE);
	assert_string_equal(seen.text, "");
	assert_false(hash);
	assert_int_equal(
	    diff(
		"stop_sequence = {\"TERM:60s\", KILL} ready = \"exec:a 'b c'\" restart_jitter = 5% "
		"restart_force_exit = {1-3} on_failure = \"retry:60s\"",
		"stop_sequence = {\"SIGTERM:1min\", \"KILL:1s\"} ready = {\"exec:a\", \"b c\"} "
		"restart_jitter = 5 restart_force_exit = {3, 2, 1} on_failure = \"retry:1min\"",
		&seen, &hash),
	    CHANGE_NONE);
	assert_string_equal(seen.text, "");
}

static void test_each_key_has_its_class_and_the_strongest_wins(void **state)
{
	struct seen seen;
	bool hash;

	(void)state;
	assert_int_equal(diff("", "stop_timeout = 3s", &seen, &hash), CHANGE_LIVE);
	assert_string_equal(seen.text, "stop_timeout=1 ");
	assert_false(hash);
	assert_int_equal(diff("", "autostart = false restart = never", &seen, &hash), CHANGE_NEXT);
	assert_string_equal(seen.text, "autostart=2 restart=1 ");
	assert_false(hash);
	assert_int_equal(
	    diff("log_keep = 1", "environment = {\"A=b\"}", &seen, &hash), CHANGE_RESTART);
	assert_string_equal(seen.text, "environment=3 log_keep=1 ");
	assert_true(hash);
}

static void test_keys_of_a_life_are_told_by_the_names_they_are_written(void **state)
{
	struct seen seen;
	bool hash;

	(void)state;
	assert_int_equal(diff("", "health { check = \"exec:x\" on_failure = none } ready = notify",
			     &seen, &hash),
	    CHANGE_NEXT);
	assert_string_equal(seen.text, "ready=2 health.check=1 health.on_failure=1 ");
	assert_false(hash);
	assert_int_equal(
	    diff("restart = never", "type = forking pid_file = p", &seen, &hash), CHANGE_RESTART);
	assert_string_equal(seen.text, "restart=1 type=3 pid_file=3 ");
	assert_true(hash);
}

static void test_group_that_changes_shows_in_the_program(void **state)
{
	static const char text[] = "program a { command = x requires = {g} }\ngroup g { members = "
				   "{%s} }\nprogram b { command = x }\nprogram c { command = x }";
	struct config *old_config, *new_config;
	struct seen seen = {""};
	char bytes[256];

	(void)state;
	snprintf(bytes, sizeof(bytes), text, "b");
	old_config = confdir_accept(bytes);
	snprintf(bytes, sizeof(bytes), text, "b, c");
	new_config = confdir_accept(bytes);
	assert_int_equal(
	    config_diff_program(old_config->programs[0], new_config->programs[0], see, &seen),
	    CHANGE_LIVE);
	assert_string_equal(seen.text, "requires=1 ");
	config_free(old_config);
	config_free(new_config);
}

static void test_every_type_that_differs_is_seen(void **state)
{
	static const char *const pairs[][2] = {
	    {"directory = /a", "directory = /b"},
	    {"user = root", "user = 0"},
	    {"shell = true", "shell = false"},
	    {"umask = 022", "umask = 027"},
	    {"environment = {\"A=1\"}", "environment = {\"A=1\", \"B=2\"}"},
	    {"environment = {\"A=1\", \"B=2\"}", "environment = {\"B=2\", \"A=1\"}"},
	    {"restart = never", "restart = always"},
	    {"success_exit = 0", "success_exit = {0, 255}"},
	    {"success_exit = 0", "success_exit = {0, \"RTMAX\"}"},
	    {"restart_factor = 2", "restart_factor = 2.5"},
	    {"start_limit = 5", "start_limit = 6"},
	    {"stop_signal = TERM", "stop_signal = INT"},
	    {"stdin = \"file:/a\"", "stdin = \"file:/b\""},
	    {"stdout = null", "stdout = log"},
	    {"stderr = \"append:/a\"", "stderr = \"fifo:/a\""},
	    {"log_max_size = 1MB", "log_max_size = 1M"},
	    {"type = service", "type = forking"},
	    {"type = forking pid_file = a", "type = forking pid_file = b"},
	    {"boot = config", "boot = last-state"},
	    {"kill_mode = all", "kill_mode = mixed"},
	    {"restart_jitter = 10%", "restart_jitter = 11%"},
	    {"ready = notify", "ready = \"fd:3\""},
	    {"ready = \"fd:4\"", "ready = \"fd:3\""},
	    {"ready = \"log:a\"", "ready = \"log:b\""},
	    {"ready = \"exec:a b\"", "ready = \"exec:a\""},
	    {"ready = \"unix:/a\"", "ready = \"file:/a\""},
	    {"on_failure = shutdown", "on_failure = reboot"},
	    {"on_failure = \"retry:1s\"", "on_failure = \"retry:2s\""},
	    {"on_failure = \"exec:a\"", "on_failure = \"exec:b\""},
	    {"stop_sequence = {KILL}", "stop_sequence = {\"KILL:2s\"}"},
	    {"stop_sequence = {KILL}", "stop_sequence = {\"TERM:1s\", KILL}"},
	    {"stop_sequence = {\"INT:1s\"}", "stop_sequence = {\"TERM:1s\"}"},
	    {"reload_signal = HUP", ""},
	    {"restart_prevent_exit = {1-3}", "restart_prevent_exit = {1-2}"},
	    {"pre_start = a", "pre_start = \"a b\""},
	    {"smooth = true", "smooth = false"},
	    {"watchdog = 1s", "watchdog = 2s"},
	    {"health { check = \"exec:a\" }", "health { check = \"exec:b\" }"},
	    {"health { on_failure = none }", "health { on_failure = restart }"},
	    {"health { on_failure = \"signal:HUP\" }", "health { on_failure = \"signal:INT\" }"},
	};

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct seen seen;
		bool hash;
		enum change_class change = diff(pairs[i][0], pairs[i][1], &seen, &hash);

		if (change == CHANGE_NONE)
			fail_msg("%s and %s: no difference", pairs[i][0], pairs[i][1]);
		if (hash != (change == CHANGE_RESTART))
			fail_msg("%s and %s: class and hash disagree", pairs[i][0], pairs[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same_values_written_otherwise_do_not_differ),
	    cmocka_unit_test(test_each_key_has_its_class_and_the_strongest_wins),
	    cmocka_unit_test(test_keys_of_a_life_are_told_by_the_names_they_are_written),
	    cmocka_unit_test(test_group_that_changes_shows_in_the_program),
	    cmocka_unit_test(test_every_type_that_differs_is_seen),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
