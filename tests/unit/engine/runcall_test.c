/* SPDX-License-Identifier: ISC */
/*
 * runcall_test.c: superctl run and forget: the stanza that is made of a command, what is refused,
 * and how a program gets its name.
 */
#include "tests/unit/engine/callworld.h"
#include "tests/unit/refusal.h"

#include <inttypes.h>

#include "lib/ownlog.h"
#include "supervisord/engine/confstamp.h"
#include "supervisord/engine/runcall.h"

#define MAIN  "program \"web\" { command = x }\n"
#define RUN_1 CONFIG_RUN_PATH "run-1"
#define SET_1 CONFIG_SET_PATH "run-1"

static void begin(struct callworld *w, const char *more)
{
	char text[4096];

	snprintf(text, sizeof(text), "log_dir = \"%s\"\n" MAIN "%s", confdir, more);
	callworld_begin(w, text);
}

/* The command of a program, as a launch would make it of the applied text. */
static void expect_words(struct callworld *w, const char *source, const char *const *words)
{
	const char *text = callworld_source(w, source);
	struct config_source *copy = calloc(1, sizeof(*copy));
	struct config_errors errors = {0};
	struct config *config = NULL;
	size_t i = 0;

	assert_non_null(text);
	assert_int_equal(confsource_copy(source, text, strlen(text), copy), 0);
	assert_int_equal(config_load_sources(copy, 1, &config, &errors), 0);
	config_errors_done(&errors);
	assert_int_equal(config->program_count, 1);
	for (; words[i] != NULL; i++)
		assert_string_equal(config->programs[0]->key_command[i], words[i]);
	assert_null(config->programs[0]->key_command[i]);
	assert_false(config->programs[0]->key_shell);
	assert_int_equal(config->programs[0]->instances, 1);
	config_free(config);
}

static void test_run_then_a_stanza_with_the_words_as_they_are(void **state)
{
	/* %{name} is still one of them: a launch makes %{name} of it again. */
	static const char *const words[] = {"/bin/sh", "-c", "echo \"$HOME\" \\ ${x:-y} # no",
	    "a\tb\nc", "%{percent}{name} 100% %%", "", "\xc3\xa4", NULL};
	struct callworld w;

	(void)state;
	begin(&w, "");
	callworld_expect(&w, runcall_run,
	    "{\"command\": [\"/bin/sh\", \"-c\", \"echo \\\"$HOME\\\" \\\\ ${x:-y} # no\", "
	    "\"a\\tb\\nc\", \"%{name} 100% %%\", \"\", \"\xc3\xa4\"]}",
	    "{\"parameters\":{\"results\":[]}}");
	expect_words(&w, RUN_1, words);
	assert_non_null(strstr(callworld_source(&w, RUN_1), "restart = \"never\""));
	assert_non_null(strstr(callworld_source(&w, RUN_1), "autostart = \"true\""));
	callworld_end(&w);
}

static void test_run_with_settings_then_these_hold(void **state)
{
	struct callworld w;

	(void)state;
	begin(&w, "");
	callworld_ask(&w, runcall_run,
	    "{\"name\": \"job\", \"command\": [\"x\"], \"directory\": \"/%{x}\", \"start\": false, "
	    "\"settings\": [{\"key\": \"restart\", \"value\": \"always\"}]}");
	assert_string_equal(callworld_source(&w, CONFIG_RUN_PATH "job"),
	    "program \"job\" {\n\tcommand = {\"x\"}\n\tdirectory = \"/%{percent}{x}\"\n\tautostart "
	    "= \"false\"\n\trestart = \"always\"\n\tinstances = \"1\"\n\tboot = \"config\"\n}\n");
	/* A directory that was set is not the one of the client. */
	callworld_ask(&w, runcall_run,
	    "{\"name\": \"job2\", \"command\": [\"x\"], \"directory\": \"/here\", "
	    "\"settings\": [{\"key\": \"directory\", \"value\": \"/there\"}]}");
	assert_non_null(strstr(callworld_source(&w, CONFIG_RUN_PATH "job2"), "/there"));
	assert_null(strstr(callworld_source(&w, CONFIG_RUN_PATH "job2"), "/here"));
	callworld_end(&w);
}

