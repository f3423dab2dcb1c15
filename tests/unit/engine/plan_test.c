/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/plan.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisord/engine/depend.h"
#include "supervisord/engine/plan.h"
#include "supervisord/engine/reason.h"
#include "supervisord/engine/step.h"

#define PROGRAMS 6
#define WORLDS   20000

static const char *const names[PROGRAMS] = {"cache", "db", "mail", "queue", "web", "worker"};

/* One program in the two configurations and in the ledger, with room for what the input points to.
 */
struct subject {
	struct program_config old_config;
	struct program_config new_config;
	struct life_config old_life;
	struct life_config new_life;
	struct ledger_state state;
	char *old_links[3][PROGRAMS + 1]; /* requires, wants, conflicts */
	char *new_links[3][PROGRAMS + 1];
	char *command[2];
	bool has_old;
	bool has_new;
	bool has_row;
	bool retired;
	bool start;
};

struct world {
	struct subject subjects[PROGRAMS];
	struct plan_input inputs[PROGRAMS];
	struct plan plan;
};

static void init_config(struct program_config *config, struct life_config *life, size_t index,
    char *links[3][PROGRAMS + 1])
{
	*life = (struct life_config){
	    .key_requires = links[0], .key_wants = links[1], .key_conflicts = links[2]};
	*config = (struct program_config){.name = (char *)(uintptr_t)names[index],
	    .life = life,
	    .hash = 1,
	    .key_autostart = true};
}

/* All of them with the same stanza before and after, RUNNING. */
static void init_world(struct world *world)
{
	memset(world, 0, sizeof(*world));
	for (size_t i = 0; i < PROGRAMS; i++) {
		struct subject *subject = &world->subjects[i];

		init_config(&subject->old_config, &subject->old_life, i, subject->old_links);
		init_config(&subject->new_config, &subject->new_life, i, subject->new_links);
		subject->has_old = subject->has_new = subject->has_row = subject->start = true;
		subject->state = (struct ledger_state){.state = STATE_RUNNING,
		    .wanted = WANTED_UP,
		    .reason = REASON_AUTOSTART,
		    .starts = 1,
		    .config_hash = 1};
	}
}

static struct subject *subject_of(struct world *world, const char *name)
{
	size_t i = 0;

	while (i < PROGRAMS - 1 && strcmp(names[i], name) != 0)
		i++;
	assert_string_equal(names[i], name);
	return &world->subjects[i];
}

enum which { REQUIRES, WANTS, CONFLICTS };

/* In both stanzas. */
static void link_to(struct world *world, const char *last, enum which which, const char *first)
{
	struct subject *subject = subject_of(world, last);

	for (size_t i = 0; i < PROGRAMS; i++) {
		if (subject->new_links[which][i] != NULL)
			continue;
		subject->old_links[which][i] = subject->new_links[which][i] =
		    (char *)(uintptr_t)first;
		return;
	}
}

static void change_command(struct world *world, const char *name)
{
	struct subject *subject = subject_of(world, name);

	subject->command[0] = (char *)(uintptr_t) "/bin/other";
	subject->new_config.key_command = subject->command;
	subject->new_config.hash = 2;
}

static void set_state(struct world *world, const char *name, enum state state, enum wanted wanted)
{
	struct subject *subject = subject_of(world, name);

	subject->state.state = (uint8_t)state;
	subject->state.wanted = (uint8_t)wanted;
}

static void unused(struct world *world, const char *name)
{
	struct subject *subject = subject_of(world, name);

	subject->state = (struct ledger_state){.state = STATE_STOPPED};
}

static void make_plan(struct world *world)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		const struct subject *subject = &world->subjects[i];

		world->inputs[i] = (struct plan_input){.name = names[i],
		    .old_config = subject->has_old ? &subject->old_config : NULL,
		    .new_config = subject->has_new ? &subject->new_config : NULL,
		    .state = subject->has_row ? &subject->state : NULL,
		    .retired = subject->retired,
		    .start = subject->start};
	}
	plan_done(&world->plan);
	assert_int_equal(plan_make(world->inputs, PROGRAMS, &world->plan), 0);
}

