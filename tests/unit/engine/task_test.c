/* SPDX-License-Identifier: ISC */
/*
 * Tests of supervisord/engine/task.h with a real ledger and real timers, but processes and an owner
 * of its own: run_*() and program_*() are those below.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/task.h"

#define OWNER_ROW 0
#define OWNER_RUN 7
#define EXIT(n)   ((n) << 8)
#define MANY      1000

/* The processes of a row, as the functions of run.h below know them. */
struct fake {
	size_t others; /* that the main process has left */
	bool immortal; /* they do not end by KILL (at once) */
	unsigned kills;
	unsigned released;
};

static struct fake fakes[LIMIT_ROWS];
static struct engine *engine;
static struct program *owner;
static struct life_config life;
static struct program_config config = {.life = &life};
static pid_t next_pid = 1000;
static int launch_error; /* of the next launches */
static char *const *got_words, *const *got_environment;
static unsigned launches;

static struct task_end ends[16];
static unsigned end_count;
static void (*on_end)(const struct task_end *end);
static unsigned deferred;

static char *words[] = {(char *)(uintptr_t) "/bin/true", NULL};
static char *environment[] = {(char *)(uintptr_t) "MAINPID=5", NULL};

static bool out_of_memory;

/* The linker makes task.c's calloc() this one. */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	return out_of_memory ? NULL : __real_calloc(count, size);
}

/* ---- what task.c calls ------------------------------------------------------------------------
 */

const char *program_name(const struct program *program)
{
	return engine->ledger->table[program->run.row].name;
}

const struct ledger_state *program_state(const struct program *program)
{
	return ledger_get_state(engine->ledger, program->run.row);
}

void program_defer(struct program *program, enum program_pending what)
{
	assert_ptr_equal(program, owner);
	deferred |= what;
}

void program_note_task(struct program *program, const struct task_end *end)
{
	assert_ptr_equal(program, owner);
	assert_true(end_count < sizeof(ends) / sizeof(ends[0]));
	ends[end_count++] = *end;
	if (on_end != NULL)
		on_end(end);
}

int streams_open_for_task(
    struct program *program, struct open_streams *streams, enum launch_step *ret_step)
{
	assert_ptr_equal(program, owner);
	(void)ret_step;
	streams->fds[0] = streams->fds[1] = streams->fds[2] = STDERR_FILENO;
	return 0;
}

void streams_close(struct open_streams *streams)
{
	(void)streams;
}

int run_launch(struct run *run, const struct launch_request *request)
{
	struct ledger_row *row = &engine->ledger->table[run->row];

	assert_string_equal(request->name, "web");
	assert_ptr_equal(request->config, &config);
	got_words = request->words;
	got_environment = request->environment;
	launches++;
	atomic_store(&row->run, request->run);
	if (launch_error != 0) {
		atomic_store(&row->failure.step, LAUNCH_CLONE);
		atomic_store(&row->failure.error, launch_error);
		return -launch_error;
	}
	atomic_store(&engine->ledger->pids[run->row], next_pid++);
	return 0;
}

pid_t run_pid(const struct run *run)
{
	return atomic_load(&engine->ledger->pids[run->row]);
}

void run_kill(struct run *run, const char *name)
{
	struct fake *fake = &fakes[run->row];

	(void)name;
	fake->kills++;
	if (!fake->immortal)
		fake->others = 0;
}

bool run_is_gone(struct run *run, bool only_main, size_t *ret_left)
{
	assert_false(only_main);
	assert_null(ret_left);
	return run_pid(run) == 0 && fakes[run->row].others == 0;
}

const char *run_left_text(struct run *run, char *buffer, size_t size)
{
	(void)run;
	assert_true(size > 0);
	buffer[0] = '\0';
	return buffer;
}

void run_forget_watch(struct run *run)
{
	(void)run;
}

void run_release(struct run *run)
{
	fakes[run->row].released++;
}

/* ---- the world --------------------------------------------------------------------------------
 */