/* One that nobody has, nor has had: its log would be another one's. */
static void test_run_without_a_name_then_one_that_is_free(void **state)
{
	struct callworld w;

	(void)state;
	begin(&w, "program \"run-1\" { command = x }\ngroup \"run-2\" { members = {\"web\"} }\n"
		  "program \"run-4\" { command = x instances = 2 }\n");
	confdir_write("run-3.log", "");
	callworld_ask(&w, runcall_run, "{\"command\": [\"x\"]}");
	assert_non_null(callworld_source(&w, CONFIG_RUN_PATH "run-5"));
	assert_int_equal(unlink(confdir_path("run-3.log")), 0);
	/* With the name that one is given it goes on with its log. */
	callworld_ask(&w, runcall_run, "{\"name\": \"run-3\", \"command\": [\"x\"]}");
	assert_non_null(callworld_source(&w, CONFIG_RUN_PATH "run-3"));
	callworld_expect(
	    &w, runcall_run, "{\"name\": \"run-1\", \"command\": [\"x\"]}", "NameTaken");
	callworld_expect(
	    &w, runcall_run, "{\"name\": \"run-2\", \"command\": [\"x\"]}", "NameTaken");
	callworld_expect(
	    &w, runcall_run, "{\"name\": \"run-4\", \"command\": [\"x\"]}", "NameTaken");
	assert_int_equal(callworld_applies, 2);
	callworld_end(&w);
}

/* One that is being removed still has its row, and its log. */
static void test_run_when_one_of_that_name_is_going_then_taken(void **state)
{
	struct callworld w;
	struct program *old;

	(void)state;
	begin(&w, "program \"job\" { command = x }\n");
	old = engine_find(&w.world.engine, "job");
	assert_non_null(old);
	config_free(w.world.engine.config);
	w.world.engine.config = confdir_accept(MAIN);
	w.world.engine.programs[1]->config = w.world.engine.config->programs[0];
	old->config = w.world.engine.config->programs[0];
	old->removed = true;
	callworld_expect(&w, runcall_run, "{\"name\": \"job\", \"command\": [\"x\"]}", "NameTaken");
	callworld_end(&w);
}

static void test_run_when_it_is_wrong_then_told_and_nothing_is_applied(void **state)
{
	static const struct {
		const char *parameters, *answer;
	} wrong[] = {
	    {"{}", "\"parameter\":\"command\""},
	    {"{\"command\": \"x\"}", "\"parameter\":\"command\""},
	    {"{\"command\": []}", "\"parameter\":\"command\""},
	    {"{\"command\": [\"x\", 1]}", "\"parameter\":\"command\""},
	    {"{\"command\": [\"x\"], \"name\": \"a b\"}", "the name "},
	    {"{\"command\": [\"x\"], \"name\": \"\"}", "the name "},
	    {"{\"command\": [\"x\"], \"name\": \"a@1\"}", "the name "},
	    {"{\"command\": [\"x\"], \"name\": \"a/b\"}", "the name "},
	    {"{\"command\": [\"x\"], \"directory\": 1}", "\"parameter\":\"directory\""},
	    {"{\"command\": [\"x\"], \"timeout_ms\": -1}", "\"parameter\":\"timeout_ms\""},
	    {"{\"command\": [\"x\"], \"settings\": [{\"key\": \"instances\", \"value\": \"2\"}]}",
		"instances: cannot be set"},
	    {"{\"command\": [\"x\"], \"settings\": [{\"key\": \"command\", \"value\": \"y\"}]}",
		"command: cannot be set"},
	    {"{\"command\": [\"x\"], \"settings\": [{\"key\": \"umask\", \"value\": \"z\"}]}",
		"ConfigInvalid"},
	};
	struct callworld w;

	(void)state;
	begin(&w, "");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *answer = callworld_ask(&w, runcall_run, wrong[i].parameters);

		/* Key and message are members of their own. */
		if (strncmp(wrong[i].answer, "instances:", 10) == 0 ||
		    strncmp(wrong[i].answer, "command:", 8) == 0)
			assert_non_null(strstr(answer, "cannot be set for superctl run"));
		else if (strstr(answer, wrong[i].answer) == NULL)
			fail_msg("%s: %s", wrong[i].parameters, answer);
	}
	assert_int_equal(callworld_applies, 0);
	callworld_end(&w);
}