/* "restart web: command changed" a line; those that follow are marked. */
static void assert_plan(struct world *world, const char *expected)
{
	char text[2048] = "", reason[256];

	make_plan(world);
	for (size_t i = 0; i < world->plan.count; i++) {
		const struct plan_step *step = &world->plan.steps[i];
		size_t length = strlen(text);

		(void)snprintf(text + length, sizeof(text) - length, "%s%s %s: %s\n",
		    step->follows ? "> " : "", plan_action_name(step->action),
		    world->inputs[step->program].name,
		    plan_step_reason(&world->plan, step, reason, sizeof(reason)));
	}
	plan_done(&world->plan);
	assert_string_equal(text, expected);
}

static void test_plan_of_the_same_is_empty(void **state)
{
	struct world world;

	(void)state;
	init_world(&world);
	link_to(&world, "web", REQUIRES, "db");
	assert_plan(&world, "");
	set_state(&world, "db", STATE_STOPPED, WANTED_DOWN);
	set_state(&world, "web", STATE_WAITING, WANTED_UP);
	set_state(&world, "mail", STATE_EXITED, WANTED_UP);
	assert_plan(&world, "");
}

static void test_plan_restarts_what_changed_and_who_requires_it(void **state)
{
	struct world world;

	(void)state;
	init_world(&world);
	link_to(&world, "worker", REQUIRES, "web");
	link_to(&world, "mail", REQUIRES, "worker:started");
	link_to(&world, "queue", WANTS, "web");
	link_to(&world, "cache", REQUIRES, "web:completed");
	change_command(&world, "web");
	subject_of(&world, "db")->new_config.key_log_max_size = 5;
	subject_of(&world, "worker")->new_config.key_log_keep = 5;
	assert_plan(&world, "live db: log_max_size changed\n"
			    "restart web: command changed\n"
			    "> restart worker: requires web, log_keep changed\n"
			    "> restart mail: requires worker\n");
	subject_of(&world, "web")->new_life.key_smooth = true;
	subject_of(&world, "worker")->new_config.key_log_keep = 0;
	assert_plan(&world, "live db: log_max_size changed\n"
			    "restart web: command changed, smooth changed\n");
}

static void test_plan_removes_dependants_first(void **state)
{
	struct world world;

	(void)state;
	init_world(&world);
	link_to(&world, "cache", REQUIRES, "web");
	subject_of(&world, "cache")->has_new = subject_of(&world, "web")->has_new = false;
	set_state(&world, "mail", STATE_EXITED, WANTED_UP);
	subject_of(&world, "mail")->has_new = false;
	assert_plan(&world, "remove mail: its stanza is gone\n"
			    "stop cache: its stanza is gone\n"
			    "remove cache: its stanza is gone\n"
			    "stop web: its stanza is gone\n"
			    "remove web: its stanza is gone\n");
}

static void test_plan_starts_new_ones_and_what_they_need(void **state)
{
	struct world world;

	(void)state;
	init_world(&world);
	link_to(&world, "cache", REQUIRES, "worker");
	link_to(&world, "cache", WANTS, "mail");
	link_to(&world, "cache", WANTS, "queue");
	link_to(&world, "worker", REQUIRES, "web");
	subject_of(&world, "cache")->has_row = false;
	subject_of(&world, "web")->has_row = subject_of(&world, "web")->start = false;
	subject_of(&world, "db")->has_row = subject_of(&world, "db")->start = false;
	unused(&world, "worker");
	set_state(&world, "mail", STATE_STOPPED, WANTED_DOWN); /* by somebody: it stays so */
	assert_plan(&world, "add db: new stanza\n"
			    "> start web: needed by worker\n"
			    "> start worker: needed by cache\n"
			    "start cache: new stanza\n");
}