static void set_owner(enum state state, uint64_t run)
{
	struct ledger_state next = *program_state(owner);

	next.state = (uint8_t)state;
	next.starts = run;
	ledger_commit_state(engine->ledger, OWNER_ROW, &next);
}

static int set_up(void **context)
{
	struct ledger_state state = {.wanted = WANTED_UP};
	int fd;

	(void)context;
	ownlog_init("test", OWNLOG_ERROR);
	engine = calloc(1, sizeof(*engine));
	owner = calloc(1, sizeof(*owner));
	assert_non_null(engine);
	assert_non_null(owner);
	assert_int_equal(ledger_create(&fd, &engine->ledger), 0);
	close(fd);
	assert_int_equal(timers_init(&engine->timers), 0);
	TAILQ_INIT(&engine->pending_tasks);
	*owner = (struct program){
	    .run = {.engine = engine, .row = OWNER_ROW}, .engine = engine, .config = &config};
	LIST_INIT(&owner->tasks);
	assert_int_equal(
	    ledger_claim_row(engine->ledger, "web", NULL, &state, NULL, NULL), OWNER_ROW);
	engine->by_row[OWNER_ROW] = &owner->run;
	set_owner(STATE_PREPARING, OWNER_RUN);
	memset(fakes, 0, sizeof(fakes));
	launch_error = 0;
	launches = end_count = deferred = 0;
	on_end = NULL;
	return 0;
}

static int tear_down(void **context)
{
	(void)context;
	task_forget_all(engine);
	assert_int_equal(engine->task_count, 0);
	assert_int_equal(engine->timers.count, 0);
	timers_done(&engine->timers);
	munmap(engine->ledger, sizeof(*engine->ledger));
	idcache_clear(&engine->ids);
	free(engine);
	free(owner);
	return 0;
}

/* As the guardian does it. */
static void end_process(int row, int wstatus)
{
	struct ledger_exit end = {
	    .run = atomic_load(&engine->ledger->table[row].run),
	    .pid = atomic_load(&engine->ledger->pids[row]),
	    .wstatus = wstatus,
	};

	assert_int_not_equal(end.pid, 0);
	ledger_post_exit(engine->ledger, row, &end);
}

/* As engine.c does it. */
static void run_round(void)
{
	for (int row; (row = ledger_next_exit(engine->ledger, 0)) >= 0;) {
		if (engine->by_row[row] == NULL)
			ledger_clear_exit(engine->ledger, row);
		else
			task_note_exit((struct task *)(void *)engine->by_row[row]);
	}
	for (int i = 0; i < MANY && task_work(engine, 1); i++)
		;
}

static void let_time_pass(int64_t ns)
{
	timers_run(&engine->timers, clock_boot_ns() + ns, 1);
	run_round();
}

/* The engine dies, another one finds the ledger. */
static void replace_engine(void)
{
	uint32_t high = atomic_load(&engine->ledger->header.rows_high);

	task_forget_all(engine);
	for (uint32_t row = 0; row < high; row++)
		if (engine->ledger->table[row].name[0] != '\0' &&
		    engine->ledger->table[row].owner.row != 0)
			assert_int_equal(task_adopt(engine, (int)row, owner), 0);
}

static bool is_row_used(int row)
{
	return engine->ledger->table[row].name[0] != '\0';
}

static int start(enum task_kind kind)
{
	task_start(owner, kind, words, environment, 0);
	assert_non_null(task_find(owner, kind));
	return task_find(owner, kind)->run.row;
}

