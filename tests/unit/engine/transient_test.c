/* SPDX-License-Identifier: ISC */
/*
 * transient_test.c: programs of superctl run: which of them a load of the files takes along, and
 * when one is forgotten.
 */
#include "tests/unit/engine/callworld.h"
#include "tests/unit/refusal.h"

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/engine/confstamp.h"
#include "supervisord/engine/transient.h"

#define MAIN  "program \"web\" { command = x }\n"
#define RUN_1 CONFIG_RUN_PATH "run-1"
#define SET_1 CONFIG_SET_PATH "run-1"
#define RUN_2 CONFIG_RUN_PATH "run-2"
#define SET_2 CONFIG_SET_PATH "run-2"
#define SET_W CONFIG_SET_PATH "web"
#define LONG  (2 * LIMIT_TRANSIENT_KEEP_NS)
#define EXIT1 (1 << 8)

static const char run_1[] = "program \"run-1\" { command = y restart = never instances = 1 }\n";
static const char run_2[] = "program \"run-2\" { command = y restart = never instances = 1 }\n";
static const char filtered[] =
    "program \"run-1\" { command = y restart = never instances = 1 log_filter = \"exec:z\" }\n";
static const char set_1[] = "override \"run-1\" { umask = 077 }\n";
static const char set_2[] = "override \"run-2\" { instances = 2 }\n";
static const char set_web[] = "override \"web\" { umask = 077 }\n";

struct beside {
	const char *path, *text;
};

/* MAIN and these are applied. */
static void begin(struct callworld *w, const struct beside *beside, size_t count)
{
	struct config_source sources[8];
	struct config_errors errors = {0};
	struct confstamp *stamp = NULL;
	struct config *config = NULL;

	confdir_write("main.conf", MAIN);
	for (size_t i = 0; i < count; i++)
		sources[i] = (struct config_source){.path = (char *)(uintptr_t)beside[i].path,
		    .text = (char *)(uintptr_t)beside[i].text,
		    .length = strlen(beside[i].text)};
	assert_int_equal(
	    config_load_beside(confdir_path("main.conf"), sources, count, &config, &errors, &stamp),
	    0);
	config_errors_done(&errors);
	confstamp_free(stamp);
	callworld_begin_with(w, config);
}

static void end(struct callworld *w)
{
	timers_cancel(&w->world.engine.timers, &w->world.engine.transient.timer);
	callworld_end(w);
}

static void put(struct callworld *w, const char *name, enum state state, uint16_t flags,
    int wstatus, int64_t ago_ns)
{
	const struct program *program = engine_find(&w->world.engine, name);
	struct ledger_state next;

	assert_non_null(program);
	next = *program_state(program);
	next.state = (uint8_t)state;
	next.flags = flags | LEDGER_FLAG_HAS_EXIT;
	next.last_wstatus = wstatus;
	next.since_ns = clock_boot_ns() - ago_ns;
	ledger_commit_state(w->world.engine.ledger, program->run.row, &next);
	transient_note_change(&w->world.engine.transient);
}

/* The names of the programs that a load of the files gives. */
static const char *loaded(struct callworld *w)
{
	static char names[256];
	struct config_errors errors = {0};
	struct config *config = NULL;
	size_t at = 0;

	names[0] = '\0';
	assert_int_equal(transient_load_files(&w->world.engine, &config, &errors), 0);
	for (size_t i = 0; i < config->program_count; i++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s%s", i > 0 ? " " : "",
		    config->programs[i]->name,
		    config->programs[i]->key_umask == 077 ? "(077)" : "");
	assert_non_null(config->stamp); /* so that a change of the files is noticed */
	config_free(config);
	config_errors_done(&errors);
	return names;
}

/* What superctl set says goes with the program, but not what it says of one that has a file. */
static void test_load_of_the_files_takes_them_along(void **state)
{
	static const struct beside beside[] = {
	    {SET_W, set_web}, {SET_1, set_1}, {RUN_2, run_2}, {RUN_1, run_1}};
	struct callworld w;

	(void)state;
	begin(&w, beside, 4);
	assert_string_equal(loaded(&w), "run-1(077) run-2 web");
	end(&w);
	begin(&w, beside, 1);
	assert_string_equal(loaded(&w), "web");
	end(&w);
}

/* A file that has got a program of that name is a mistake that is told, not a choice of ours. */
static void test_load_when_a_file_has_the_name_then_refused(void **state)
{
	static const struct beside beside[] = {{RUN_1, run_1}};
	struct config_errors errors = {0};
	struct config *config = NULL;
	struct callworld w;

	(void)state;
	begin(&w, beside, 1);
	confdir_write("main.conf", MAIN "program \"run-1\" { command = z }\n");
	assert_int_equal(transient_load_files(&w.world.engine, &config, &errors), -EINVAL);
	assert_null(config);
	assert_int_equal(errors.count, 1);
	assert_non_null(strstr(errors.list[0].message, "main.conf"));
	config_errors_done(&errors);
	end(&w);
}