static void test_plan_starts_what_is_required_by_what_is_up(void **state)
{
	struct world world;

	(void)state;
	init_world(&world);
	link_to(&world, "cache", REQUIRES, "db");
	link_to(&world, "db", REQUIRES, "mail");
	set_state(&world, "db", STATE_STOPPED, WANTED_DOWN); /* by somebody */
	set_state(&world, "mail", STATE_EXITED, WANTED_DOWN);
	assert_plan(&world, "> start mail: needed by db\n"
			    "start db: needed by cache\n"
			    "> restart cache: requires db\n");
	/* As good as there while it comes up: who requires it stays. */
	subject_of(&world, "db")->old_life.key_smooth = true;
	subject_of(&world, "db")->new_life.key_smooth = true;
	assert_plan(&world, "> start mail: needed by db\n"
			    "start db: needed by cache\n");
	subject_of(&world, "db")->old_life.key_smooth = false;
	subject_of(&world, "db")->new_life.key_smooth = false;
	/* A new one comes up by itself. */
	subject_of(&world, "db")->has_row = false;
	unused(&world, "mail");
	assert_plan(&world, "> start mail: needed by db\n"
			    "start db: new stanza\n"
			    "> restart cache: requires db\n");
	/* It waits for one that was stopped since: that stays so. */
	init_world(&world);
	link_to(&world, "cache", REQUIRES, "db");
	set_state(&world, "db", STATE_STOPPED, WANTED_DOWN);
	set_state(&world, "cache", STATE_WAITING, WANTED_UP);
	assert_plan(&world, "");
	set_state(&world, "cache", STATE_RUNNING, WANTED_DOWN);
	assert_plan(&world, "");
	/* So does what made way for another one, and what tries already. */
	set_state(&world, "cache", STATE_RUNNING, WANTED_UP);
	subject_of(&world, "db")->state.reason = REASON_CONFLICT;
	assert_plan(&world, "");
	set_state(&world, "db", STATE_FATAL, WANTED_UP);
	assert_plan(&world, "");
}

static void test_plan_tries_again_what_changed(void **state)
{
	struct world world;

	(void)state;
	init_world(&world);
	change_command(&world, "db");
	change_command(&world, "mail");
	change_command(&world, "queue");
	change_command(&world, "web");
	link_to(&world, "db", REQUIRES, "worker");
	link_to(&world, "cache", CONFLICTS, "db");
	set_state(&world, "db", STATE_FATAL, WANTED_UP);
	set_state(&world, "mail", STATE_BACKOFF, WANTED_UP);
	set_state(&world, "queue", STATE_WAITING, WANTED_UP);
	set_state(&world, "web", STATE_STOPPED, WANTED_DOWN);
	set_state(&world, "worker", STATE_STOPPED, WANTED_DOWN);
	assert_plan(&world, "> stop cache: conflicts with db\n"
			    "live queue: command changed\n"
			    "live web: command changed\n"
			    "> start worker: needed by db\n"
			    "start db: command changed\n"
			    "start mail: command changed\n");
}

static void test_plan_of_one_that_is_back_starts_it(void **state)
{
	struct world world;
	struct subject *web;

	(void)state;
	init_world(&world);
	web = subject_of(&world, "web");
	web->has_old = false;
	web->retired = true;
	web->state.reason = REASON_REMOVED;
	set_state(&world, "web", STATE_STOPPING, WANTED_DOWN);
	assert_plan(&world, "start web: its stanza is back\n");
	web->start = false;
	assert_plan(&world, "add web: its stanza is back\n");
	/* An engine later: the ledger alone tells. */
	web->retired = false;
	web->start = true;
	set_state(&world, "web", STATE_STOPPED, WANTED_DOWN);
	assert_plan(&world, "start web: its stanza is back\n");
	/* Still gone: its removal is under way. */
	web->retired = true;
	web->has_new = false;
	set_state(&world, "web", STATE_STOPPING, WANTED_DOWN);
	assert_plan(&world, "");
}

static void test_plan_counts_a_pipe_to_stdin_as_a_change(void **state)
{
	struct world world;

	(void)state;
	init_world(&world);
	subject_of(&world, "web")->new_config.key_stdout =
	    (struct stdio){.kind = STDIO_PROGRAM, .target = (char *)(uintptr_t) "worker"};
	subject_of(&world, "web")->new_config.hash = 3;
	assert_plan(&world, "restart web: stdout changed\n"
			    "restart worker: its run is not what the configuration says\n");
}

