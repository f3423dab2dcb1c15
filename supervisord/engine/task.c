/* SPDX-License-Identifier: ISC */
/*
 * task.c: see task.h.
 *
 * A task happens exactly once, whenever the engine dies.  Its row is claimed before its process is
 * made, so a process is never unknown; a row without a process and without news of one was never
 * launched, and goes away.  Its end is told to the owner, who commits what follows from it, and
 * only then the row is freed: an engine that is killed in between is followed by one that finds a
 * task which does not fit its owner's state any more.
 *
 * In the state of its row: `starts` the number of its run (the moment of its start, so no two tasks
 * are mistaken for each other), run_acted the same once its end was seen, wanted down when it is
 * cancelled, LEDGER_FLAG_KILLED when it took too long, and its deadline.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/task.h"
#include "supervisord/engine/transition.h"

/* KILL is repeated until nothing is left: a process may have forked while it was sent. */
#define KILL_AGAIN_NS NS_PER_S

_Static_assert(TASK_COUNT <= 16, "a bit a kind in program->lost_tasks");

static struct task *allocate(struct engine *engine, struct program *owner, enum task_kind kind);
static bool is_allowed(const struct program *owner, enum task_kind kind);
static int claim(struct task *task, int64_t timeout_ns);
static bool is_row_free(const void *context, int row);
static void launch(struct task *task, char *const *words, char *const *environment);
static void fail(struct task *task, int step, int error);
static bool fits(const struct program *owner, const struct task *task);
static void resume(struct task *task);
static bool has_news(const struct task *task);
static void sweep(struct task *task);
static void on_timer(struct timer *timer);
static void on_change(struct run *run);
static void arm(struct task *task, int64_t deadline_ns);
static void note(struct task *task);
static void defer(struct task *task);
static void probe(struct task *task);
static void finish(struct task *task);
static void drop(struct task *task);

void task_start(struct program *owner, enum task_kind kind, char *const *words,
    char *const *environment, int64_t timeout_ns)
{
	struct task *task = task_find(owner, kind);
	int error;

	owner->lost_tasks &= (uint16_t) ~(1U << kind);
	if (task != NULL) {
		if (task->owner_run == program_state(owner)->starts || kind == TASK_ON_FAILURE)
			return;
		task_cancel(task);
	}
	task = allocate(owner->engine, owner, kind);
	if (task == NULL) { /* the end of it needs no memory: nothing waits for it in vain */
		owner->lost_tasks |= (uint16_t)(1U << kind);
		program_defer(owner, PENDING_LOST);
		return;
	}
	task->owner_run = program_state(owner)->starts;
	if (words == NULL || words[0] == NULL) {
		fail(task, LAUNCH_PREPARE, ENOENT);
	} else if (!is_allowed(owner, kind)) {
		fail(task, LAUNCH_PREPARE, ECANCELED);
	} else {
		error = claim(task, timeout_ns);
		if (error < 0)
			fail(task, LAUNCH_PREPARE, -error);
		else
			launch(task, words, environment);
	}
}

void task_tell_lost(struct program *owner)
{
	for (unsigned kind = 0; kind < TASK_COUNT; kind++) {
		const struct task_end end = {
		    .kind = (enum task_kind)kind,
		    .run = program_state(owner)->starts,
		    .step = LAUNCH_PREPARE,
		    .error = ENOMEM,
		};

		if (!(owner->lost_tasks & (1U << kind)))
			continue;
		owner->lost_tasks &= (uint16_t) ~(1U << kind);
		program_note_task(owner, &end);
	}
}

struct task *task_find(const struct program *owner, enum task_kind kind)
{
	struct task *task;

	LIST_FOREACH (task, &owner->tasks, owner_link)
		if (task->kind == kind && !task->cancelled)
			return task;
	return NULL;
}

void task_cancel(struct task *task)
{
	if (task->cancelled)
		return;
	task->cancelled = true;
	note(task);
	sweep(task);
}

bool task_cancel_kinds(struct program *owner, unsigned kinds)
{
	bool any = false;
	struct task *task;

	owner->lost_tasks &= (uint16_t)~kinds;
	LIST_FOREACH (task, &owner->tasks, owner_link) {
		if (!(kinds & (1U << task->kind)))
			continue;
		task_cancel(task);
		any = true;
	}
	return any;
}