static void test_review_when_it_ended_well_long_ago_then_forgotten(void **state)
{
	static const struct beside beside[] = {
	    {RUN_1, run_1}, {SET_1, set_1}, {RUN_2, run_2}, {SET_2, set_2}, {SET_W, set_web}};
	struct callworld w;

	(void)state;
	begin(&w, beside, 5);
	put(&w, "run-1", STATE_EXITED, 0, 0, LONG);
	put(&w, "run-2@1", STATE_EXITED, 0, 0, LONG); /* somebody has scaled it */
	assert_true(transient_review(&w.world.engine));
	assert_int_equal(callworld_applies, 1);
	/* With what was set of it; the other one, and what is set of a file's, stay. */
	assert_null(callworld_source(&w, RUN_1));
	assert_null(callworld_source(&w, SET_1));
	assert_non_null(callworld_source(&w, RUN_2));
	assert_non_null(callworld_source(&w, SET_2));
	assert_non_null(callworld_source(&w, SET_W));
	end(&w);
}

static void test_review_when_it_is_stopped_then_forgotten(void **state)
{
	static const struct beside beside[] = {{RUN_1, run_1}};
	struct callworld w;

	(void)state;
	begin(&w, beside, 1);
	put(&w, "run-1", STATE_STOPPED, 0, EXIT1, LONG);
	assert_true(transient_review(&w.world.engine));
	assert_null(callworld_source(&w, RUN_1));
	end(&w);
}

static void test_review_when_it_is_not_to_be_forgotten_then_it_stays(void **state)
{
	static const struct beside beside[] = {{RUN_1, run_1}};
	static const struct {
		enum state state;
		uint16_t flags;
		int wstatus;
	} kept[] = {
	    {STATE_RUNNING, 0, 0},
	    {STATE_STOPPING, 0, 0},
	    {STATE_BACKOFF, 0, 0},
	    {STATE_FATAL, 0, 0},
	    {STATE_EXITED, 0, EXIT1},
	    {STATE_EXITED, 0, 9},
	    {STATE_EXITED, LEDGER_FLAG_FAILED, 0},
	};
	struct callworld w;

	(void)state;
	begin(&w, beside, 1);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		put(&w, "run-1", kept[i].state, kept[i].flags, kept[i].wstatus, LONG);
		assert_false(transient_review(&w.world.engine));
		/* And nobody wakes up for it. */
		assert_int_equal(w.world.engine.transient.timer.index, 0);
		assert_non_null(callworld_source(&w, RUN_1));
	}
	put(&w, "web", STATE_STOPPED, 0, 0, LONG);
	assert_false(transient_review(&w.world.engine));
	assert_int_equal(callworld_applies, 0);
	end(&w);
}

/* Its companion is over, it is not; nor is one that somebody has scaled. */
static void test_review_when_only_the_companion_has_ended_then_nothing_is_applied(void **state)
{
	static const struct beside beside[] = {{RUN_1, filtered}, {RUN_2, run_2}, {SET_2, set_2}};
	struct callworld w;

	(void)state;
	begin(&w, beside, 3);
	put(&w, "run-1+filter", STATE_STOPPED, 0, 0, LONG);
	put(&w, "run-2@1", STATE_STOPPED, 0, 0, LONG);
	assert_false(transient_review(&w.world.engine));
	assert_int_equal(callworld_applies, 0);
	assert_int_equal(w.world.engine.transient.timer.index, 0);
	/* Both go when it has ended. */
	put(&w, "run-1", STATE_EXITED, 0, 0, LONG);
	assert_true(transient_review(&w.world.engine));
	assert_null(callworld_source(&w, RUN_1));
	end(&w);
}

static void test_review_when_it_has_just_ended_then_at_its_time(void **state)
{
	static const struct beside beside[] = {{RUN_1, run_1}, {RUN_2, run_2}};
	struct callworld w;
	struct transient *transient = &w.world.engine.transient;
	int64_t first_ns;

	(void)state;
	begin(&w, beside, 2);
	put(&w, "run-2", STATE_STOPPED, 0, 0, 1);
	assert_false(transient_review(&w.world.engine));
	assert_int_not_equal(transient->timer.index, 0);
	assert_int_equal(transient->timer.deadline_ns,
	    program_state(engine_find(&w.world.engine, "run-2"))->since_ns +
		LIMIT_TRANSIENT_KEEP_NS);
	/* The earliest of two. */
	put(&w, "run-1", STATE_STOPPED, 0, 0, LIMIT_TRANSIENT_KEEP_NS / 2);
	first_ns = program_state(engine_find(&w.world.engine, "run-1"))->since_ns +
		   LIMIT_TRANSIENT_KEEP_NS;
	assert_false(transient_review(&w.world.engine));
	assert_int_equal(transient->timer.deadline_ns, first_ns);
	/* It does not look again before something happens. */
	assert_false(transient->due);
	transient->timer.fire(&transient->timer);
	assert_true(transient->due);
	/* Started again: nothing is to be waited for. */
	put(&w, "run-1", STATE_RUNNING, 0, 0, 0);
	put(&w, "run-2", STATE_RUNNING, 0, 0, 0);
	assert_false(transient_review(&w.world.engine));
	assert_int_equal(transient->timer.index, 0);
	assert_int_equal(callworld_applies, 0);
	end(&w);
}