/* Its stanza is for the next connection; that of a run without one is as ever. */
static void test_plan_leaves_connections_alone(void **state)
{
	struct world world;
	struct subject *web;

	(void)state;
	init_world(&world);
	web = subject_of(&world, "web");
	change_command(&world, "web");
	web->old_life.key_accept = web->new_life.key_accept = true;
	web->new_config.hash = plan_mark_hash(2, true);
	web->state.config_hash = plan_mark_hash(0, true);
	make_plan(&world);
	assert_plan(&world, "live web: command changed\n");
	/* It is one since this change. */
	web->old_life.key_accept = false;
	web->state.config_hash = plan_mark_hash(0, false);
	make_plan(&world);
	assert_plan(&world, "restart web: command changed, accept changed\n");
	/* It is none any more. */
	web->old_life.key_accept = true;
	web->new_life.key_accept = false;
	web->state.config_hash = plan_mark_hash(0, true);
	web->new_config.hash = plan_mark_hash(2, false);
	make_plan(&world);
	assert_plan(&world, "restart web: command changed, accept changed\n");
}

static void test_reason_that_does_not_fit_is_marked(void **state)
{
	struct world world;
	char reason[12];

	(void)state;
	init_world(&world);
	change_command(&world, "web");
	make_plan(&world);
	assert_string_equal(
	    plan_step_reason(&world.plan, &world.plan.steps[0], reason, sizeof(reason)),
	    "command ...");
	plan_done(&world.plan);
}

static void test_what_is_of_the_daemon_is_told_by_name(void **state)
{
	char *one[] = {(char *)(uintptr_t) "web", NULL};
	char *two[] = {(char *)(uintptr_t) "db", (char *)(uintptr_t) "web", NULL};
	char web[] = "web", web1[] = "web@1", web2[] = "web@2", db[] = "db";
	char *few[] = {web, db, NULL}, *many[] = {web1, web2, db, NULL},
	     *none[] = {web1, web2, NULL};
	struct group_config old_group = {.name = (char *)(uintptr_t) "site", .members = one};
	struct group_config new_group = old_group;
	struct config old = {.settings = {.key_log_level = 2,
				 .key_log_dir = (char *)(uintptr_t) "/a",
				 .key_syslog_socket = (char *)(uintptr_t) "/dev/log"},
	    .group_count = 1,
	    .groups = &old_group};
	struct config new = old;
	char reason[64];

	(void)state;
	new.groups = &new_group;
	assert_string_equal(plan_settings_reason(&old, &new, reason, sizeof(reason)), "");
	new.settings.key_log_level = 3;
	new.settings.key_log_dir = (char *)(uintptr_t) "/b";
	assert_string_equal(plan_settings_reason(&old, &new, reason, sizeof(reason)),
	    "log_level changed, log_dir changed");
	new.settings = old.settings;
	new_group.members = two;
	assert_string_equal(
	    plan_settings_reason(&old, &new, reason, sizeof(reason)), "groups changed");
	/* Another number of instances is another matter. */
	old_group.members = few;
	new_group.members = many;
	assert_string_equal(plan_settings_reason(&old, &new, reason, sizeof(reason)), "");
	new_group.members = none;
	assert_string_equal(
	    plan_settings_reason(&old, &new, reason, sizeof(reason)), "groups changed");
	new.group_count = 0;
	assert_string_equal(
	    plan_settings_reason(&old, &new, reason, sizeof(reason)), "groups changed");
}

/* A world at random; links go from higher to lower numbers, so there is no circle. */
static void roll_stanza(struct program_config *config, char *links[3][PROGRAMS + 1], size_t index)
{
	config->hash = (uint64_t)(rand() % 2 + 1);
	config->key_log_keep = (uint32_t)(rand() % 2);
	for (size_t kind = 0; kind < 3; kind++) {
		size_t count = 0;

		for (size_t first = 0; first < index; first++)
			if (rand() % 5 == 0)
				links[kind][count++] = (char *)(uintptr_t)names[first];
		links[kind][count] = NULL;
	}
}

