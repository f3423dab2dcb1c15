/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/config.h: instances of a program, and what names mean then. */
#define _GNU_SOURCE
#include "tests/unit/engine/confdir.h"

#include "lib/limits.h"

static const struct program_config *find(const struct config *config, const char *name)
{
	const struct program_config *program = config_find_program(config, name);

	if (program == NULL)
		fail_msg("there is no program %s", name);
	return program;
}

/* "a b c" */
static void assert_list(string_list list, const char *expected)
{
	char all[512] = "";
	size_t at = 0;

	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		at += (size_t)snprintf(
		    all + at, sizeof(all) - at, "%s%s", at > 0 ? " " : "", list[i]);
	assert_string_equal(all, expected);
}

static void test_one_instance_has_the_name_of_its_program(void **state)
{
	struct config *config = confdir_accept(
	    "program web { command = x }\nprogram api { command = x instances = 1 }\n");

	(void)state;
	assert_int_equal(config->program_count, 2);
	assert_int_equal(find(config, "web")->instances, 1);
	assert_int_equal(find(config, "api")->instances, 1);
	assert_int_equal(config_count_instances(config, "web"), 1);
	assert_int_equal(config_count_instances(config, "nobody"), 0);
	config_free(config);
}

static void test_several_instances_have_numbers_and_all_else_in_common(void **state)
{
	struct config *config = confdir_accept(
	    "defaults { umask = 027 }\nprogram web { command = \"x %{instance}\" instances = 11 "
	    "stop_sequence = {\"INT:1s\"} stdout = {\"log\", \"syslog\"} }\nprogram db { command = "
	    "y }\n");
	const struct program_config *second = find(config, "web@2"), *last = find(config, "web@11");

	(void)state;
	assert_int_equal(config->program_count, 12);
	assert_null(config_find_program(config, "web"));
	assert_int_equal(config_count_instances(config, "web"), 11);
	assert_int_equal(second->instances, 11);
	assert_list(second->key_command, "x %{instance}");
	assert_list(last->key_command, "x %{instance}");
	assert_list(last->key_stdout.targets, "log syslog");
	assert_int_equal(last->life->key_stop_sequence.count, 1);
	assert_int_equal(last->key_umask, 027);
	assert_int_equal(second->hash, last->hash);
	for (size_t i = 1; i < config->program_count; i++)
		assert_true(strcmp(config->programs[i - 1]->name, config->programs[i]->name) < 0);
	config_free(config);
}

static void test_number_of_instances_is_not_part_of_what_was_launched(void **state)
{
	struct config *config = confdir_accept("program web { command = x }\n");
	uint64_t one = find(config, "web")->hash;

	(void)state;
	config_free(config);
	config = confdir_accept("program web { command = x instances = 3 }\n");
	assert_int_equal(find(config, "web@1")->hash, one);
	config_free(config);
	config = confdir_accept("program web { command = x log_filter = \"exec:f\" }\n");
	one = find(config, "web")->hash;
	config_free(config);
	config =
	    confdir_accept("program web { command = x log_filter = \"exec:f\" instances = 2 }\n");
	assert_int_equal(find(config, "web@1")->hash, one);
	config_free(config);
}

static void test_cpus_are_at_least_one(void **state)
{
	struct config *config =
	    confdir_accept("program web { command = x instances = \"cpus\" }\n");

	(void)state;
	assert_in_range(config_count_instances(config, "web"), 1, LIMIT_INSTANCES);
	assert_int_equal(config_count_instances(config, "web"), config->program_count);
	config_free(config);
}

static void test_name_of_a_program_means_all_of_its_instances(void **state)
{
	struct config *config = confdir_accept(
	    "program web { command = x instances = 2 requires = {\"db:ready\"} conflicts = {old} "
	    "}\n"
	    "program db { command = x instances = 2 after = {\"one@1\"} }\n"
	    "program old { command = x autostart = false }\nprogram one { command = x }\n"
	    "program user { command = x wants = {\"web@2\", g} after = {web, \"db@1:started\"} "
	    "before = {old} }\n"
	    "group g { members = {db, one} }\n");

	(void)state;
	assert_list(find(config, "web@1")->life->key_requires, "db@1:ready db@2:ready");
	assert_list(find(config, "web@2")->life->key_requires, "db@1:ready db@2:ready");
	assert_list(find(config, "web@2")->life->key_conflicts, "old");
	assert_list(find(config, "db@2")->key_after, "one");
	assert_list(find(config, "user")->life->key_wants, "web@2 db@1 db@2 one");
	assert_list(find(config, "user")->key_after, "web@1 web@2 db@1:started");
	assert_list(find(config, "user")->life->key_before, "old");
	assert_list(config_find_group(config, "g")->members, "db@1 db@2 one");
	config_free(config);
}