void task_kill(struct task *task)
{
	if (task->ended || task->timed_out)
		return;
	task->timed_out = true;
	note(task);
	sweep(task);
}

int task_adopt(struct engine *engine, int row, struct program *owner)
{
	const struct ledger_row *entry = &engine->ledger->table[row];
	const struct ledger_state *state = ledger_get_state(engine->ledger, row);
	unsigned kind = (unsigned)entry->owner.kind;
	struct task *task;

	task = allocate(engine, owner, kind < TASK_COUNT ? (enum task_kind)kind : TASK_HEALTH);
	if (task == NULL)
		return -ENOMEM;
	task->run.row = row;
	task->owner_run = entry->owner.run;
	task->cancelled = state->wanted != WANTED_UP;
	task->timed_out = state->flags & LEDGER_FLAG_KILLED;
	/* The guardian posts the end before it takes the pid out, so in this order none is missed.
	 */
	if (run_pid(&task->run) == 0 && !has_news(task)) {
		run_release(&task->run);
		drop(task);
		ledger_free_row(engine->ledger, row);
		return 0;
	}
	engine->by_row[row] = &task->run;
	resume(task);
	if (owner == NULL || !fits(owner, task))
		task_cancel(task);
	return 0;
}

void task_note_exit(struct task *task)
{
	struct ledger *ledger = task->run.engine->ledger;
	int row = task->run.row;
	const struct ledger_exit *end = &ledger->exits[row];

	if (has_news(task) && !task->ended) {
		ledger->table[row].last_pid = end->pid;
		task->wstatus = end->wstatus;
		task->ended = true;
		task->swept = false;
		note(task);
	}
	/* Also when its end was found before the guardian had told all of it: see probe(). */
	defer(task);
	ledger_clear_exit(ledger, row);
}

void task_abandon_all(struct program *owner)
{
	struct task *task;

	while ((task = LIST_FIRST(&owner->tasks)) != NULL) {
		task_cancel(task);
		LIST_REMOVE(task, owner_link);
		task->owner = NULL;
	}
}

bool task_work(struct engine *engine, unsigned most)
{
	struct task *task;

	while (most-- > 0 && (task = TAILQ_FIRST(&engine->pending_tasks)) != NULL) {
		TAILQ_REMOVE(&engine->pending_tasks, task, pending_link);
		task->pending = false;
		probe(task);
	}
	return !TAILQ_EMPTY(&engine->pending_tasks);
}

void task_forget_all(struct engine *engine)
{
	for (int row = 0; row < LIMIT_ROWS; row++) {
		struct run *run = engine->by_row[row];

		if (run != NULL && run->kind == RUN_TASK) {
			engine->by_row[row] = NULL;
			drop((struct task *)(void *)run);
		}
	}
	/* Those without a row wait for the end of the round. */
	while (!TAILQ_EMPTY(&engine->pending_tasks))
		drop(TAILQ_FIRST(&engine->pending_tasks));
}

static struct task *allocate(struct engine *engine, struct program *owner, enum task_kind kind)
{
	struct task *task = calloc(1, sizeof(*task));

	if (task == NULL)
		return NULL;
	task->run =
	    (struct run){.engine = engine, .kind = RUN_TASK, .row = -1, .on_change = on_change};
	task->owner = owner;
	task->kind = kind;
	task->timer.fire = on_timer;
	if (owner != NULL)
		LIST_INSERT_HEAD(&owner->tasks, task, owner_link);
	engine->task_count++;
	return task;
}

/* Nothing new is begun in safe mode or at a shutdown, but what is there is looked after and stopped
 * as its stanza says, as long as that is possible in order. */
static bool is_allowed(const struct program *owner, enum task_kind kind)
{
	const struct engine *engine = owner->engine;

	if (kind == TASK_PRE_START || kind == TASK_ON_FAILURE)
		return !engine->safe_mode && !atomic_load(&engine->ledger->header.shutdown);
	return !engine->shutdown_forced;
}