static void roll_world(struct world *world)
{
	static const enum state states[] = {STATE_STOPPED, STATE_WAITING, STATE_STARTING,
	    STATE_RUNNING, STATE_RUNNING, STATE_BACKOFF, STATE_STOPPING, STATE_EXITED, STATE_FATAL};

	init_world(world);
	for (size_t i = 0; i < PROGRAMS; i++) {
		struct subject *subject = &world->subjects[i];
		enum state state = states[(size_t)rand() % (sizeof(states) / sizeof(states[0]))];
		bool up = state != STATE_STOPPED && state != STATE_STOPPING;

		roll_stanza(&subject->old_config, subject->old_links, i);
		roll_stanza(&subject->new_config, subject->new_links, i);
		subject->has_row = subject->has_old = rand() % 4 != 0;
		subject->has_new = rand() % 4 != 0;
		subject->start = rand() % 2;
		subject->state.config_hash = subject->old_config.hash;
		set_state(world, names[i], state, up ? WANTED_UP : WANTED_DOWN);
		subject->state.reason = up ? REASON_AUTOSTART : REASON_STOPPED;
		if (state == STATE_STOPPED && rand() % 2)
			unused(world, names[i]);
		else if (!up && rand() % 4 == 0) {
			subject->state.reason = REASON_REMOVED;
			subject->retired = true;
			subject->has_old = false;
		}
	}
}

/* From here on the new configuration is the one in force. */
static void commit(struct world *world)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		struct subject *subject = &world->subjects[i];

		subject->retired = !subject->has_new && subject->has_row;
		subject->has_old = subject->has_new;
		subject->old_config = subject->new_config;
	}
}

static void run_it(struct subject *subject, uint64_t hash)
{
	subject->state = (struct ledger_state){.state = STATE_RUNNING,
	    .wanted = WANTED_UP,
	    .reason = REASON_ADDED,
	    .starts = subject->has_row ? subject->state.starts + 1 : 1,
	    .config_hash = hash};
	subject->has_row = true;
}

static const struct subject *find_subject(const struct world *world, const char *name)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		if (strcmp(names[i], name) == 0)
			return &world->subjects[i];
	return NULL;
}

/* Up with all that it requires, else it waits, or is on its way there. */
static void run_or_wait(
    const struct world *world, struct subject *subject, enum plan_action action)
{
	run_it(subject, subject->new_config.hash);
	for (size_t i = 0; subject->new_links[REQUIRES][i] != NULL; i++) {
		const struct subject *first = find_subject(world, subject->new_links[REQUIRES][i]);

		if (first != NULL && first->has_row &&
		    depend_is_lost(DEPEND_REQUIRES, DEPEND_DEFAULT, &first->new_config,
			&first->state)) {
			subject->state.state =
			    action == PLAN_RESTART ? STATE_STOPPING : STATE_WAITING;
			return;
		}
	}
}

/* What the engine makes of a step, in the end. */
static void do_step(struct world *world, const struct plan_step *step)
{
	struct subject *subject = &world->subjects[step->program];

	switch (step->action) {
	case PLAN_STOP:
		/* Who lost what it requires is to wait; here it is on its way there. */
		subject->state.state =
		    step->cause == PLAN_REQUIRES ? STATE_STOPPING : STATE_STOPPED;
		subject->state.wanted = step->cause == PLAN_REQUIRES ? WANTED_UP : WANTED_DOWN;
		subject->state.reason = step->cause == PLAN_GONE ? REASON_REMOVED : REASON_CONFLICT;
		break;
	case PLAN_FREE:
		subject->has_row = false;
		break;
	case PLAN_ADD:
		if (!subject->has_row)
			subject->state = (struct ledger_state){.state = STATE_STOPPED};
		subject->has_row = true;
		break;
	case PLAN_RESTART:
	case PLAN_START:
		run_or_wait(world, subject, step->action);
		break;
	case PLAN_LIVE:
	case PLAN_NONE:
		break;
	}
}

/* Each step once a program (a removal: two), and in the order of the actions. */
static void assert_well_formed(const struct plan *plan)
{
	size_t seen[PROGRAMS] = {0};
	int phase = 0;

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *step = &plan->steps[i];
		int now = step->action <= PLAN_FREE ? 0 : step->action <= PLAN_ADD ? 1 : 2;

		assert_true(now >= phase);
		phase = now;
		assert_true(seen[step->program] == 0 ||
			    (step->action == PLAN_FREE && seen[step->program] == 1 &&
				plan->steps[i - 1].action == PLAN_STOP &&
				plan->steps[i - 1].program == step->program));
		seen[step->program]++;
	}
}