static int start_for(enum task_kind kind, int64_t timeout_ns)
{
	task_start(owner, kind, words, environment, timeout_ns);
	assert_non_null(task_find(owner, kind));
	return task_find(owner, kind)->run.row;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void test_start_when_it_succeeds_then_the_owner_hears_of_it(void **context)
{
	int row = start(TASK_PRE_START);
	const struct ledger_row *entry = &engine->ledger->table[row];

	(void)context;
	assert_string_equal(entry->name, "#0.pre_start");
	assert_int_equal(entry->owner.row, OWNER_ROW + 1);
	assert_int_equal(entry->owner.kind, TASK_PRE_START);
	assert_int_equal(entry->owner.run, OWNER_RUN);
	assert_ptr_equal(got_words, words);
	assert_ptr_equal(got_environment, environment);
	run_round();
	assert_int_equal(end_count, 0);

	end_process(row, 0);
	run_round();
	assert_int_equal(end_count, 1);
	assert_int_equal(ends[0].kind, TASK_PRE_START);
	assert_int_equal(ends[0].run, OWNER_RUN);
	assert_true(ends[0].ok);
	assert_true(ends[0].launched);
	assert_false(ends[0].timed_out);
	assert_false(is_row_used(row));
	assert_int_equal(fakes[row].released, 1);
	assert_null(engine->by_row[row]);
	assert_null(task_find(owner, TASK_PRE_START));
	assert_int_equal(engine->task_count, 0);
}

static void test_start_when_it_lives_already_then_there_is_no_second_one(void **context)
{
	int row = start(TASK_PRE_START);

	(void)context;
	assert_int_equal(start(TASK_PRE_START), row);
	assert_int_equal(launches, 1);
	assert_int_equal(engine->task_count, 1);
}

static void test_start_when_one_of_another_run_lives_then_that_is_cancelled(void **context)
{
	int row = start(TASK_PRE_START), other;

	(void)context;
	set_owner(STATE_PREPARING, OWNER_RUN + 1);
	other = start(TASK_PRE_START);
	assert_int_not_equal(other, row);
	assert_int_equal(fakes[row].kills, 1);
	end_process(row, SIGKILL);
	run_round();
	assert_int_equal(end_count, 0);
	end_process(other, 0);
	run_round();
	assert_int_equal(end_count, 1);
	assert_int_equal(ends[0].run, OWNER_RUN + 1);
}

static void test_start_when_on_failure_of_another_run_lives_then_it_goes_on(void **context)
{
	int row = start(TASK_ON_FAILURE);

	(void)context;
	set_owner(STATE_FATAL, OWNER_RUN + 1);
	assert_int_equal(start(TASK_ON_FAILURE), row);
	assert_int_equal(launches, 1);
	assert_int_equal(fakes[row].kills, 0);
}

static void test_end_when_it_failed_then_the_status_is_told(void **context)
{
	(void)context;
	end_process(start(TASK_POST_STOP), EXIT(3));
	end_process(start(TASK_HEALTH), SIGSEGV);
	run_round();
	assert_int_equal(end_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_false(ends[i].ok);
		assert_true(ends[i].launched);
		assert_int_equal(
		    ends[i].wstatus, ends[i].kind == TASK_POST_STOP ? EXIT(3) : SIGSEGV);
	}
}

static void test_end_when_it_could_not_be_executed_then_the_step_is_told(void **context)
{
	int row = start(TASK_PRE_START);
	struct ledger_failure *failure = &engine->ledger->table[row].failure;

	(void)context;
	atomic_store(&failure->step, LAUNCH_EXEC);
	atomic_store(&failure->error, ENOENT);
	end_process(row, EXIT(127));
	run_round();
	assert_int_equal(end_count, 1);
	assert_false(ends[0].ok);
	assert_false(ends[0].launched);
	assert_int_equal(ends[0].step, LAUNCH_EXEC);
	assert_int_equal(ends[0].error, ENOENT);
}

static void test_start_when_it_cannot_be_launched_then_that_is_told_later(void **context)
{
	int row;

	(void)context;
	launch_error = EAGAIN;
	row = start(TASK_PRE_START);
	assert_int_equal(end_count, 0);
	run_round();
	assert_int_equal(end_count, 1);
	assert_false(ends[0].launched);
	assert_int_equal(ends[0].step, LAUNCH_CLONE);
	assert_int_equal(ends[0].error, EAGAIN);
	assert_false(is_row_used(row));
	assert_int_equal(fakes[row].kills, 0);
}

static void test_start_when_there_is_no_row_then_that_is_told_later(void **context)
{
	(void)context;
	for (int row = 1; row < LIMIT_ROWS; row++)
		engine->ledger->table[row].name[0] = 'x';
	atomic_store(&engine->ledger->header.rows_high, LIMIT_ROWS);
	assert_int_equal(start(TASK_PRE_START), -1);
	assert_int_equal(launches, 0);
	run_round();
	assert_int_equal(end_count, 1);
	assert_false(ends[0].launched);
	assert_int_equal(ends[0].error, ENOSPC);
	/* And one that is cancelled in between. */
	assert_int_equal(start(TASK_PRE_START), -1);
	assert_true(task_cancel_kinds(owner, 1U << TASK_PRE_START));
	run_round();
	assert_int_equal(end_count, 1);
	assert_int_equal(engine->task_count, 0);
	for (int row = 1; row < LIMIT_ROWS; row++)
		engine->ledger->table[row].name[0] = '\0';
}

static void test_start_when_the_stanza_has_no_such_command_then_it_fails(void **context)
{
	(void)context;
	task_start(owner, TASK_POST_START, NULL, NULL, 0);
	assert_int_equal(end_count, 0);
	run_round();
	assert_int_equal(end_count, 1);
	assert_false(ends[0].ok);
	assert_false(ends[0].launched);
	assert_int_equal(launches, 0);
}

static void test_start_when_in_safe_mode_then_nothing_new_begins(void **context)
{
	(void)context;
	engine->safe_mode = true;
	start(TASK_PRE_START);
	start(TASK_POST_STOP);
	assert_int_equal(launches, 1);
	run_round();
	assert_int_equal(end_count, 1);
	assert_int_equal(ends[0].kind, TASK_PRE_START);
	assert_int_equal(ends[0].error, ECANCELED);
}

static void test_start_when_shutting_down_then_hooks_of_stops_run(void **context)
{
	(void)context;
	atomic_store(&engine->ledger->header.shutdown, 1);
	start(TASK_PRE_START);
	start(TASK_PRE_STOP);
	start(TASK_STOP_COMMAND);
	start(TASK_POST_STOP);
	assert_int_equal(launches, 3);
	run_round();
	assert_int_equal(end_count, 1);
	assert_int_equal(ends[0].kind, TASK_PRE_START);
}

static void test_deadline_when_it_is_over_then_kill_and_timed_out(void **context)
{
	int row = start_for(TASK_PRE_START, NS_PER_S);

	(void)context;
	let_time_pass(0);
	assert_int_equal(fakes[row].kills, 0);
	let_time_pass(2 * NS_PER_S);
	assert_int_equal(fakes[row].kills, 1);
	assert_int_equal(end_count, 0);
	/* It is still there: again. */
	let_time_pass(4 * NS_PER_S);
	assert_int_equal(fakes[row].kills, 2);
	end_process(row, SIGKILL);
	run_round();
	assert_int_equal(end_count, 1);
	assert_true(ends[0].timed_out);
	assert_false(ends[0].ok);
	assert_true(ends[0].launched);
}

static void test_deadline_when_it_has_just_ended_then_it_was_in_time(void **context)
{
	int row = start_for(TASK_PRE_START, NS_PER_S);

	(void)context;
	end_process(row, 0);
	let_time_pass(2 * NS_PER_S);
	assert_int_equal(end_count, 1);
	assert_true(ends[0].ok);
	assert_false(ends[0].timed_out);
	assert_int_equal(fakes[row].kills, 0);
}

static void test_end_when_something_is_left_then_it_gets_kill_before_the_owner_hears(void **context)
{
	int row = start(TASK_POST_START);

	(void)context;
	fakes[row].others = 2;
	fakes[row].immortal = true;
	end_process(row, 0);
	run_round();
	assert_int_equal(fakes[row].kills, 1);
	assert_int_equal(end_count, 0);
	let_time_pass(2 * NS_PER_S);
	assert_int_equal(fakes[row].kills, 2);
	assert_int_equal(end_count, 0);
	/* The last one ends. */
	fakes[row].others = 0;
	engine->by_row[row]->on_change(engine->by_row[row]);
	run_round();
	assert_int_equal(end_count, 1);
	assert_true(ends[0].ok);
	assert_false(ends[0].timed_out);
}

static void test_cancel_when_it_lives_then_kill_and_silence(void **context)
{
	int row = start(TASK_HEALTH);

	(void)context;
	assert_false(task_cancel_kinds(owner, 1U << TASK_READY));
	assert_true(task_cancel_kinds(owner, 1U << TASK_HEALTH | 1U << TASK_READY));
	assert_int_equal(fakes[row].kills, 1);
	assert_null(task_find(owner, TASK_HEALTH));
	run_round();
	/* Still there, and killed no second time for being asked about. */
	assert_true(task_cancel_kinds(owner, 1U << TASK_HEALTH));
	assert_int_equal(fakes[row].kills, 1);
	assert_int_equal(deferred, 0);
	end_process(row, SIGKILL);
	run_round();
	assert_int_equal(end_count, 0);
	assert_int_equal(deferred, PENDING_PROBE);
	assert_false(task_cancel_kinds(owner, 1U << TASK_HEALTH));
	assert_false(is_row_used(row));
}

static void test_start_when_a_cancelled_one_is_dying_then_a_new_one_begins(void **context)
{
	int row = start(TASK_HEALTH), other;

	(void)context;
	task_cancel(task_find(owner, TASK_HEALTH));
	other = start(TASK_HEALTH);
	assert_int_not_equal(other, row);
	/* Known apart by the number of the run, which is in the environment of their processes. */
	assert_true(atomic_load(&engine->ledger->table[row].run) !=
		    atomic_load(&engine->ledger->table[other].run));
	end_process(other, 0);
	end_process(row, SIGKILL);
	run_round();
	assert_int_equal(end_count, 1);
	assert_true(ends[0].ok);
}

static void test_kill_when_it_lives_then_the_owner_hears_of_a_timeout(void **context)
{
	int row = start(TASK_RELOAD);

	(void)context;
	task_kill(task_find(owner, TASK_RELOAD));
	assert_int_equal(fakes[row].kills, 1);
	end_process(row, SIGKILL);
	run_round();
	assert_int_equal(end_count, 1);
	assert_true(ends[0].timed_out);
}

static void test_abandon_when_the_owner_goes_then_its_tasks_are_killed_and_waited_for(
    void **context)
{
	int row = start(TASK_ON_FAILURE), other = start(TASK_HEALTH);

	(void)context;
	task_abandon_all(owner);
	assert_true(LIST_EMPTY(&owner->tasks));
	assert_int_equal(fakes[row].kills, 1);
	assert_int_equal(fakes[other].kills, 1);
	assert_int_equal(engine->task_count, 2);
	end_process(row, SIGKILL);
	end_process(other, SIGKILL);
	run_round();
	assert_int_equal(end_count, 0);
	assert_int_equal(deferred, 0);
	assert_int_equal(engine->task_count, 0);
	assert_false(is_row_used(row) || is_row_used(other));
}

static int told_row;

/* The owner's next state is committed now: an engine that dies before the row is free sees both. */
static void check_row_is_there(const struct task_end *end)
{
	(void)end;
	assert_true(is_row_used(told_row));
	on_end = NULL;
	set_owner(STATE_PREPARING, OWNER_RUN + 1);
	assert_int_not_equal(start(TASK_PRE_START), told_row);
}

static void test_end_when_the_owner_starts_another_one_then_both_are_right(void **context)
{
	(void)context;
	told_row = start(TASK_PRE_START);
	on_end = check_row_is_there;
	end_process(told_row, EXIT(1));
	run_round();
	assert_int_equal(end_count, 1);
	assert_false(is_row_used(told_row));
	assert_non_null(task_find(owner, TASK_PRE_START));
	assert_int_equal(engine->task_count, 1);
	end_process(task_find(owner, TASK_PRE_START)->run.row, 0);
	run_round();
	assert_int_equal(end_count, 2);
	assert_int_equal(ends[1].run, OWNER_RUN + 1);
}

static void test_adopt_when_it_lives_and_fits_then_it_goes_on(void **context)
{
	int row = start_for(TASK_PRE_START, NS_PER_S);

	(void)context;
	replace_engine();
	assert_non_null(task_find(owner, TASK_PRE_START));
	task_start(owner, TASK_PRE_START, words, environment, NS_PER_S); /* program_resume() */
	assert_int_equal(launches, 1);
	assert_int_equal(fakes[row].kills, 0);
	/* Its deadline, too. */
	let_time_pass(2 * NS_PER_S);
	assert_int_equal(fakes[row].kills, 1);
	replace_engine(); /* and this is not forgotten either */
	end_process(row, SIGKILL);
	run_round();
	assert_int_equal(end_count, 1);
	assert_true(ends[0].timed_out);
}

static void test_adopt_when_it_has_ended_meanwhile_then_that_is_told_once(void **context)
{
	int row = start(TASK_PRE_START);

	(void)context;
	end_process(row, EXIT(4));
	replace_engine();
	task_start(owner, TASK_PRE_START, words, environment, 0);
	assert_int_equal(launches, 1);
	assert_int_equal(end_count, 0);
	run_round();
	run_round();
	assert_int_equal(end_count, 1);
	assert_int_equal(ends[0].wstatus, EXIT(4));
	assert_int_equal(engine->task_count, 0);
}

static void test_adopt_when_its_end_was_seen_but_not_told_then_it_is_told(void **context)
{
	int row = start(TASK_PRE_START);

	(void)context;
	fakes[row].others = 1;
	fakes[row].immortal = true;
	end_process(row, EXIT(4));
	run_round();
	replace_engine();
	run_round();
	assert_int_equal(end_count, 0);
	fakes[row].others = 0;
	let_time_pass(2 * NS_PER_S);
	assert_int_equal(end_count, 1);
	assert_int_equal(ends[0].wstatus, EXIT(4));
}

static void test_adopt_when_it_was_never_launched_then_it_is_forgotten(void **context)
{
	struct ledger_owner whose = {OWNER_ROW + 1, TASK_PRE_START, OWNER_RUN};
	struct ledger_state state = {.wanted = WANTED_UP, .starts = 1};
	int row;

	(void)context;
	/* Claimed, and the engine was killed; or it noted its run, and was killed then. */
	for (uint64_t noted = 0; noted < 2; noted++) {
		row = ledger_claim_row(engine->ledger, "#0.pre_start", &whose, &state, NULL, NULL);
		assert_true(row > 0);
		atomic_store(&engine->ledger->table[row].run, noted);
		replace_engine();
		assert_false(is_row_used(row));
		assert_null(task_find(owner, TASK_PRE_START));
		run_round();
		assert_int_equal(end_count, 0);
	}
	/* program_resume() starts it again, and that is the only time. */
	start(TASK_PRE_START);
	assert_int_equal(launches, 1);
}

static void test_adopt_when_it_does_not_fit_the_owner_then_it_is_cancelled(void **context)
{
	static const struct {
		enum task_kind kind;
		enum state state; /* the one that it fits; STATE_COUNT: none, STATE_STOPPED: any */
	} cases[] = {
	    {TASK_PRE_START, STATE_PREPARING},
	    {TASK_POST_START, STATE_SETTLING},
	    {TASK_PRE_STOP, STATE_ENDING},
	    {TASK_POST_STOP, STATE_CLEANING},
	    {TASK_RELOAD, STATE_RUNNING},
	    {TASK_READY, STATE_COUNT},
	    {TASK_HEALTH, STATE_COUNT},
	};

	(void)context;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int state = 0; state < STATE_COUNT; state++) {
			for (uint64_t run = OWNER_RUN; run <= OWNER_RUN + 1; run++) {
				bool fits = (int)cases[i].state == state && run == OWNER_RUN;
				int row;

				set_owner(STATE_PREPARING, OWNER_RUN);
				row = start(cases[i].kind);
				fakes[row] = (struct fake){0};
				set_owner((enum state)state, run);
				replace_engine();
				assert_int_equal(fakes[row].kills, !fits);
				assert_int_equal(task_find(owner, cases[i].kind) != NULL, fits);
				end_count = 0;
				end_process(row, 0);
				run_round();
				assert_int_equal(end_count, fits);
				assert_int_equal(engine->task_count, 0);
			}
		}
	}
}