/* It is not forgotten that something is due. */
static void test_review_when_nothing_may_be_applied_then_later(void **state)
{
	static const struct beside beside[] = {{RUN_1, run_1}};
	struct callworld w;
	struct engine *engine = &w.world.engine;
	bool *const obstacles[] = {&engine->shutdown, &engine->safe_mode, &engine->trial.active};

	(void)state;
	begin(&w, beside, 1);
	put(&w, "run-1", STATE_STOPPED, 0, 0, LONG);
	for (size_t i = 0; i < sizeof(obstacles) / sizeof(obstacles[0]); i++) {
		*obstacles[i] = true;
		assert_false(transient_review(engine));
		*obstacles[i] = false;
		assert_true(engine->transient.due);
	}
	assert_int_equal(callworld_applies, 0);
	assert_true(transient_review(engine));
	assert_int_equal(callworld_applies, 1);
	end(&w);
}

/* Neither lost nor tried again at once. */
static void test_review_when_the_apply_fails_then_tried_again_later(void **state)
{
	static const struct beside beside[] = {{RUN_1, run_1}};
	struct callworld w;
	struct transient *transient = &w.world.engine.transient;

	(void)state;
	begin(&w, beside, 1);
	put(&w, "run-1", STATE_STOPPED, 0, 0, LONG);
	callworld_error = -EADDRINUSE;
	assert_false(transient_review(&w.world.engine));
	assert_false(transient->due);
	assert_int_not_equal(transient->timer.index, 0);
	assert_true(transient->timer.deadline_ns > clock_boot_ns() + NS_PER_S);
	callworld_error = 0;
	transient->timer.fire(&transient->timer);
	assert_true(transient_review(&w.world.engine));
	assert_null(callworld_source(&w, RUN_1));
	end(&w);
}

/* All of them, or an error: a program that runs is never left out. */
static void test_load_when_memory_is_refused_then_error_or_all(void **state)
{
	static const struct beside beside[] = {{RUN_1, run_1}, {SET_1, set_1}};
	struct callworld w;
	unsigned n = 1, failed = 0;
	bool came;

	(void)state;
	begin(&w, beside, 2);
	do {
		struct config_errors errors = {0};
		struct config *config = NULL;
		int error;

		refusal_begin(n++);
		error = transient_load_files(&w.world.engine, &config, &errors);
		came = refusal_end();
		if (error == 0) {
			assert_int_equal(config->program_count, 2);
			assert_int_equal(config->programs[0]->key_umask, 077);
			config_free(config);
		} else {
			assert_int_equal(error, -ENOMEM);
			failed++;
		}
		config_errors_done(&errors);
	} while (came);
	assert_true(failed > 20);
	end(&w);
}

static void test_review_when_memory_is_refused_then_all_stays_or_it_alone_goes(void **state)
{
	static const struct beside beside[] = {{RUN_1, run_1}, {RUN_2, run_2}};
	unsigned n = 1, failed = 0;
	bool came;

	(void)state;
	ownlog_set_level(OWNLOG_ERROR);
	do {
		struct callworld w;
		bool done;

		begin(&w, beside, 2);
		put(&w, "run-1", STATE_STOPPED, 0, 0, LONG);
		refusal_begin(n++);
		done = transient_review(&w.world.engine);
		came = refusal_end();
		failed += !done;
		assert_int_equal(callworld_source(&w, RUN_1) == NULL, done);
		assert_non_null(callworld_source(&w, RUN_2));
		if (!done)
			assert_int_not_equal(w.world.engine.transient.timer.index, 0);
		end(&w);
	} while (came);
	ownlog_set_level(OWNLOG_NOTICE);
	assert_true(failed > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_load_of_the_files_takes_them_along),
	    cmocka_unit_test(test_load_when_a_file_has_the_name_then_refused),
	    cmocka_unit_test(test_review_when_it_ended_well_long_ago_then_forgotten),
	    cmocka_unit_test(test_review_when_it_is_stopped_then_forgotten),
	    cmocka_unit_test(test_review_when_it_is_not_to_be_forgotten_then_it_stays),
	    cmocka_unit_test(test_review_when_only_the_companion_has_ended_then_nothing_is_applied),
	    cmocka_unit_test(test_review_when_it_has_just_ended_then_at_its_time),
	    cmocka_unit_test(test_review_when_nothing_may_be_applied_then_later),
	    cmocka_unit_test(test_review_when_the_apply_fails_then_tried_again_later),
	    cmocka_unit_test(test_load_when_memory_is_refused_then_error_or_all),
	    cmocka_unit_test(test_review_when_memory_is_refused_then_all_stays_or_it_alone_goes),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
