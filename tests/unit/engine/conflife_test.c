/* SPDX-License-Identifier: ISC */
/*
 * Tests of supervisord/engine/config.h: the keys of a life (type, ready, health, stop_sequence …):
 * who shares what, which value wins, and what does not go together.
 */
#define _GNU_SOURCE
#include "tests/unit/engine/confdir.h"

#include <signal.h>

#include "lib/clock.h"
#include "lib/limits.h"

static void test_program_without_such_keys_shares_the_life_of_the_defaults(void **state)
{
	struct config *config =
	    confdir_accept("program a { command = x }\nprogram b { command = x umask = 077 }\n"
			   "program c { command = x remain = false }\n"
			   "program d { command = x health { failures = 3 } }\n");
	const struct life_config *life = config->programs[0]->life;

	(void)state;
	assert_non_null(life);
	assert_ptr_equal(config->programs[1]->life, life);
	assert_ptr_not_equal(config->programs[2]->life, life);
	assert_ptr_not_equal(config->programs[3]->life, life);
	/* Equal all the same. */
	assert_int_equal(
	    config_diff_program(config->programs[0], config->programs[2], NULL, NULL), CHANGE_NONE);
	config_free(config);
}

static void test_life_has_all_defaults(void **state)
{
	struct config *config = confdir_accept("program a { command = x }\n");
	const struct life_config *life = config->programs[0]->life;
	const struct exit_set none = {0};

	(void)state;
	assert_int_equal(life->key_type, TYPE_SERVICE);
	assert_false(life->key_remain);
	assert_null(life->key_pid_file);
	assert_null(life->key_requires);
	assert_null(life->key_conflicts);
	assert_int_equal(life->key_boot, BOOT_CONFIG);
	assert_int_equal(life->key_ready.kind, CHECK_NONE);
	assert_int_equal(life->key_start_timeout, 60 * NS_PER_S);
	assert_int_equal(life->key_watchdog, 0);
	assert_int_equal(life->key_restart_jitter, 10);
	assert_memory_equal(&life->key_restart_force_exit, &none, sizeof(none));
	assert_memory_equal(&life->key_restart_prevent_exit, &none, sizeof(none));
	assert_int_equal(life->key_on_failure.kind, ON_FAILURE_NONE);
	assert_int_equal(life->key_stop_sequence.count, 0);
	assert_int_equal(life->key_kill_mode, KILL_ALL);
	assert_null(life->key_stop_command);
	assert_int_equal(life->key_reload_signal, 0);
	assert_int_equal(life->key_health_check.kind, CHECK_NONE);
	assert_int_equal(life->key_health_failures, 3);
	assert_int_equal(life->key_health_on_failure.kind, HEALTH_RESTART);
	config_free(config);
}

static void test_defaults_fill_what_the_stanza_leaves_out(void **state)
{
	struct config *config =
	    confdir_accept("defaults { pre_start = \"/bin/a b\" watchdog = 5s health { check = "
			   "\"tcp:localhost:1\" "
			   "timeout = 2s } on_failure = \"start:b\" }\n"
			   "program a { command = x health { interval = 3s check = none } }\n"
			   "program b { command = x pre_start = {} on_failure = none }\n"
			   "program c { command = x }\n");
	const struct life_config *a = config->programs[0]->life, *b = config->programs[1]->life,
				 *c = config->programs[2]->life;

	(void)state;
	assert_string_equal(a->key_pre_start[1], "b");
	assert_ptr_equal(a->key_pre_start, c->key_pre_start);
	assert_int_equal(a->key_watchdog, 5 * NS_PER_S);
	assert_int_equal(a->key_health_check.kind, CHECK_NONE);
	assert_int_equal(a->key_health_interval, 3 * NS_PER_S);
	assert_int_equal(a->key_health_timeout, 2 * NS_PER_S);
	assert_string_equal(a->key_on_failure.name, "b");
	assert_null(b->key_pre_start);
	assert_int_equal(b->key_on_failure.kind, ON_FAILURE_NONE);
	assert_int_equal(c->key_health_check.kind, CHECK_TCP);
	assert_string_equal(c->key_health_check.target, "localhost:1");
	assert_int_equal(c->key_health_interval, 10 * NS_PER_S);
	config_free(config);
}