static void test_adopt_when_on_failure_then_it_goes_on_whatever_its_owner_does(void **context)
{
	int row = start(TASK_ON_FAILURE);

	(void)context;
	set_owner(STATE_RUNNING, OWNER_RUN + 1);
	replace_engine();
	assert_int_equal(fakes[row].kills, 0);
	end_process(row, 0);
	run_round();
	assert_int_equal(end_count, 1);
}

static void test_adopt_when_stop_command_then_only_at_its_step_of_the_stop(void **context)
{
	char *command[] = {(char *)(uintptr_t) "/bin/stop", NULL};
	struct ledger_state state;
	int row;

	(void)context;
	life.key_stop_command = command;
	config.key_stop_timeout = NS_PER_S;
	for (uint8_t step = 0; step < 2; step++) {
		set_owner(STATE_STOPPING, OWNER_RUN);
		row = start(TASK_STOP_COMMAND);
		fakes[row] = (struct fake){0};
		state = *program_state(owner);
		state.stop_step = step;
		ledger_commit_state(engine->ledger, OWNER_ROW, &state);
		replace_engine();
		assert_int_equal(
		    fakes[row].kills, !transition_stop_step(&config, program_state(owner)).command);
		end_process(row, 0);
		run_round();
	}
	assert_int_equal(end_count, 1);
	life.key_stop_command = NULL;
}

