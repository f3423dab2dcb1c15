/* SPDX-License-Identifier: ISC */
/* log_filter: the companion that a program gets for it, and what is refused. */
#include "tests/unit/engine/confdir.h"

#include "lib/clock.h"

static const struct program_config *find(const struct config *config, const char *name)
{
	const struct program_config *program = config_find_program(config, name);

	assert_non_null(program);
	return program;
}

static void expect_log(const struct config *config, const char *name, const char *expected)
{
	char *path = config_log_path(config, find(config, name), 0);

	assert_non_null(path);
	assert_string_equal(path, expected);
	free(path);
}

static void test_filter_when_given_then_a_program_has_the_log(void **state)
{
	struct config *config =
	    confdir_accept("log_dir = \"/l\"\n"
			   "defaults { wants = {\"db\"} restart = never start_limit = 3 }\n"
			   "program db { command = x }\n"
			   "program web { command = x directory = \"/%{name}\" "
			   "environment = {\"A=%{program} %{home}\"}\n"
			   " stdout = {\"log\", \"program:db\"} log_keep = 2 log_format = json\n"
			   " log_filter = \"exec:sed -u 's/a %{name}/c/'\" stop_timeout = 7s }\n"
			   "program web-2 { command = x }\n");
	const struct program_config *web = find(config, "web"),
				    *filter = find(config, "web+filter");

	(void)state;
	assert_int_equal(config->program_count, 4);
	for (size_t i = 1; i < config->program_count; i++)
		assert_true(strcmp(config->programs[i - 1]->name, config->programs[i]->name) < 0);
	assert_int_equal(web->key_stdout.kind, STDIO_PROGRAM);
	assert_string_equal(web->key_stdout.target, "web+filter");
	assert_int_equal(web->key_stderr.kind, STDIO_STDOUT);
	assert_string_equal(web->life->key_wants[0], "db");
	assert_string_equal(web->life->key_wants[1], "web+filter:started");
	assert_null(web->life->key_wants[2]);

	assert_string_equal(filter->key_command[0], "sed");
	assert_string_equal(filter->key_command[2], "s/a web/c/");
	assert_null(filter->key_command[3]);
	assert_string_equal(filter->key_directory, "/web");
	assert_string_equal(filter->key_environment[0], "A=web %{home}");
	assert_int_equal(filter->key_stdout.kind, STDIO_LOG);
	assert_string_equal(filter->key_stdout.targets[1], "program:db");
	assert_int_equal(filter->key_log_keep, 2);
	assert_int_equal(filter->life->key_log_format, LOGSPEC_JSON);
	assert_string_equal(filter->life->key_syslog_tag, "web");
	assert_int_equal(filter->key_restart, RESTART_ALWAYS);
	assert_int_equal(filter->key_start_limit, 0);
	assert_null(filter->life->key_wants);
	assert_null(filter->life->key_log_filter);
	assert_int_equal(filter->life->key_stop_sequence.count, 2);
	assert_int_equal(filter->life->key_stop_sequence.steps[0].signal, STOP_END_OF_INPUT);
	assert_int_equal(filter->life->key_stop_sequence.steps[0].wait_ns, 17 * NS_PER_S);
	expect_log(config, "web+filter", "/l/web.log");
	config_free(config);
}

static void test_filter_when_the_log_has_a_name_then_it_is_the_programs(void **state)
{
	struct config *config =
	    confdir_accept("log_dir = \"/l\"\n"
			   "defaults { log_filter = \"exec:cat\" log_file = \"%{name}.txt\" }\n"
			   "program a { command = x }\n"
			   "program b { command = x log_filter = none }\n"
			   "program c { command = x stdout = null }\n");

	(void)state;
	assert_int_equal(config->program_count, 4);
	expect_log(config, "a+filter", "/l/a.txt");
	expect_log(config, "b", "/l/b.txt");
	assert_int_equal(find(config, "b")->key_stdout.kind, STDIO_LOG);
	assert_int_equal(find(config, "c")->key_stdout.kind, STDIO_NULL);
	config_free(config);
}

static uint64_t hash_of(const char *text, const char *name)
{
	struct config *config = confdir_accept(text);
	uint64_t hash = find(config, name)->hash;

	config_free(config);
	return hash;
}

static void test_hash_when_the_command_changes_then_only_the_filters(void **state)
{
	static const char before[] = "program a { command = x log_filter = \"exec:cat\" }\n",
			  after[] = "program a { command = x log_filter = \"exec:cat -n\" }\n",
			  without[] = "program a { command = x }\n";

	(void)state;
	assert_true(hash_of(before, "a") == hash_of(after, "a"));
	assert_true(hash_of(before, "a+filter") != hash_of(after, "a+filter"));
	assert_true(hash_of(before, "a") != hash_of(without, "a"));
}

static void test_filter_when_it_cannot_be_then_refused(void **state)
{
	(void)state;
	confdir_refuse(
	    "program a { command = x stdout = null\n log_filter = \"exec:cat\" }\n"
	    "program b { command = x ready = \"log:up\" log_filter = \"exec:cat\" }\n"
	    "program c { command = x\n log_filter = \"cat\" }\n"
	    "program d { command = x\n log_filter = \"exec:\" }\n"
	    "program a23456789-123456789-123456789-123456789-123456789-1234567 { command = x\n"
	    " log_filter = \"exec:cat\" }\n",
	    "@/main.conf:2: log_filter: needs a stdout that the logger writes: \"log\", "
	    "\"syslog\", \"journal\" or a list of targets\n"
	    "@/main.conf:3: ready: 'log:' looks for what the program writes, but with log_filter "
	    "the log has what the filter writes: another form is allowed, or no log_filter\n"
	    "@/main.conf:5: log_filter: 'cat' is not known: none or exec:COMMAND is allowed\n"
	    "@/main.conf:7: log_filter: is empty: a program to run is needed\n"
	    "@/main.conf:9: log_filter: has no room for '+filter' behind the name "
	    "'a23456789-123456789-123456789-123456789-123456789-1234567': at most 56 bytes are "
	    "allowed in the name of a program with a filter\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_filter_when_given_then_a_program_has_the_log),
	    cmocka_unit_test(test_filter_when_the_log_has_a_name_then_it_is_the_programs),
	    cmocka_unit_test(test_hash_when_the_command_changes_then_only_the_filters),
	    cmocka_unit_test(test_filter_when_it_cannot_be_then_refused),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
