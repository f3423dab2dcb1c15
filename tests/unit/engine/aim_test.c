/* SPDX-License-Identifier: ISC */
/* aim_test.c: whether a command has come true, for every goal in every state, and in which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "supervisord/engine/aim.h"
#include "supervisord/engine/engine.h"

#define PROGRAMS 4
#define LINKS    2

/* Programs a, b, c, d in rows 0 to 3. */
struct world {
	struct engine engine;
	struct life_config life;
	struct program_config config;
	struct program programs[PROGRAMS];
	struct program *list[PROGRAMS];
	struct program_link links[PROGRAMS][LINKS];
};

static int make_world(void **state)
{
	static const char *const names[PROGRAMS] = {"a", "b", "c", "d"};
	struct world *world = calloc(1, sizeof(*world));

	world->engine.ledger = calloc(1, sizeof(*world->engine.ledger));
	world->engine.history = calloc(1, sizeof(*world->engine.history));
	world->engine.cgroups.base = -1;
	world->engine.programs = world->list;
	world->engine.program_count = PROGRAMS;
	world->config.life = &world->life;
	world->config.key_success_exit.codes[0] = 1;
	for (int i = 0; i < PROGRAMS; i++) {
		struct program *program = &world->programs[i];

		program->engine = &world->engine;
		program->run =
		    (struct run){.engine = &world->engine, .kind = RUN_PROGRAM, .row = i};
		program->config = &world->config;
		world->list[i] = program;
		world->engine.by_row[i] = &program->run;
		memcpy(world->engine.ledger->table[i].name, names[i], 2);
	}
	*state = world;
	return 0;
}

static int free_world(void **state)
{
	struct world *world = *state;

	free(world->engine.ledger);
	free(world->engine.history);
	free(world);
	return 0;
}

static void put(struct world *world, int row, const struct ledger_state *state)
{
	ledger_commit_state(world->engine.ledger, row, state);
}

static void put_plain(struct world *world, int row, enum state state, enum wanted wanted)
{
	put(world, row, &(struct ledger_state){.state = state, .wanted = wanted, .starts = 1});
}

/* `last` comes after `first`. */
static void link_to(struct world *world, int last, int first, enum depend_kind kind)
{
	struct program_links *links = &world->programs[last].firsts;

	links->list = world->links[last];
	links->list[links->count++] =
	    (struct program_link){.other = &world->programs[first], .kind = (uint8_t)kind};
}

static enum verdict judge(struct world *world, enum op_goal goal)
{
	struct aim aim;

	aim_init(&aim, &world->programs[0], goal);
	return aim_judge(&aim);
}