static void test_empty_command_of_a_hook_is_refused(void **state)
{
	(void)state;
	confdir_refuse("program a { command = x\n pre_start = \"\"\n post_stop = {\"\", b}\n}\n",
	    "@/main.conf:2: pre_start: is empty: a program to run is needed\n"
	    "@/main.conf:3: post_stop: is empty: a program to run is needed\n");
}

static void test_paths_are_seen_from_the_directory(void **state)
{
	struct config *config = confdir_accept(
	    "defaults { ready = \"unix:s\" }\n"
	    "program a { command = x directory = /srv }\n"
	    "program b { command = x directory = \"%{home}/b\" type = forking pid_file = \"run/p\" "
	    "ready = \"file:f\" health { check = \"unix:h\" } }\n"
	    "program c { command = x ready = \"file:/abs\" health { check = \"unix:%{run_dir}/h\" "
	    "} }\n"
	    "program d { command = x }\n");

	(void)state;
	assert_string_equal(config->programs[0]->life->key_ready.target, "/srv/s");
	assert_string_equal(config->programs[1]->life->key_pid_file, "%{home}/b/run/p");
	assert_string_equal(config->programs[1]->life->key_ready.target, "%{home}/b/f");
	assert_string_equal(config->programs[1]->life->key_health_check.target, "%{home}/b/h");
	assert_string_equal(config->programs[2]->life->key_ready.target, "/abs");
	assert_string_equal(config->programs[2]->life->key_health_check.target, "%{run_dir}/h");
	assert_string_equal(config->programs[3]->life->key_ready.target, "/s");
	config_free(config);
}

static void test_own_way_to_stop_or_reload_wins_over_a_default(void **state)
{
	struct config *config = confdir_accept(
	    "defaults { stop_sequence = {\"INT:1s\", KILL} reload_command = \"a b\" }\n"
	    "program a { command = x }\n"
	    "program b { command = x stop_signal = QUIT }\n"
	    "program c { command = x stop_timeout = 3s }\n"
	    "program d { command = x stop_timeout = 3s stop_command = y }\n"
	    "program e { command = x reload_signal = HUP }\n"
	    "program f { command = x reload_signal = HUP umask = 077 stop_sequence = {} }\n");

	(void)state;
	assert_int_equal(config->programs[0]->life->key_stop_sequence.count, 2);
	assert_int_equal(config->programs[0]->life->key_stop_sequence.steps[0].signal, SIGINT);
	assert_int_equal(config->programs[1]->life->key_stop_sequence.count, 0);
	assert_non_null(config->programs[1]->life->key_reload_command);
	assert_int_equal(config->programs[2]->life->key_stop_sequence.count, 0);
	assert_int_equal(config->programs[3]->life->key_stop_sequence.count, 2);
	assert_null(config->programs[4]->life->key_reload_command);
	assert_int_equal(config->programs[4]->life->key_stop_sequence.count, 2);
	assert_null(config->programs[5]->life->key_reload_command);
	assert_int_equal(config->programs[5]->life->key_stop_sequence.count, 0);
	config_free(config);
}

static void test_values_of_a_health_section_name_it(void **state)
{
	(void)state;
	confdir_refuse("program a { command = x\n health {\n  check = ping\n  failures = 0\n }\n}\n"
		       "defaults {\n health { timeout = 0 }\n}\n",
	    "@/main.conf:3: health.check: 'ping' is not known: none, tcp:HOST:PORT, unix:PATH, "
	    "http://HOST[:PORT]/PATH, exec:COMMAND or file:PATH is allowed\n"
	    "@/main.conf:4: health.failures: '0' is out of range: a whole number from 1 to 1000 is "
	    "allowed\n"
	    "@/main.conf:8: health.timeout: '0' is out of range: a duration from 10ms to 1h, such "
	    "as "
	    "500ms, 10s or 1min30s, is allowed\n");
	confdir_write("b.conf", "defaults {\n health { timeout = 1s } }\n");
	confdir_refuse("include = b.conf\ndefaults { health { timeout = 1s } }\n",
	    "@/b.conf:2: health.timeout: is already given at @/main.conf:2\n");
}