static void test_list_of_the_defaults_is_shared_and_leaves_its_own_program_out(void **state)
{
	struct config *config =
	    confdir_accept("defaults { after = {db} wants = {\"db:started\"} }\n"
			   "program db { command = x instances = 2 }\n"
			   "program web { command = x instances = 2 }\n"
			   "program api { command = x type = oneshot }\n");

	(void)state;
	assert_list(find(config, "web@1")->key_after, "db@1 db@2");
	assert_ptr_equal(find(config, "web@1")->key_after, find(config, "api")->key_after);
	assert_list(find(config, "api")->life->key_wants, "db@1:started db@2:started");
	assert_list(find(config, "db@1")->key_after, "");
	config_free(config);
}

static void test_numbers_that_do_not_exist_are_refused(void **state)
{
	(void)state;
	confdir_refuse("program web { command = x instances = 2 }\n"
		       "program a { command = x\n requires = {\"web@3\"}\n conflicts = {\"b@2\"}\n"
		       " on_failure = \"start:web@9\"\n stdout = \"program:b@4\"\n}\n"
		       "program b { command = x autostart = false\n after = {\"web@x\"}\n}\n"
		       "group g { members = {\"web@1\"} }\n",
	    "@/main.conf:3: requires: there is no 'web@3': program 'web' has 2 instances\n"
	    "@/main.conf:4: conflicts: there is no 'b@2': program 'b' has 1 instance\n"
	    "@/main.conf:5: on_failure: there is no 'web@9': program 'web' has 2 instances\n"
	    "@/main.conf:6: stdout: there is no 'b@4': program 'b' has 1 instance\n"
	    "@/main.conf:9: after: the program name 'web@x' has no number of an instance behind "
	    "its "
	    "'@', such as 1 or 12\n"
	    "@/main.conf:11: members: there is no program or group 'web@1'\n");
	confdir_refuse("program web { command = x\n instances = 0\n}\n",
	    "@/main.conf:2: instances: '0' is out of range: a whole number from 1 to 1024, or "
	    "cpus, is "
	    "allowed\n");
	confdir_refuse("program \"web@1\" { command = x }\n",
	    "@/main.conf:1: program: the name 'web@1' has other characters than letters, digits, "
	    "'_', "
	    "'.' and '-'\n");
}

static void test_pipe_is_read_by_one(void **state)
{
	struct config *config;

	(void)state;
	confdir_refuse("program a { command = x\n stdout = \"program:b\"\n}\n"
		       "program b { command = x instances = 2 }\n",
	    "@/main.conf:2: stdout: program 'b' has 2 instances: one of them, such as 'b@1', is "
	    "allowed\n");
	config =
	    confdir_accept("program a { command = x instances = 2 stdout = \"program:b@1\" "
			   "stderr = {\"log\", \"program:c@1\"} }\n"
			   "program b { command = x instances = 2 }\nprogram c { command = x }\n");
	assert_string_equal(find(config, "a@2")->key_stdout.target, "b@1");
	assert_list(find(config, "a@2")->key_stderr.targets, "log program:c");
	config_free(config);
}

static void test_what_there_is_one_of_needs_the_number(void **state)
{
	(void)state;
	confdir_refuse(
	    "program a { command = x instances = 2\n type = forking\n pid_file = "
	    "/run/a.pid\n}\n"
	    "program b { command = x instances = 2\n ready = \"log:up\"\n log_file = b.log\n}\n"
	    "program c { command = x instances = 2 ready = \"log:up\" log_file = "
	    "\"c.%{instance}\" }\n",
	    "@/main.conf:3: pid_file: '/run/a.pid' is one file for 2 instances: one with "
	    "%{instance} "
	    "or %{name} in it is allowed\n"
	    "@/main.conf:6: ready: 'log:' looks into 'b.log', which 2 instances share: a log_file "
	    "with "
	    "%{instance} or %{name} in it is needed\n");
}

