/* SPDX-License-Identifier: ISC */
/* draft_test.c: the configuration that a command wants, of the files and of what is applied. */
#include "tests/unit/engine/engineworld.h"

#include <errno.h>

#include "supervisord/engine/draft.h"

static const char applied[] = "program web { command = x }\nprogram db { command = x }\n"
			      "socket old { listen = \"tcp:127.0.0.1:1\" }\n";
static const char files[] =
    "program web { command = y sockets = {\"new\"} }\nprogram db { command = y }\n"
    "program late { command = y }\n"
    "socket old { listen = \"tcp:127.0.0.1:2\" }\nsocket new { listen = \"tcp:127.0.0.1:3\" }\n"
    "socket other { listen = \"tcp:127.0.0.1:4\" }\n"
    "group pair { members = {db, late} }\nlog_level = debug\n";

/* "web=y db=x" of what comes of the names; `left` gets what is told beside it. */
static const char *draft(const char *const *names, size_t count, char *left, size_t left_size)
{
	static char text[512];
	struct draft_problem problem = {0};
	struct config *config = NULL;
	struct engineworld world;
	struct jsonw w;
	size_t at = 0;
	int error;

	engineworld_begin(&world, applied);
	confdir_write("main.conf", files);
	jsonw_init(&w, 8192);
	error = draft_from_files(&world.engine,
	    &(struct draft_names){.list = names, .count = count, .left = &w}, &config, &problem);
	if (error < 0)
		at = (size_t)snprintf(text, sizeof(text), "%s, missing %s, nearest %s",
		    strerror(-error), problem.missing != NULL ? problem.missing : "nothing",
		    problem.nearest != NULL ? problem.nearest : "nothing");
	for (size_t i = 0; error == 0 && i < config->program_count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s=%s", i > 0 ? " " : "",
		    config->programs[i]->name, config->programs[i]->key_command[0]);
	for (size_t i = 0; error == 0 && i < config->socket_count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, " [%s %s]",
		    config->sockets[i].name, config->sockets[i].key_listen[0]);
	assert_true(w.length < left_size);
	left[w.length] = '\0';
	if (w.length > 0)
		memcpy(left, w.data, w.length);
	jsonw_done(&w);
	draft_problem_done(&problem);
	config_free(config);
	engineworld_end(&world);
	return text;
}

#define DRAFT(...)                                                                                 \
	draft((const char *const[]){__VA_ARGS__},                                                  \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), left, sizeof(left))

static void test_draft_when_nothing_or_all_is_named_then_the_files(void **state)
{
	static const char whole[] = "db=y late=y web=y [new tcp:127.0.0.1:3] [old tcp:127.0.0.1:2] "
				    "[other tcp:127.0.0.1:4]";
	char left[512];

	(void)state;
	assert_string_equal(draft(NULL, 0, left, sizeof(left)), whole);
	assert_string_equal(left, "");
	assert_string_equal(DRAFT("all"), whole);
	assert_string_equal(left, "");
}

static void test_draft_when_one_is_named_then_its_new_socket_comes_too(void **state)
{
	char left[512];

	(void)state;
	assert_string_equal(DRAFT("web"), "db=x web=y [new tcp:127.0.0.1:3] [old tcp:127.0.0.1:1]");
	assert_string_equal(left, "\"log_level changed, groups changed\",\"socket old\",\"socket "
				  "other\",\"program db\",\"program late\"");
}

static void test_draft_when_group_or_glob_is_named_then_all_of_it(void **state)
{
	char left[512];

	(void)state;
	assert_string_equal(DRAFT("pair"), "db=y late=y web=x [old tcp:127.0.0.1:1]");
	assert_string_equal(DRAFT("d*", "late"), "db=y late=y web=x [old tcp:127.0.0.1:1]");
}

static void test_draft_when_nobody_has_the_name_then_the_nearest_is_told(void **state)
{
	char left[512];

	(void)state;
	assert_string_equal(
	    DRAFT("web", "lade"), "No such file or directory, missing lade, nearest late");
}

static void test_draft_when_applied_is_lost_then_only_everything_can_be_had(void **state)
{
	static const char *const names[] = {"web"};
	struct draft_problem problem = {0};
	struct config *config = NULL;
	struct engineworld world;

	(void)state;
	engineworld_begin(&world, applied);
	world.engine.config_lost = true;
	assert_int_equal(draft_from_files(&world.engine,
			     &(struct draft_names){.list = names, .count = 1}, &config, &problem),
	    -ENODATA);
	assert_int_equal(
	    draft_from_files(&world.engine, &(struct draft_names){0}, &config, &problem), 0);
	config_free(config);
	draft_problem_done(&problem);
	engineworld_end(&world);
}

static void test_draft_when_files_are_bad_then_errors_whatever_is_named(void **state)
{
	static const char *const names[] = {"web"};
	struct draft_problem problem = {0};
	struct config *config = NULL;
	struct engineworld world;

	(void)state;
	engineworld_begin(&world, applied);
	confdir_write("main.conf", "program web { command = y }\nprogram db { comand = y }\n");
	assert_int_equal(draft_from_files(&world.engine,
			     &(struct draft_names){.list = names, .count = 1}, &config, &problem),
	    -EINVAL);
	assert_int_equal(problem.errors.count, 1);
	draft_problem_done(&problem);
	engineworld_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_draft_when_nothing_or_all_is_named_then_the_files),
	    cmocka_unit_test(test_draft_when_one_is_named_then_its_new_socket_comes_too),
	    cmocka_unit_test(test_draft_when_group_or_glob_is_named_then_all_of_it),
	    cmocka_unit_test(test_draft_when_nobody_has_the_name_then_the_nearest_is_told),
	    cmocka_unit_test(test_draft_when_applied_is_lost_then_only_everything_can_be_had),
	    cmocka_unit_test(test_draft_when_files_are_bad_then_errors_whatever_is_named),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