static void test_keys_of_another_type_are_refused(void **state)
{
	(void)state;
	confdir_refuse(
	    "program a { command = x\n pid_file = p\n}\n"
	    "program b { command = x type = oneshot\n restart = always\n}\n"
	    "program c { command = x\n remain = true type = forking\n}\n"
	    "program d { command = x type = oneshot remain = true restart = on-failure }\n"
	    "program e { command = x type = forking pid_file = p ready = notify }\n",
	    "@/main.conf:2: pid_file: is for type = \"forking\" only: other types are watched "
	    "without "
	    "one\n"
	    "@/main.conf:5: restart: a oneshot cannot have restart = \"always\": what is started "
	    "again "
	    "whenever it ends has type = \"service\"\n"
	    "@/main.conf:8: remain: is for type = \"oneshot\" only\n");
	/* At the one that the stanza gives. */
	confdir_refuse(
	    "defaults {\n restart = always\n}\nprogram b { command = x\n type = oneshot\n}\n",
	    "@/main.conf:5: type: a oneshot cannot have restart = \"always\": what is started "
	    "again "
	    "whenever it ends has type = \"service\"\n");
}

static void test_error_of_the_defaults_is_told_once(void **state)
{
	(void)state;
	confdir_refuse(
	    "defaults {\n remain = true\n}\nprogram a { command = x }\nprogram b { command = x "
	    "}\nprogram c { command = x\n remain = true\n}\n",
	    "@/main.conf:2: remain: is for type = \"oneshot\" only\n"
	    "@/main.conf:7: remain: is for type = \"oneshot\" only\n");
}

static void test_two_ways_to_say_one_thing_are_refused(void **state)
{
	(void)state;
	confdir_refuse("program a { command = x stop_signal = TERM\n stop_sequence = {KILL}\n}\n"
		       "program b { command = x stop_timeout = 1s\n stop_sequence = {KILL}\n}\n"
		       "program c { command = x reload_signal = HUP\n reload_command = y\n}\n",
	    "@/main.conf:2: stop_sequence: is given beside stop_signal: only one of the two is "
	    "allowed\n"
	    "@/main.conf:5: stop_sequence: is given beside stop_timeout: only one of the two is "
	    "allowed, but with a stop_command\n"
	    "@/main.conf:8: reload_command: is given beside reload_signal: only one of the two is "
	    "allowed\n");
	confdir_refuse("defaults { stop_signal = TERM\n stop_sequence = {KILL} reload_signal = HUP "
		       "reload_command = y\n}\n",
	    "@/main.conf:2: stop_sequence: is given beside stop_signal: only one of the two is "
	    "allowed\n"
	    "@/main.conf:2: reload_command: is given beside reload_signal: only one of the two is "
	    "allowed\n");
	config_free(
	    confdir_accept("program b { command = x stop_timeout = 1s stop_sequence = {KILL} "
			   "stop_command = y }\n"));
}

static void test_exits_that_force_and_prevent_a_restart_are_refused(void **state)
{
	(void)state;
	confdir_refuse(
	    "program a { command = x restart_force_exit = {3, TERM}\n restart_prevent_exit "
	    "= {1-9}\n}\nprogram b { command = x restart_force_exit = {3, TERM}\n "
	    "restart_prevent_exit = {TERM}\n}\nprogram c { command = x restart_force_exit "
	    "= {0-2, INT} restart_prevent_exit = {3-255, TERM} }\n",
	    "@/main.conf:2: restart_prevent_exit: has a code or signal that restart_force_exit has "
	    "too: in one of the two it is allowed\n"
	    "@/main.conf:5: restart_prevent_exit: has a code or signal that restart_force_exit has "
	    "too: in one of the two it is allowed\n");
}