/* As long as a configuration takes it, with what is written of each byte; not one byte more. */
static void test_run_when_a_word_is_too_long_then_told_which(void **state)
{
	static const struct {
		const char *byte; /* as JSON */
		size_t written;
	} bytes[] = {{"a", 1}, {"\\\"", 2}, {"$", 2}, {"\\\\", 2}, {"\\n", 4}, {"\\u007f", 4}};
	static char parameters[8 * LIMIT_CONFIG_WORD];
	struct callworld w;

	(void)state;
	begin(&w, "");
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		for (size_t more = 0; more < 2; more++) {
			size_t count = (LIMIT_CONFIG_WORD - 1) / bytes[i].written + more;
			char *at =
			    stpcpy(parameters, "{\"name\": \"job\", \"command\": [\"x\", \"");

			if (bytes[i].written * count < LIMIT_CONFIG_WORD && more == 1)
				count++;
			for (size_t k = 0; k < count; k++)
				at = stpcpy(at, bytes[i].byte);
			(void)stpcpy(at, "\"]}");
			if (more == 0)
				callworld_expect(&w, runcall_run, parameters, "\"results\"");
			else
				callworld_expect(&w, runcall_run, parameters, "word 2 is too long");
		}
	}
	callworld_end(&w);
}

/* run-1 beside the files, and what was set of it. */
static void begin_with_run(struct callworld *w)
{
	static char stanza[] = "program \"run-1\" { command = y }\n";
	static char set[] = "override \"run-1\" { umask = 077 }\n";
	const struct config_source beside[] = {
	    {.path = (char *)(uintptr_t)RUN_1, .text = stanza, .length = sizeof(stanza) - 1},
	    {.path = (char *)(uintptr_t)SET_1, .text = set, .length = sizeof(set) - 1}};
	struct config_errors errors = {0};
	struct confstamp *stamp = NULL;
	struct config *config = NULL;

	confdir_write("main.conf", MAIN);
	assert_int_equal(
	    config_load_beside(confdir_path("main.conf"), beside, 2, &config, &errors, &stamp), 0);
	config_errors_done(&errors);
	confstamp_free(stamp);
	callworld_begin_with(w, config);
}

static void test_forget_then_only_what_is_over_and_in_no_file(void **state)
{
	struct program *run;
	struct ledger_state next;
	struct callworld w;

	(void)state;
	begin_with_run(&w);
	callworld_expect(&w, runcall_forget, "{}", "\"parameter\":\"name\"");
	callworld_expect(&w, runcall_forget, "{\"name\": \"run-9\"}", "NoSuchProgram");
	callworld_expect(&w, runcall_forget, "{\"name\": \"web\"}", "not one of superctl run");
	callworld_expect(&w, runcall_forget, "{\"name\": \"run-1\"}", "it is running");
	run = engine_find(&w.world.engine, "run-1");
	next = *program_state(run);
	next.state = STATE_FATAL;
	ledger_commit_state(w.world.engine.ledger, run->run.row, &next);
	run->removed = true; /* somebody was here before */
	callworld_expect(&w, runcall_forget, "{\"name\": \"run-1\"}", "NotForgotten");
	run->removed = false;
	w.world.engine.safe_mode = true;
	callworld_expect(&w, runcall_forget, "{\"name\": \"run-1\"}", "SafeMode");
	w.world.engine.safe_mode = false;
	assert_int_equal(callworld_applies, 0);
	callworld_expect(&w, runcall_forget, "{\"name\": \"run-1\"}", "\"results\"");
	assert_null(callworld_source(&w, RUN_1));
	assert_null(callworld_source(&w, SET_1));
	assert_int_equal(callworld_applies, 1);
	callworld_end(&w);
}