static void test_adopt_when_it_was_cancelled_then_it_stays_so(void **context)
{
	int row = start(TASK_PRE_START);

	(void)context;
	task_cancel(task_find(owner, TASK_PRE_START));
	replace_engine();
	assert_null(task_find(owner, TASK_PRE_START));
	assert_int_equal(fakes[row].kills, 2);
	end_process(row, SIGKILL);
	run_round();
	assert_int_equal(end_count, 0);
	assert_int_equal(deferred, PENDING_PROBE);
}

static void test_adopt_when_its_owner_has_gone_then_it_is_killed(void **context)
{
	int row = start(TASK_PRE_START);

	(void)context;
	task_forget_all(engine);
	assert_int_equal(task_adopt(engine, row, NULL), 0);
	assert_int_equal(fakes[row].kills, 1);
	end_process(row, SIGKILL);
	run_round();
	assert_int_equal(end_count, 0);
	assert_int_equal(engine->task_count, 0);
	assert_false(is_row_used(row));
}

static void test_adopt_when_the_ledger_says_nonsense_then_it_is_killed(void **context)
{
	int row = start(TASK_PRE_START);

	(void)context;
	engine->ledger->table[row].owner.kind = -5;
	replace_engine();
	assert_int_equal(fakes[row].kills, 1);
	end_process(row, SIGKILL);
	run_round();
	assert_int_equal(end_count, 0);
	assert_int_equal(engine->task_count, 0);
}