static void assert_described(struct world *world, struct aim *aim, const char *expected)
{
	enum verdict verdict = aim_judge(aim);
	char text[AIM_TEXT];

	(void)world;
	assert_int_not_equal(verdict, VERDICT_OPEN);
	aim_describe(aim, verdict, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void test_up_when_in_each_state_then_as_it_must_come(void **state)
{
	static const enum verdict expected[STATE_COUNT] = {
	    [STATE_STOPPED] = VERDICT_FAILED,
	    [STATE_WAITING] = VERDICT_OPEN,
	    [STATE_PREPARING] = VERDICT_OPEN,
	    [STATE_STARTING] = VERDICT_OPEN,
	    [STATE_SETTLING] = VERDICT_OPEN,
	    [STATE_RUNNING] = VERDICT_OK,
	    [STATE_BACKOFF] = VERDICT_FAILED,
	    [STATE_ENDING] = VERDICT_OPEN,
	    [STATE_STOPPING] = VERDICT_OPEN,
	    [STATE_CLEANING] = VERDICT_OPEN,
	    [STATE_EXITED] = VERDICT_FAILED, /* not acted on: how it ended is not known */
	    [STATE_FATAL] = VERDICT_FAILED,
	};

	for (int i = 0; i < STATE_COUNT; i++) {
		put_plain(*state, 0, (enum state)i, WANTED_UP);
		assert_int_equal(judge(*state, OP_UP), expected[i]);
	}
}

static void test_up_when_running_and_about_to_end_then_open(void **state)
{
	struct ledger_state running = {.state = STATE_RUNNING, .wanted = WANTED_UP};

	running.flags = LEDGER_FLAG_BOUNCE;
	put(*state, 0, &running);
	assert_int_equal(judge(*state, OP_UP), VERDICT_OPEN);
	running.flags = LEDGER_FLAG_LOST;
	put(*state, 0, &running);
	assert_int_equal(judge(*state, OP_UP), VERDICT_OPEN);
}

static void test_up_when_exited_then_by_how_it_ended(void **state)
{
	struct world *world = *state;
	struct ledger_state ended = {.state = STATE_EXITED,
	    .wanted = WANTED_UP,
	    .starts = 2,
	    .run_acted = 2,
	    .flags = LEDGER_FLAG_HAS_EXIT};
	struct aim aim;

	put_plain(world, 0, STATE_STOPPED, WANTED_DOWN);
	aim_init(&aim, &world->programs[0], OP_UP);
	put(world, 0, &ended);
	assert_described(world, &aim, "started; it exited with status 0");
	assert_true(aim_has_changed(&aim, VERDICT_OK));
	ended.flags |= LEDGER_FLAG_FAILED;
	put(world, 0, &ended);
	assert_int_equal(aim_judge(&aim), VERDICT_FAILED);
	ended.flags = LEDGER_FLAG_HAS_EXIT;
	ended.last_wstatus = 3 << 8;
	ended.reason = REASON_EXIT;
	ended.detail = ended.last_wstatus;
	put(world, 0, &ended);
	assert_described(world, &aim, "EXITED: exited with status 3");
}

static void test_up_when_waiting_then_as_long_as_it_may_come(void **state)
{
	static const struct {
		enum state first;
		enum wanted wanted;
		enum verdict expected;
	} cases[] = {
	    {STATE_STOPPED, WANTED_DOWN, VERDICT_FAILED},
	    {STATE_STOPPED, WANTED_UP, VERDICT_OPEN}, /* its start is only just being decided */
	    {STATE_STARTING, WANTED_UP, VERDICT_OPEN},
	    {STATE_BACKOFF, WANTED_UP, VERDICT_OPEN},
	    {STATE_STOPPING, WANTED_DOWN, VERDICT_OPEN},
	    {STATE_WAITING, WANTED_UP, VERDICT_OPEN},
	    {STATE_EXITED, WANTED_UP, VERDICT_FAILED},
	    {STATE_FATAL, WANTED_UP, VERDICT_FAILED},
	};

	link_to(*state, 0, 1, DEPEND_REQUIRES);
	put_plain(*state, 0, STATE_WAITING, WANTED_UP);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_plain(*state, 1, cases[i].first, cases[i].wanted);
		assert_int_equal(judge(*state, OP_UP), cases[i].expected);
		assert_int_equal(judge(*state, OP_RESTARTED), cases[i].expected);
	}
}

static void test_up_when_waiting_in_a_chain_then_its_end_decides(void **state)
{
	struct world *world = *state;
	struct aim aim;

	link_to(world, 0, 1, DEPEND_REQUIRES);
	link_to(world, 1, 2, DEPEND_REQUIRES);
	link_to(world, 2, 3, DEPEND_REQUIRES);
	for (int i = 0; i < 3; i++)
		put_plain(world, i, STATE_WAITING, WANTED_UP);
	put_plain(world, 3, STATE_STARTING, WANTED_UP);
	aim_init(&aim, &world->programs[0], OP_UP);
	assert_int_equal(aim_judge(&aim), VERDICT_OPEN);
	assert_true(aim_is_about_others(&aim));
	put_plain(world, 3, STATE_FATAL, WANTED_UP);
	assert_described(
	    world, &aim, "WAITING: requires b, which requires c, which requires d, which is FATAL");
	assert_false(aim_has_changed(&aim, VERDICT_FAILED));
}

static void test_up_when_it_only_wants_what_cannot_come_then_open(void **state)
{
	struct world *world = *state;

	link_to(world, 0, 1, DEPEND_WANTS);
	link_to(world, 1, 2, DEPEND_REQUIRES);
	put_plain(world, 0, STATE_WAITING, WANTED_UP);
	put_plain(world, 1, STATE_WAITING, WANTED_UP);
	put_plain(world, 2, STATE_FATAL, WANTED_UP);
	assert_int_equal(judge(world, OP_UP), VERDICT_OPEN);
	/* Found out by now: nothing is in its way. */
	world->programs[1].outlook = engine_outlook(&world->programs[1]);
	assert_int_equal(world->programs[1].outlook, DEPEND_IN_VAIN);
	assert_null(engine_start_blocker(NULL, &world->programs[0]));
	assert_ptr_equal(engine_missed_link(&world->programs[0])->other, &world->programs[1]);
}

static void test_start_when_it_takes_long_then_what_it_does_and_for_how_long(void **state)
{
	struct world *world = *state;
	struct aim aim;
	char reason[REASON_TEXT];

	aim_init(&aim, &world->programs[0], OP_UP);
	put_plain(world, 0, STATE_STARTING, WANTED_UP);
	world->life.key_ready.kind = CHECK_NOTIFY;
	assert_true(aim_describe_start(&aim, reason, sizeof(reason)));
	assert_string_equal(reason, "not ready yet");
	put_plain(world, 0, STATE_PREPARING, WANTED_UP);
	assert_true(aim_describe_start(&aim, reason, sizeof(reason)));
	assert_string_equal(reason, "pre_start is running");
	put_plain(world, 0, STATE_RUNNING, WANTED_UP);
	assert_false(aim_describe_start(&aim, reason, sizeof(reason)));
	aim_init(&aim, &world->programs[0], OP_DOWN);
	put_plain(world, 0, STATE_STARTING, WANTED_DOWN);
	assert_false(aim_describe_start(&aim, reason, sizeof(reason)));
}

static void test_up_when_waiting_for_a_conflict_then_open(void **state)
{
	struct world *world = *state;
	struct program_links *conflicts = &world->programs[0].conflicts;

	conflicts->list = world->links[0];
	conflicts->list[conflicts->count++] =
	    (struct program_link){.other = &world->programs[1], .kind = DEPEND_AFTER};
	put_plain(world, 0, STATE_WAITING, WANTED_UP);
	put_plain(world, 1, STATE_STOPPING, WANTED_DOWN);
	assert_int_equal(judge(world, OP_UP), VERDICT_OPEN);
}

static void test_down_when_in_each_state_then_at_rest_counts(void **state)
{
	for (int i = 0; i < STATE_COUNT; i++) {
		bool rest = step_is_at_rest((enum state)i);

		put_plain(*state, 0, (enum state)i, WANTED_DOWN);
		assert_int_equal(judge(*state, OP_DOWN), rest ? VERDICT_OK : VERDICT_OPEN);
		put_plain(*state, 0, (enum state)i, WANTED_UP);
		assert_int_equal(judge(*state, OP_DOWN), rest ? VERDICT_OK : VERDICT_FAILED);
	}
}

/* Whatever it is at, and whether or not anything has come of the first command by then. */
static void test_up_when_somebody_stops_it_then_that_is_told_at_once(void **state)
{
	static const enum op_goal goals[] = {OP_UP, OP_RESTARTED, OP_ROLLED};
	struct world *world = *state;

	for (size_t goal = 0; goal < sizeof(goals) / sizeof(goals[0]); goal++)
		for (int i = 0; i < STATE_COUNT; i++) {
			put_plain(world, 0, (enum state)i, WANTED_DOWN);
			assert_int_equal(judge(world, goals[goal]), VERDICT_FAILED);
		}
}

/* Its stop has to wait, and before that is over it is not wanted any more. */
static void test_restarted_when_taken_back_then_told_by_whom(void **state)
{
	struct world *world = *state;
	struct ledger_state now = {
	    .state = STATE_RUNNING, .wanted = WANTED_UP, .starts = 1, .flags = LEDGER_FLAG_BOUNCE};
	struct aim restart, stop;

	put(world, 0, &now);
	aim_init(&restart, &world->programs[0], OP_RESTARTED);
	assert_int_equal(aim_judge(&restart), VERDICT_OPEN);
	now = (struct ledger_state){.state = STATE_RUNNING,
	    .wanted = WANTED_DOWN,
	    .starts = 1,
	    .reason = REASON_STOPPED,
	    .detail = 1000};
	put(world, 0, &now);
	aim_init(&stop, &world->programs[0], OP_DOWN);
	assert_described(world, &restart, "superseded: stopped by uid 1000");
	assert_int_equal(aim_judge(&stop), VERDICT_OPEN);
	now.wanted = WANTED_UP;
	now.reason = REASON_STARTED;
	put(world, 0, &now);
	assert_described(world, &stop, "superseded: started by uid 1000");
}

static void test_rolled_when_it_becomes_an_extra_one_then_told(void **state)
{
	struct world *world = *state;
	struct ledger_state now = {
	    .state = STATE_RUNNING, .wanted = WANTED_UP, .starts = 1, .flags = LEDGER_FLAG_TURN};
	struct aim aim;

	put(world, 0, &now);
	aim_init(&aim, &world->programs[0], OP_ROLLED);
	assert_int_equal(aim_judge(&aim), VERDICT_OPEN);
	world->config.surge = true;
	assert_described(world, &aim, "superseded: it is not one of its instances any more");
}

static void test_down_when_done_then_told_why(void **state)
{
	struct world *world = *state;
	struct ledger_state stopped = {.state = STATE_STOPPED, .reason = REASON_STOPPED};
	struct aim aim;

	put_plain(world, 0, STATE_RUNNING, WANTED_UP);
	aim_init(&aim, &world->programs[0], OP_DOWN);
	put(world, 0, &stopped);
	assert_described(world, &aim, "stopped");
	stopped.reason = REASON_FORCED;
	put(world, 0, &stopped);
	assert_described(world, &aim, "stopped with what it requires");
	aim_init(&aim, &world->programs[0], OP_DOWN);
	assert_described(world, &aim, "was not running");
}

static void test_restarted_when_the_old_run_is_there_then_open(void **state)
{
	struct world *world = *state;
	struct ledger_state now = {.state = STATE_RUNNING, .wanted = WANTED_UP, .starts = 1};
	struct aim aim;

	put(world, 0, &now);
	aim_init(&aim, &world->programs[0], OP_RESTARTED);
	assert_int_equal(aim_judge(&aim), VERDICT_OPEN);
	now.state = STATE_BACKOFF;
	put(world, 0, &now);
	assert_int_equal(aim_judge(&aim), VERDICT_OPEN);
	now.state = STATE_RUNNING;
	now.starts = 2;
	put(world, 0, &now);
	atomic_store(&world->engine.ledger->pids[0], 77);
	assert_described(world, &aim, "restarted (pid 77)");
	now.wanted = WANTED_DOWN;
	now.state = STATE_STOPPED;
	now.starts = 1;
	put(world, 0, &now);
	assert_int_equal(aim_judge(&aim), VERDICT_FAILED);
}

static void test_restarted_when_the_old_run_has_ended_by_itself_then_by_that(void **state)
{
	struct world *world = *state;
	struct ledger_state now = {.state = STATE_RUNNING, .wanted = WANTED_UP, .starts = 1};
	struct aim aim;

	put(world, 0, &now);
	aim_init(&aim, &world->programs[0], OP_RESTARTED);
	now.state = STATE_FATAL;
	put(world, 0, &now);
	assert_int_equal(aim_judge(&aim), VERDICT_FAILED);
	now.state = STATE_EXITED;
	now.flags = LEDGER_FLAG_FAILED;
	now.run_acted = 1;
	put(world, 0, &now);
	assert_int_equal(aim_judge(&aim), VERDICT_FAILED);
}

static void test_reloaded_when_signalled_then_done_at_once(void **state)
{
	struct world *world = *state;
	struct aim aim;

	put_plain(world, 0, STATE_RUNNING, WANTED_UP);
	aim_init(&aim, &world->programs[0], OP_RELOADED);
	assert_described(world, &aim, "told to reload");
	assert_true(aim_has_changed(&aim, VERDICT_OK));
	put_plain(world, 0, STATE_BACKOFF, WANTED_UP);
	assert_int_equal(aim_judge(&aim), VERDICT_FAILED);
	assert_true(aim_has_changed(&aim, VERDICT_FAILED));
	put(world, 0,
	    &(struct ledger_state){.state = STATE_RUNNING, .wanted = WANTED_UP, .starts = 2});
	assert_described(world, &aim, "ended while it was to reload");
}

static void test_reloaded_when_it_says_so_then_until_it_is_ready(void **state)
{
	struct world *world = *state;
	struct ledger_state now = {.state = STATE_RUNNING, .wanted = WANTED_UP, .starts = 1};
	struct aim aim;

	world->life.key_ready.kind = CHECK_NOTIFY;
	put(world, 0, &now);
	aim_init(&aim, &world->programs[0], OP_RELOADED);
	assert_int_equal(aim_judge(&aim), VERDICT_OPEN); /* it may say so yet */
	assert_true(aim.patience_ns > clock_boot_ns());
	assert_true(aim_is_about_others(&aim));
	now.flags = LEDGER_FLAG_RELOADING;
	put(world, 0, &now);
	aim.patience_ns = 1;
	assert_int_equal(aim_judge(&aim), VERDICT_OPEN);
	assert_true(aim.patience_ns == 0);
	now.flags = 0;
	put(world, 0, &now);
	assert_described(world, &aim, "reloaded");
}

static void test_reloaded_when_it_says_nothing_then_patience_ends(void **state)
{
	struct world *world = *state;
	struct aim aim;

	world->life.key_ready.kind = CHECK_NOTIFY;
	put_plain(world, 0, STATE_RUNNING, WANTED_UP);
	aim_init(&aim, &world->programs[0], OP_RELOADED);
	assert_int_equal(aim_judge(&aim), VERDICT_OPEN);
	aim.patience_ns = 1;
	assert_described(world, &aim, "told to reload");
}

static void test_reloaded_when_by_command_then_by_its_end(void **state)
{
	struct world *world = *state;
	struct task_end end = {.kind = TASK_RELOAD, .ok = true, .launched = true};
	struct aim aim;

	put_plain(world, 0, STATE_RUNNING, WANTED_UP);
	aim_init(&aim, &world->programs[0], OP_RELOADED);
	world->programs[0].reload_end = &end;
	assert_described(world, &aim, "reloaded");
	end = (struct task_end){.kind = TASK_RELOAD, .launched = true, .wstatus = 3 << 8};
	assert_described(world, &aim, "reload_command exited with status 3");
	end.timed_out = true;
	assert_described(world, &aim, "reload_command took too long");
	end = (struct task_end){.kind = TASK_RELOAD, .error = 2};
	assert_described(world, &aim, "reload_command: No such file or directory");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_world, free_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_up_when_in_each_state_then_as_it_must_come),
	    TEST(test_up_when_running_and_about_to_end_then_open),
	    TEST(test_up_when_exited_then_by_how_it_ended),
	    TEST(test_up_when_waiting_then_as_long_as_it_may_come),
	    TEST(test_up_when_waiting_in_a_chain_then_its_end_decides),
	    TEST(test_start_when_it_takes_long_then_what_it_does_and_for_how_long),
	    TEST(test_up_when_it_only_wants_what_cannot_come_then_open),
	    TEST(test_up_when_waiting_for_a_conflict_then_open),
	    TEST(test_down_when_in_each_state_then_at_rest_counts),
	    TEST(test_down_when_done_then_told_why),
	    TEST(test_up_when_somebody_stops_it_then_that_is_told_at_once),
	    TEST(test_restarted_when_taken_back_then_told_by_whom),
	    TEST(test_rolled_when_it_becomes_an_extra_one_then_told),
	    TEST(test_restarted_when_the_old_run_is_there_then_open),
	    TEST(test_restarted_when_the_old_run_has_ended_by_itself_then_by_that),
	    TEST(test_reloaded_when_signalled_then_done_at_once),
	    TEST(test_reloaded_when_it_says_so_then_until_it_is_ready),
	    TEST(test_reloaded_when_it_says_nothing_then_patience_ends),
	    TEST(test_reloaded_when_by_command_then_by_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