static void test_ready_must_be_possible(void **state)
{
	char path[120], text[600], expected[600];

	(void)state;
	confdir_refuse("program a { command = x stdout = null\n ready = \"log:x\"\n}\n"
		       "program b { command = x watchdog = 1s\n ready = \"fd:3\"\n}\n"
		       "program c { command = x watchdog = 1s ready = \"log:x\" }\n"
		       "program d { command = x ready = \"fd:250\" }\n",
	    "@/main.conf:2: ready: 'log:' looks into the log, but stdout is another one than "
	    "\"log\": "
	    "that is needed\n"
	    "@/main.conf:5: ready: 'fd:3' cannot be had with a watchdog: ready = \"notify\" is "
	    "allowed\n");
	/* One byte less is good, and nobody knows the length of one with a word in it. */
	memset(path, 'p', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	snprintf(text, sizeof(text),
	    "program a { command = x ready = \"unix:%s\" }\n"
	    "program b { command = x health {\n check = \"unix:%s\" } }\n"
	    "program c { command = x ready = \"unix:%s%%{name}\" }\n",
	    path + 1, path, path);
	snprintf(expected, sizeof(expected),
	    "@/main.conf:1: ready: '/%.90s...' is too long for a socket: a path of at most 107 "
	    "bytes "
	    "is allowed\n"
	    "@/main.conf:3: health.check: '/%.90s...' is too long for a socket: a path of at most "
	    "107 "
	    "bytes is allowed\n",
	    path + 1, path + 1);
	confdir_refuse(text, expected);
	path[107] = '\0';
	snprintf(text, sizeof(text), "program a { command = x ready = \"unix:%s\" }\n", path);
	config_free(confdir_accept(text));
}

static void test_state_dir_has_a_default_and_is_seen_from_its_file(void **state)
{
	char expected[160], text[8 * 1024];
	struct config *config;

	(void)state;
	config = confdir_accept("state_dir = \"s\"\n");
	snprintf(expected, sizeof(expected), "%s/s", confdir);
	assert_string_equal(config->settings.key_state_dir, expected);
	config_free(config);
	setenv("XDG_STATE_HOME", "/xdg", 1);
	config = confdir_accept("\n");
	assert_string_equal(config->settings.key_state_dir,
	    geteuid() == 0 ? LOCALSTATEDIR "/lib/supervisord" : "/xdg/supervisord");
	config_free(config);
	unsetenv("XDG_STATE_HOME");
	snprintf(text, sizeof(text), "state_dir = \"/%04090d\"\n", 0);
	confdir_refuse(text,
	    "@/main.conf:1: state_dir: is too long: a path of at most 4032 bytes is allowed\n");
}

static void test_applied_configuration_has_the_same_lives(void **state)
{
	struct config_errors errors = {0};
	struct config *applied,
	    *config = confdir_accept(
		"defaults { ready = \"file:f\" conflicts = {g} autostart = false }\n"
		"program a { command = x type = oneshot requires = {\"g:started\"} conflicts = {} "
		"}\n"
		"program b { command = x health { check = {\"exec:a b\", c} on_failure = "
		"\"signal:HUP\" } }\n"
		"program c { command = x on_failure = \"retry:5min\" stop_sequence = {\"TERM:1s\"} "
		"conflicts = {} }\n"
		"group g { members = {c} }\n");
	int fd;

	(void)state;
	assert_int_equal(config_write_applied(config, &fd), 0);
	assert_int_equal(config_load_applied(fd, &applied, &errors), 0);
	close(fd);
	assert_int_equal(applied->program_count, 3);
	assert_int_equal(applied->group_count, 1);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
		    config_diff_program(config->programs[i], applied->programs[i], NULL, NULL),
		    CHANGE_NONE);
		assert_int_equal(config->programs[i]->hash, applied->programs[i]->hash);
	}
	config_free(applied);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_program_without_such_keys_shares_the_life_of_the_defaults),
	    cmocka_unit_test(test_life_has_all_defaults),
	    cmocka_unit_test(test_defaults_fill_what_the_stanza_leaves_out),
	    cmocka_unit_test(test_empty_command_of_a_hook_is_refused),
	    cmocka_unit_test(test_paths_are_seen_from_the_directory),
	    cmocka_unit_test(test_own_way_to_stop_or_reload_wins_over_a_default),
	    cmocka_unit_test(test_values_of_a_health_section_name_it),
	    cmocka_unit_test(test_keys_of_another_type_are_refused),
	    cmocka_unit_test(test_error_of_the_defaults_is_told_once),
	    cmocka_unit_test(test_two_ways_to_say_one_thing_are_refused),
	    cmocka_unit_test(test_exits_that_force_and_prevent_a_restart_are_refused),
	    cmocka_unit_test(test_ready_must_be_possible),
	    cmocka_unit_test(test_state_dir_has_a_default_and_is_seen_from_its_file),
	    cmocka_unit_test(test_applied_configuration_has_the_same_lives),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