/* Nothing comes up before what it requires, where both do. */
static void assert_ordered(const struct world *world, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = i + 1; k < plan->count; k++) {
			const struct subject *early = &world->subjects[plan->steps[i].program];
			const char *late = names[plan->steps[k].program];

			if (plan->steps[i].action < PLAN_RESTART ||
			    plan->steps[k].action < PLAN_RESTART)
				continue;
			for (size_t n = 0; early->new_links[REQUIRES][n] != NULL; n++)
				assert_string_not_equal(early->new_links[REQUIRES][n], late);
		}
}

static void test_plan_after_an_apply_is_empty(void **state)
{
	static struct world world;

	(void)state;
	srand(1);
	for (int turn = 0; turn < WORLDS; turn++) {
		struct plan plan;

		roll_world(&world);
		make_plan(&world);
		plan = world.plan;
		world.plan = (struct plan){0};
		assert_well_formed(&plan);
		assert_ordered(&world, &plan);
		commit(&world);
		for (size_t i = 0; i < plan.count; i++)
			do_step(&world, &plan.steps[i]);
		plan_done(&plan);
		make_plan(&world);
		assert_int_equal(world.plan.count, 0);
		plan_done(&world.plan);
	}
}

/* Or a conflict outweighs it: two that start may want opposite things of a third. */
static bool has_step(const struct plan *plan, const struct plan_step *wanted)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].program == wanted->program &&
		    (plan->steps[i].action == wanted->action || plan->steps[i].follows))
			return true;
	return false;
}

static bool is_under_way(const struct subject *subject)
{
	return subject->state.wanted == WANTED_DOWN &&
	       (subject->state.state == STATE_STOPPING || subject->state.reason == REASON_REMOVED);
}

/* The engine is killed after some of the steps; the next one knows the new configuration and the
 * ledger. */
static void test_plan_of_the_next_engine_is_the_rest(void **state)
{
	static struct world world;

	(void)state;
	srand(2);
	for (int turn = 0; turn < WORLDS; turn++) {
		struct plan plan, rest;
		size_t done;

		roll_world(&world);
		make_plan(&world);
		plan = world.plan;
		world.plan = (struct plan){0};
		commit(&world);
		done = plan.count > 0 ? (size_t)rand() % (plan.count + 1) : 0;
		for (size_t i = 0; i < done; i++)
			do_step(&world, &plan.steps[i]);
		make_plan(&world);
		rest = world.plan;
		world.plan = (struct plan){0};
		for (size_t i = done; i < plan.count; i++) {
			const struct plan_step *step = &plan.steps[i];

			/* New values are in force with the commit; an end that had begun goes on.
			 */
			if (!step->follows && step->action != PLAN_LIVE &&
			    !is_under_way(&world.subjects[step->program]) &&
			    !(step->action == PLAN_ADD && step->cause == PLAN_BACK) &&
			    !(step->cause == PLAN_NEEDED &&
				!step_is_up(world.subjects[step->other].state.state)))
				assert_true(has_step(&rest, step));
		}
		for (size_t i = 0; i < rest.count; i++)
			do_step(&world, &rest.steps[i]);
		make_plan(&world);
		assert_int_equal(world.plan.count, 0);
		plan_done(&world.plan);
		plan_done(&rest);
		plan_done(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plan_of_the_same_is_empty),
	    cmocka_unit_test(test_plan_restarts_what_changed_and_who_requires_it),
	    cmocka_unit_test(test_plan_removes_dependants_first),
	    cmocka_unit_test(test_plan_starts_new_ones_and_what_they_need),
	    cmocka_unit_test(test_plan_starts_what_is_required_by_what_is_up),
	    cmocka_unit_test(test_plan_tries_again_what_changed),
	    cmocka_unit_test(test_plan_of_one_that_is_back_starts_it),
	    cmocka_unit_test(test_plan_counts_a_pipe_to_stdin_as_a_change),
	    cmocka_unit_test(test_plan_leaves_connections_alone),
	    cmocka_unit_test(test_reason_that_does_not_fit_is_marked),
	    cmocka_unit_test(test_what_is_of_the_daemon_is_told_by_name),
	    cmocka_unit_test(test_plan_after_an_apply_is_empty),
	    cmocka_unit_test(test_plan_of_the_next_engine_is_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