static void test_each_instance_has_its_log_and_its_filter(void **state)
{
	struct config *config = confdir_accept(
	    "log_dir = /l\nprogram web { command = x instances = 2 log_filter = \"exec:f %{name} "
	    "%{program} %{instance}\" }\n");
	const struct program_config *filter = find(config, "web+filter@2");
	char *path = config_log_path(config, filter, 0);

	(void)state;
	assert_int_equal(config->program_count, 4);
	assert_string_equal(path, "/l/web@2.log");
	assert_list(filter->key_command, "f web@2 web 2");
	assert_string_equal(find(config, "web@2")->key_stdout.target, "web+filter@2");
	assert_list(find(config, "web@2")->life->key_wants, "web+filter@2:started");
	assert_list(find(config, "web@1")->life->key_wants, "web+filter@1:started");
	free(path);
	config_free(config);
}

static void test_rows_are_counted_with_instances(void **state)
{
	char text[8192];
	size_t at = 0;

	(void)state;
	for (int i = 0; i < LIMIT_ROWS / LIMIT_INSTANCES + 1; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		    "program p%d { command = x instances = %d }\n", i, LIMIT_INSTANCES);
	confdir_refuse(
	    text, "@/main.conf: 17408 instances of programs: at most 16384 are allowed\n");
}

/* Hashes of values are remembered from one program to the next: that must not be seen. */
static void test_hash_does_not_depend_on_the_programs_before(void **state)
{
	static const char form[] =
	    "program m { command = {/bin/x, \"a b\"} directory = /srv user = \"%u\" umask = 027\n"
	    "  environment = {\"A=1\", \"B=2\"} stdout = \"append:/tmp/x\" stderr = null\n"
	    "  instances = 3 }\n";
	static const char *const before[] = {
	    "program a { command = x }\n",
	    "program a { command = {/bin/x, \"a b\"} directory = /srv }\n",
	    "program a { command = x environment = {\"A=1\"} stdout = \"append:/tmp/y\" }\n"
	    "program b { command = x environment = {\"A=1\", \"B=2\"} umask = 027 }\n",
	    "program a { command = x stdout = \"program:b\" }\nprogram b { command = x }\n",
	};
	struct config *alone;
	uint64_t hash, marks;
	char stanza[sizeof(form) + 16];

	(void)state;
	/* Only root may name another user than itself. */
	(void)snprintf(stanza, sizeof(stanza), form, (unsigned)getuid());
	alone = confdir_accept(stanza);
	hash = config_find_program(alone, "m@2")->hash;
	marks = config_find_program(alone, "m@2")->next_marks;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		struct config *config;
		char text[2048];

		(void)snprintf(text, sizeof(text), "%s%s", before[i], stanza);
		config = confdir_accept(text);
		assert_int_equal(config_find_program(config, "m@1")->hash, hash);
		assert_int_equal(config_find_program(config, "m@3")->hash, hash);
		assert_int_equal(config_find_program(config, "m@3")->next_marks, marks);
		assert_true(config_find_program(config, "a")->hash != hash);
		config_free(config);
	}
	config_free(alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_instance_has_the_name_of_its_program),
	    cmocka_unit_test(test_several_instances_have_numbers_and_all_else_in_common),
	    cmocka_unit_test(test_number_of_instances_is_not_part_of_what_was_launched),
	    cmocka_unit_test(test_cpus_are_at_least_one),
	    cmocka_unit_test(test_name_of_a_program_means_all_of_its_instances),
	    cmocka_unit_test(test_list_of_the_defaults_is_shared_and_leaves_its_own_program_out),
	    cmocka_unit_test(test_numbers_that_do_not_exist_are_refused),
	    cmocka_unit_test(test_pipe_is_read_by_one),
	    cmocka_unit_test(test_what_there_is_one_of_needs_the_number),
	    cmocka_unit_test(test_each_instance_has_its_log_and_its_filter),
	    cmocka_unit_test(test_rows_are_counted_with_instances),
	    cmocka_unit_test(test_hash_does_not_depend_on_the_programs_before),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