/* Who waits is told at once where it is over, and else has an op that ends with the connection. */
static void test_wait_then_for_the_end_of_one_program(void **state)
{
	struct program *web;
	struct ledger_state next;
	struct callworld w;
	char parameters[128];

	(void)state;
	begin(&w, "program \"many\" { command = x instances = 2 }\n");
	callworld_expect(&w, runcall_wait, "{}", "\"parameter\":\"name\"");
	callworld_expect(
	    &w, runcall_wait, "{\"name\": \"web\", \"wait\": true}", "\"parameter\":\"wait\"");
	callworld_expect(&w, runcall_wait, "{\"name\": \"many\"}", "\"nearest\":\"many@1\"");
	snprintf(parameters, sizeof(parameters), "{\"name\": \"web\", \"timeout_ms\": %" PRId64 "}",
	    (int64_t)LIMIT_TIMEOUT_MS + 1);
	callworld_expect(&w, runcall_wait, parameters, "\"parameter\":\"timeout_ms\"");
	/* The longest one. */
	snprintf(parameters, sizeof(parameters), "{\"name\": \"web\", \"timeout_ms\": %" PRId64 "}",
	    (int64_t)LIMIT_TIMEOUT_MS);
	assert_string_equal(callworld_ask(&w, runcall_wait, parameters), "");
	assert_non_null(w.client.op);
	op_cancel(w.client.op);
	web = engine_find(&w.world.engine, "web");
	next = *program_state(web);
	next.state = STATE_EXITED;
	next.flags |= LEDGER_FLAG_HAS_EXIT;
	next.last_wstatus = 3 << 8;
	ledger_commit_state(w.world.engine.ledger, web->run.row, &next);
	callworld_expect(&w, runcall_wait, "{\"name\": \"web\"}", "\"unlogged_bytes\":0");
	callworld_end(&w);
}

/* Answered once, or cut off; and applied as a whole or not at all. */
static void test_run_when_memory_is_refused_then_the_whole_stanza_or_none(void **state)
{
	static const char *const words[] = {"x", "a b", NULL};
	unsigned n = 1, refused = 0;
	bool came;

	(void)state;
	ownlog_set_level(OWNLOG_ERROR);
	do {
		struct callworld w;
		char answer[256];

		begin(&w, "");
		refusal_begin(n++);
		snprintf(answer, sizeof(answer), "%.255s",
		    callworld_ask(&w, runcall_run,
			"{\"command\": [\"x\", \"a b\"], \"directory\": \"/\", \"settings\": "
			"[{\"key\": \"umask\", \"value\": \"077\"}]}"));
		came = refusal_end();
		refused += came;
		assert_true(answer[0] != '\0' || w.client.dead);
		if (callworld_applies == 0)
			assert_true(w.client.dead || strstr(answer, "\"error\"") != NULL);
		else
			expect_words(&w, RUN_1, words);
		callworld_end(&w);
	} while (came);
	ownlog_set_level(OWNLOG_NOTICE);
	assert_true(refused > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_run_then_a_stanza_with_the_words_as_they_are),
	    cmocka_unit_test(test_run_with_settings_then_these_hold),
	    cmocka_unit_test(test_run_without_a_name_then_one_that_is_free),
	    cmocka_unit_test(test_run_when_one_of_that_name_is_going_then_taken),
	    cmocka_unit_test(test_run_when_it_is_wrong_then_told_and_nothing_is_applied),
	    cmocka_unit_test(test_run_when_a_word_is_too_long_then_told_which),
	    cmocka_unit_test(test_forget_then_only_what_is_over_and_in_no_file),
	    cmocka_unit_test(test_wait_then_for_the_end_of_one_program),
	    cmocka_unit_test(test_run_when_memory_is_refused_then_the_whole_stanza_or_none),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