static int claim(struct task *task, int64_t timeout_ns)
{
	struct engine *engine = task->run.engine;
	int64_t now_ns = clock_boot_ns();
	struct ledger_owner owner = {
	    .row = task->owner->run.row + 1,
	    .kind = (int32_t)task->kind,
	    .run = task->owner_run,
	};
	struct ledger_state state = {
	    .state = STATE_RUNNING,
	    .wanted = WANTED_UP,
	    .starts = (uint64_t)now_ns,
	    .since_ns = now_ns,
	    .since_wall_ns = clock_wall_ns(),
	    .run_start_ns = now_ns,
	    .deadline_ns = timeout_ns > 0 ? now_ns + timeout_ns : 0,
	};
	char name[LIMIT_NAME];
	int row;

	(void)snprintf(
	    name, sizeof(name), "#%d.%s", task->owner->run.row, task_kind_name(task->kind));
	row = ledger_claim_row(engine->ledger, name, &owner, &state, is_row_free, engine);
	if (row < 0)
		return row;
	task->run.row = row;
	engine->by_row[row] = &task->run;
	return 0;
}

/* What a removed program said last must not end up in the log of one that gets its row. */
static bool is_row_free(const void *context, int row)
{
	const struct engine *engine = context;

	return !slots_is_draining(&engine->slots, row);
}

static void launch(struct task *task, char *const *words, char *const *environment)
{
	struct engine *engine = task->run.engine;
	struct program *owner = task->owner;
	const struct ledger_state *state = ledger_get_state(engine->ledger, task->run.row);
	struct open_streams streams = {.opened_count = 0};
	enum launch_step step = LAUNCH_USER;
	const struct ids *ids;
	int error =
	    idcache_get(&engine->ids, owner->config->key_user, owner->config->key_group, &ids);

	if (error == 0)
		error = streams_open_for_task(owner, &streams, &step);
	if (error == 0) {
		struct launch_request request = {
		    .config = owner->config,
		    .ids = ids,
		    .name = program_name(owner),
		    .words = words,
		    .environment = environment,
		    .run = state->starts,
		    .streams = {streams.fds[0], streams.fds[1], streams.fds[2]},
		    .cgroup = -1,
		};
		const struct ledger_failure *failure =
		    &engine->ledger->table[task->run.row].failure;

		error = run_launch(&task->run, &request);
		step = (enum launch_step)atomic_load(&failure->step);
	}
	streams_close(&streams);
	if (error < 0)
		fail(task, step, -error);
	else if (state->deadline_ns != 0)
		arm(task, state->deadline_ns);
}

/* There is no process; the owner is told at the end of the round, as of any other end. */
static void fail(struct task *task, int step, int error)
{
	task->step = step;
	task->error = error;
	task->ended = true;
	defer(task);
}

/*
 * Whether an adopted task is still what its owner needs: what it says now decides nothing any more
 * if the owner is past that.  Checks are made anew; on_failure's command is of no state.
 */
static bool fits(const struct program *owner, const struct task *task)
{
	const struct ledger_state *state = program_state(owner);

	if (task->kind != TASK_ON_FAILURE && task->owner_run != state->starts)
		return false;
	switch (task->kind) {
	case TASK_PRE_START:
		return state->state == STATE_PREPARING;
	case TASK_POST_START:
		return state->state == STATE_SETTLING;
	case TASK_PRE_STOP:
		return state->state == STATE_ENDING;
	case TASK_STOP_COMMAND:
		return state->state == STATE_STOPPING &&
		       transition_stop_step(owner->config, state).command;
	case TASK_POST_STOP:
		return state->state == STATE_CLEANING;
	case TASK_RELOAD:
		return state->state == STATE_RUNNING;
	case TASK_ON_FAILURE:
		return true;
	case TASK_READY:
	case TASK_HEALTH:
	case TASK_COUNT:
		break;
	}
	return false;
}

/* From what the ledger says: it runs, or it has ended. */
static void resume(struct task *task)
{
	struct ledger *ledger = task->run.engine->ledger;
	int row = task->run.row;
	const struct ledger_state *state = ledger_get_state(ledger, row);
	pid_t pid = run_pid(&task->run);

	if (pid != 0)
		ledger->table[row].last_pid = pid; /* as the kernel noted it */
	else
		task_note_exit(task);
	if (task->cancelled || task->timed_out)
		sweep(task);
	else if (state->deadline_ns != 0 && !task->ended)
		arm(task, state->deadline_ns);
}

/* The guardian has posted the end of its process. */
static bool has_news(const struct task *task)
{
	const struct ledger *ledger = task->run.engine->ledger;
	uint64_t run = atomic_load(&ledger->table[task->run.row].run);

	return run != 0 && ledger->exits[task->run.row].run == run;
}