static void test_note_exit_when_the_news_are_of_another_run_then_they_are_dropped(void **context)
{
	int row = start(TASK_PRE_START);
	struct ledger_exit end = {.run = 1};

	(void)context;
	engine->ledger->exits[row] = end;
	task_note_exit((struct task *)(void *)engine->by_row[row]);
	run_round();
	assert_int_equal(end_count, 0);
	assert_non_null(task_find(owner, TASK_PRE_START));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void test_start_when_there_is_no_memory_then_that_is_told_later(void **state)
{
	(void)state;
	out_of_memory = true;
	task_start(owner, TASK_PRE_START, words, NULL, 0);
	out_of_memory = false;
	assert_int_equal(end_count, 0);
	assert_true(deferred & PENDING_LOST);
	task_tell_lost(owner);
	assert_int_equal(end_count, 1);
	assert_int_equal(ends[0].kind, TASK_PRE_START);
	assert_int_equal(ends[0].run, OWNER_RUN);
	assert_int_equal(ends[0].error, ENOMEM);
	assert_false(ends[0].ok);
	assert_false(ends[0].launched);
	task_tell_lost(owner);
	assert_int_equal(end_count, 1);
}

static void test_start_when_there_was_no_memory_then_a_cancel_or_another_start_ends_that(
    void **state)
{
	(void)state;
	out_of_memory = true;
	task_start(owner, TASK_POST_STOP, words, NULL, 0);
	task_start(owner, TASK_HEALTH, words, NULL, 0);
	out_of_memory = false;
	assert_false(task_cancel_kinds(owner, 1U << TASK_POST_STOP));
	task_start(owner, TASK_HEALTH, words, NULL, 0);
	task_tell_lost(owner);
	assert_int_equal(end_count, 0);
	assert_int_equal(launches, 1);
	task_cancel(task_find(owner, TASK_HEALTH));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_start_when_it_succeeds_then_the_owner_hears_of_it),
	    TEST(test_start_when_it_lives_already_then_there_is_no_second_one),
	    TEST(test_start_when_one_of_another_run_lives_then_that_is_cancelled),
	    TEST(test_start_when_on_failure_of_another_run_lives_then_it_goes_on),
	    TEST(test_start_when_it_cannot_be_launched_then_that_is_told_later),
	    TEST(test_start_when_there_is_no_row_then_that_is_told_later),
	    TEST(test_start_when_there_is_no_memory_then_that_is_told_later),
	    TEST(test_start_when_there_was_no_memory_then_a_cancel_or_another_start_ends_that),
	    TEST(test_start_when_the_stanza_has_no_such_command_then_it_fails),
	    TEST(test_start_when_in_safe_mode_then_nothing_new_begins),
	    TEST(test_start_when_shutting_down_then_hooks_of_stops_run),
	    TEST(test_start_when_a_cancelled_one_is_dying_then_a_new_one_begins),
	    TEST(test_end_when_it_failed_then_the_status_is_told),
	    TEST(test_end_when_it_could_not_be_executed_then_the_step_is_told),
	    TEST(test_end_when_something_is_left_then_it_gets_kill_before_the_owner_hears),
	    TEST(test_end_when_the_owner_starts_another_one_then_both_are_right),
	    TEST(test_deadline_when_it_is_over_then_kill_and_timed_out),
	    TEST(test_deadline_when_it_has_just_ended_then_it_was_in_time),
	    TEST(test_cancel_when_it_lives_then_kill_and_silence),
	    TEST(test_kill_when_it_lives_then_the_owner_hears_of_a_timeout),
	    TEST(test_abandon_when_the_owner_goes_then_its_tasks_are_killed_and_waited_for),
	    TEST(test_adopt_when_it_lives_and_fits_then_it_goes_on),
	    TEST(test_adopt_when_it_has_ended_meanwhile_then_that_is_told_once),
	    TEST(test_adopt_when_its_end_was_seen_but_not_told_then_it_is_told),
	    TEST(test_adopt_when_it_was_never_launched_then_it_is_forgotten),
	    TEST(test_adopt_when_it_does_not_fit_the_owner_then_it_is_cancelled),
	    TEST(test_adopt_when_on_failure_then_it_goes_on_whatever_its_owner_does),
	    TEST(test_adopt_when_stop_command_then_only_at_its_step_of_the_stop),
	    TEST(test_adopt_when_it_was_cancelled_then_it_stays_so),
	    TEST(test_adopt_when_its_owner_has_gone_then_it_is_killed),
	    TEST(test_adopt_when_the_ledger_says_nonsense_then_it_is_killed),
	    TEST(test_note_exit_when_the_news_are_of_another_run_then_they_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
