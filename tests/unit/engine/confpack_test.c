/* SPDX-License-Identifier: ISC */
/* Tests of confpack.c: the programs of a configuration in one piece of memory. */
#define _GNU_SOURCE
#include "tests/unit/engine/confdir.h"
#include "tests/unit/refusal.h"

#define FILES                                                                                      \
	"defaults { directory = /usr environment = {\"A=1\"} }\n"                                  \
	"program a { command = {\"x\", \"y z\"} }\n"                                               \
	"program b { command = x directory = /tmp environment = {\"B=2\", \"C=3\"} "               \
	"stdout = {\"log\", \"syslog\"} pre_start = {\"p\", \"q\"} }\n"                            \
	"program c { command = \"x %{instance}\" instances = 3 directory = /var }\n"               \
	"override a { after = b stop_command = s }\n"

static const struct program_config *find(const struct config *config, const char *name)
{
	const struct program_config *program = config_find_program(config, name);

	if (program == NULL)
		fail_msg("there is no program %s", name);
	return program;
}

static void assert_list(const string_list list, const char *first, const char *second)
{
	assert_non_null(list);
	assert_string_equal(list[0], first);
	if (second != NULL)
		assert_string_equal(list[1], second);
	assert_null(list[second != NULL ? 2 : 1]);
}

static void test_pack_when_loaded_then_each_value_is_there(void **state)
{
	struct config *config = confdir_accept(FILES);
	const struct program_config *a = find(config, "a"), *b = find(config, "b");

	(void)state;
	assert_list(a->key_command, "x", "y z");
	assert_string_equal(a->key_directory, "/usr");
	assert_list(a->key_after, "b", NULL);
	assert_list(a->key_environment, "A=1", NULL);
	assert_list(a->life->key_stop_command, "s", NULL);
	assert_int_equal(a->override_count, 2);
	assert_string_equal(b->key_directory, "/tmp");
	assert_null(b->key_user);
	assert_list(b->key_environment, "B=2", "C=3");
	assert_list(b->key_stdout.targets, "log", "syslog");
	assert_list(b->life->key_pre_start, "p", "q");
	config_free(config);
}

static void test_pack_when_instances_share_a_list_then_they_still_do(void **state)
{
	struct config *config = confdir_accept(FILES);
	const struct program_config *first = find(config, "c@1"), *last = find(config, "c@3");

	(void)state;
	assert_list(first->key_command, "x", "%{instance}");
	assert_ptr_equal(first->key_command, last->key_command);
	assert_ptr_equal(first->key_directory, last->key_directory);
	config_free(config);
}

static void test_pack_when_loaded_then_the_programs_lie_one_behind_the_other(void **state)
{
	struct config *config = confdir_accept(FILES);

	(void)state;
	for (size_t i = 1; i < config->program_count; i++) /* strings stand between */
		assert_in_range(
		    (const char *)config->programs[i] - (const char *)config->programs[i - 1],
		    sizeof(struct program_config), 2 * sizeof(struct program_config));
	config_free(config);
}

/* Lists and groups have the name of the program itself. */
static void test_pack_when_a_list_names_a_program_then_the_name_stays(void **state)
{
	struct config *config = confdir_accept("program a { command = x }\n"
					       "program b { command = x requires = g after = a }\n"
					       "group g { members = a }\n");

	(void)state;
	assert_list(find(config, "b")->life->key_requires, "a", NULL);
	assert_list(find(config, "b")->key_after, "a", NULL);
	assert_list(config_find_group(config, "g")->members, "a", NULL);
	config_free(config);
}

/* What was made until then is freed, says the sanitizer. */
static void test_load_when_memory_is_refused_then_there_is_no_config(void **state)
{
	unsigned n = 1;

	(void)state;
	confdir_write("main.conf", FILES);
	for (refusal_begin(n);; refusal_begin(++n)) {
		struct config_errors errors = {0};
		struct config *config = NULL;
		int error = config_load(confdir_path("main.conf"), &config, &errors);
		bool came = refusal_end();

		config_errors_done(&errors);
		if (error == 0)
			config_free(config);
		if (!came)
			break;
		assert_int_not_equal(error, 0);
	}
	assert_true(n > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pack_when_loaded_then_each_value_is_there),
	    cmocka_unit_test(test_pack_when_instances_share_a_list_then_they_still_do),
	    cmocka_unit_test(test_pack_when_loaded_then_the_programs_lie_one_behind_the_other),
	    cmocka_unit_test(test_pack_when_a_list_names_a_program_then_the_name_stays),
	    cmocka_unit_test(test_load_when_memory_is_refused_then_there_is_no_config),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