/* KILL to all of it, now and then until nothing is left. */
static void sweep(struct task *task)
{
	task->swept = true;
	if (task->run.row >= 0 && task->error == 0) {
		run_kill(&task->run, NULL);
		arm(task, clock_boot_ns() + KILL_AGAIN_NS);
	}
	defer(task);
}

static void on_timer(struct timer *timer)
{
	struct task *task = (struct task *)(void *)((char *)timer - offsetof(struct task, timer));

	/* What has ended by now was in time. */
	if (!task->ended && has_news(task))
		task_note_exit(task);
	else if (!task->ended && !task->timed_out && !task->cancelled)
		task_kill(task);
	else
		sweep(task);
}

static void on_change(struct run *run)
{
	defer((struct task *)(void *)run);
}

static void arm(struct task *task, int64_t deadline_ns)
{
	if (timers_arm(&task->run.engine->timers, &task->timer, deadline_ns) < 0)
		log_error("%s: out of memory for a timer", task_kind_name(task->kind));
}

/* What the next engine has to know. */
static void note(struct task *task)
{
	struct ledger *ledger = task->run.engine->ledger;
	struct ledger_state state;

	if (task->run.row < 0)
		return;
	state = *ledger_get_state(ledger, task->run.row);
	state.wanted = task->cancelled ? WANTED_DOWN : WANTED_UP;
	if (task->timed_out)
		state.flags |= LEDGER_FLAG_KILLED;
	if (task->ended)
		state.run_acted = state.starts;
	ledger_commit_state(ledger, task->run.row, &state);
}

static void defer(struct task *task)
{
	if (task->pending)
		return;
	task->pending = true;
	TAILQ_INSERT_TAIL(&task->run.engine->pending_tasks, task, pending_link);
}

/* Has it ended, and is nothing left of it? */
static void probe(struct task *task)
{
	char text[128];

	/* The news of its end bring us here again; also of one whose end was found in the ledger
	 * while the guardian was still writing there. */
	if (!task->ended || (task->run.row >= 0 && run_pid(&task->run) != 0))
		return;
	if (task->run.row < 0 || task->error != 0 || run_is_gone(&task->run, false, NULL)) {
		finish(task);
		return;
	}
	if (task->swept)
		return; /* the timer sends the next KILL, and its last process brings us here */
	if (!task->cancelled && !task->timed_out)
		log_notice("%s: %s has left something behind, which gets KILL: %s",
		    program_name(task->owner), task_kind_name(task->kind),
		    run_left_text(&task->run, text, sizeof(text)));
	sweep(task);
}

/* Nothing is left of it: tell the owner, who commits what follows, and then forget it. */
static void finish(struct task *task)
{
	struct engine *engine = task->run.engine;
	struct program *owner = task->owner;
	int row = task->run.row;
	struct task_end end = {
	    .kind = task->kind,
	    .run = task->owner_run,
	    .timed_out = task->timed_out,
	    .wstatus = task->wstatus,
	    .step = task->step,
	    .error = task->error,
	};
	bool cancelled = task->cancelled;

	if (row >= 0 && task->error == 0) { /* the process itself may have failed to get going */
		const struct ledger_failure *failure = &engine->ledger->table[row].failure;

		end.step = atomic_load(&failure->step);
		end.error = atomic_load(&failure->error);
	}
	end.launched = end.step == LAUNCH_NONE && end.error == 0;
	end.ok = end.launched && !end.timed_out && end.wstatus == 0;
	if (row >= 0) {
		run_release(&task->run);
		engine->by_row[row] = NULL;
	}
	/* It may start another one of the same kind. */
	drop(task);
	if (owner != NULL && cancelled)
		program_defer(owner, PENDING_PROBE);
	else if (owner != NULL)
		program_note_task(owner, &end);
	if (row >= 0)
		ledger_free_row(engine->ledger, row);
}

static void drop(struct task *task)
{
	struct engine *engine = task->run.engine;

	timers_cancel(&engine->timers, &task->timer);
	if (task->pending)
		TAILQ_REMOVE(&engine->pending_tasks, task, pending_link);
	if (task->owner != NULL)
		LIST_REMOVE(task, owner_link);
	run_forget_watch(&task->run);
	engine->task_count--;
	free(task);
}
