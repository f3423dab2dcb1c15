/* SPDX-License-Identifier: ISC */
/*
 * fakeprogram.c: what programs tell: by sd_notify(3) (in place of notify.c) and by answering to
 * probes (in place of probe.c).  health.c and readiness.c, which use both, are the real ones.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/protocol.h"
#include "supervisord/engine/cluster.h"
#include "supervisord/engine/finding.h"
#include "supervisord/engine/health.h"
#include "supervisord/engine/ipc.h"
#include "supervisord/engine/notify.h"
#include "supervisord/engine/probe.h"
#include "supervisord/engine/program.h"
#include "supervisord/engine/tty.h"
#include "tests/sim/checks.h"
#include "tests/sim/fake.h"
#include "tests/sim/kernel.h"
#include "tests/sim/steps.h"
#include "tests/sim/world.h"

#define CHANCE_BAD_PROBE    30
#define CHANCE_UNABLE_PROBE 5

struct notify {
	int slot; /* of the socket, -1 */
};

static struct notify *need_notify(struct program *program);
static bool is_believed(const struct program *program, const struct sim_note *note);
static void deliver(struct program *program, const struct sim_note *note);
static void on_probe_timer(struct timer *timer);
static void answer(struct probe *probe, enum probe_result result);

/* ---- finding.h: nobody looks behind a wait status ---- */

void finding_begin(struct engine *engine)
{
	(void)engine;
}

struct exit_finding finding_of(const struct program *program, int wstatus, bool told)
{
	(void)program;
	(void)wstatus;
	(void)told;
	return (struct exit_finding){.evidence = EXIT_PLAIN};
}

void finding_note_signal(const struct program *program, uid_t uid, int number)
{
	(void)program;
	(void)uid;
	(void)number;
}

/* ---- ipc.h: no stanza of ours has a channel ---- */

int ipc_prepare(struct program *program, char **environment, size_t *count, struct launch_fd *extra,
    size_t *extra_count, int *ret_close)
{
	(void)environment;
	(void)count;
	(void)extra;
	(void)extra_count;
	if (program->config->life->key_ipc)
		abort();
	*ret_close = -1;
	return 0;
}

void ipc_catch_up(struct program *program)
{
	(void)program;
}

void ipc_adopt(struct program *program, uint64_t key, int slot)
{
	(void)key;
	slots_release(&program->engine->slots, slot);
}

void ipc_release(struct program *program)
{
	(void)program;
}

/* ---- cluster.h: nor is one a worker ---- */

int cluster_prepare(
    struct program *program, struct launch_fd *extra, size_t *extra_count, int *ret_close)
{
	(void)extra;
	(void)extra_count;
	if (program->config->life->key_cluster != CLUSTER_NONE)
		abort();
	*ret_close = -1;
	return 0;
}

int cluster_find_preload(const struct program_config *config, char **ret_path)
{
	(void)config;
	*ret_path = NULL;
	return 0;
}

void cluster_note_exit(struct program *worker)
{
	(void)worker;
}

void cluster_note_change(const struct program *worker)
{
	(void)worker;
}

int cluster_disconnect(struct program *worker)
{
	(void)worker;
	return -ENOTCONN;
}

void cluster_adopt(struct program *program, uint64_t key, int slot)
{
	(void)key;
	slots_release(&program->engine->slots, slot);
}

void cluster_shut(const struct program *program)
{
	(void)program;
}

void cluster_release(struct program *program)
{
	(void)program;
}

/* ---- tty.h: nor has one a terminal ---- */

int tty_prepare(struct program *program, const struct ids *ids, struct launch_fd *extra,
    size_t *extra_count, int *ret_close, enum launch_step *ret_step)
{
	(void)ids;
	(void)extra;
	(void)extra_count;
	(void)ret_step;
	if (program->config->life->key_tty)
		abort();
	*ret_close = -1;
	return 0;
}

void tty_tell(const struct program *program, const char *state, const char *reason)
{
	(void)program;
	(void)state;
	(void)reason;
}

void tty_note_stanza(const struct program *program)
{
	(void)program;
}

bool tty_drain(struct program *program, uint64_t run)
{
	(void)program;
	(void)run;
	return false;
}

bool tty_is_relaying(const struct program *program)
{
	(void)program;
	return false;
}

void tty_note_gone(struct engine *engine, const char *name)
{
	(void)engine;
	(void)name;
}

void tty_adopt(struct program *program, uint64_t key, int slot)
{
	(void)key;
	slots_release(&program->engine->slots, slot);
}

void tty_release(struct program *program)
{
	(void)program;
}

/* ---- notify.h ---- */

bool notify_is_wanted(const struct program *program)
{
	return program->config->life->key_ready.kind == CHECK_NOTIFY ||
	       program->config->life->key_watchdog > 0;
}

int notify_prepare(struct program *program)
{
	struct notify *notify = program->notify;
	int kept = 0;

	if (!notify_is_wanted(program)) {
		notify_release(program);
		return 0;
	}
	notify = need_notify(program);
	/* What the run before has said is not of this one. */
	for (int i = 0; i < world->note_count; i++)
		if (world->notes[i].row != program->run.row)
			world->notes[kept++] = world->notes[i];
	world->note_count = kept;
	if (notify->slot >= 0)
		return 0;
	notify->slot = slots_hold(
	    &program->engine->slots, held_key(HELD_NOTIFY, (uint32_t)program->run.row, 0), 0);
	return notify->slot < 0 ? notify->slot : 0;
}

int notify_add(struct program *program, char **environment, size_t *count)
{
	(void)program;
	(void)environment;
	(void)count;
	return 0;
}

void notify_catch_up(struct program *program)
{
	fake_deliver_notes(program);
}

void notify_note_reload(struct program *program)
{
	(void)program;
}

int notify_errno(const struct program *program)
{
	(void)program;
	return 0;
}

void notify_adopt(struct program *program, uint64_t key, int slot)
{
	(void)key;
	need_notify(program)->slot = slot;
}

void notify_forget_store(struct program *program)
{
	(void)program;
}

void notify_release(struct program *program)
{
	if (program->notify == NULL)
		return;
	if (program->notify->slot >= 0)
		slots_release(&program->engine->slots, program->notify->slot);
	free(program->notify);
	program->notify = NULL;
}

static struct notify *need_notify(struct program *program)
{
	if (program->notify != NULL)
		return program->notify;
	program->notify = malloc(sizeof(*program->notify));
	program->notify->slot = -1;
	return program->notify;
}

bool fake_has_notes(void)
{
	return world->note_count > 0;
}

void fake_deliver_notes(struct program *only)
{
	/* One at a time: what it brings about may well bring others, or take some. */
	for (int i = 0; i < world->note_count && !world->failed;) {
		struct sim_note note = world->notes[i];
		struct run *run = world->engine.engine->by_row[note.row];
		struct program *program = (struct program *)(void *)run;

		if (only != NULL && only->run.row != note.row) {
			i++;
			continue;
		}
		memmove(world->notes + i, world->notes + i + 1,
		    (size_t)(--world->note_count - i) * sizeof(note));
		if (run != NULL && run->kind == RUN_PROGRAM && is_believed(program, &note))
			deliver(program, &note);
	}
}

static bool is_believed(const struct program *program, const struct sim_note *note)
{
	const struct sim_process *sender = kernel_find_alive(note->pid);

	return program->notify != NULL && world->rows[note->row].claim == note->claim &&
	       (sender == NULL || sender->owner_run == world_row_state(note->row)->starts);
}

/* As notify.c's take(). */
static void deliver(struct program *program, const struct sim_note *note)
{
	enum state state = (enum state)world_row_state(note->row)->state;

	switch (note->kind) {
	case NOTE_READY:
		if (state != STATE_STARTING ||
		    program->config->life->key_ready.kind == CHECK_NOTIFY)
			program_note_ready(program, CHECK_NOTIFY);
		break;
	case NOTE_WATCHDOG:
		health_ping(program);
		break;
	case NOTE_TRIGGER:
		health_trigger(program);
		break;
	case NOTE_RELOADING:
		(void)program_note_reloading(program);
		break;
	case NOTE_EXTEND:
		if (state == STATE_RUNNING)
			health_extend(program, world->now_ns + 5 * NS_PER_S);
		else
			program_extend(program, world->now_ns + 5 * NS_PER_S);
		break;
	case NOTE_CALM:
		health_set_watchdog(program, 0);
		if (state == STATE_STARTING &&
		    program->config->life->key_ready.kind == CHECK_NOTIFY)
			program_note_ready(program, CHECK_NOTIFY);
		break;
	case NOTE_MAIN:
		if (step_is_up(state) && note->pid != world->ledger->pids[note->row])
			(void)program_set_main(program, note->pid, RUN_NO_VOUCHER);
		break;
	}
}

/* ---- probe.h ---- */

void probe_init(struct probe *probe, struct program *program, enum task_kind task_kind,
    void (*done)(struct probe *probe, enum probe_result result, const char *problem))
{
	memset(probe, 0, sizeof(*probe));
	probe->program = program;
	probe->done = done;
	probe->task_kind = task_kind;
	probe->timer.fire = on_probe_timer;
}

void probe_done(struct probe *probe)
{
	probe_cancel(probe);
}

int probe_set_check(struct probe *probe, const struct check *check)
{
	if (probe->check.kind == check->kind)
		return 0;
	probe_cancel(probe);
	probe->check.kind = check->kind;
	return 1;
}

void probe_begin(struct probe *probe, int64_t timeout_ns)
{
	struct program *program = probe->program;

	probe_cancel(probe);
	probe->active = true;
	if (probe->check.kind == CHECK_EXEC)
		task_start(program, probe->task_kind,
		    probe->task_kind == TASK_READY ? program->config->life->key_ready.words
						   : program->config->life->key_health_check.words,
		    NULL, timeout_ns);
	else
		(void)timers_arm(&program->engine->timers, &probe->timer,
		    world->now_ns + 1 + NS_PER_MS * (int64_t)world_roll(world->calm ? 10 : 300));
}

void probe_cancel(struct probe *probe)
{
	struct task *task;

	if (!probe->active)
		return;
	probe->active = false;
	timers_cancel(&probe->program->engine->timers, &probe->timer);
	if (probe->check.kind != CHECK_EXEC)
		return;
	task = task_find(probe->program, probe->task_kind);
	if (task != NULL)
		task_cancel(task);
}

void probe_note_task(struct probe *probe, const struct task_end *end)
{
	if (probe->active && probe->check.kind == CHECK_EXEC)
		answer(probe, end->ok ? PROBE_GOOD : PROBE_BAD);
}

static void on_probe_timer(struct timer *timer)
{
	struct probe *probe =
	    (struct probe *)(void *)((char *)timer - offsetof(struct probe, timer));
	unsigned roll = world_roll(100);

	answer(probe, world->calm                  ? PROBE_GOOD
		      : roll < CHANCE_UNABLE_PROBE ? PROBE_UNABLE
		      : roll < CHANCE_BAD_PROBE    ? PROBE_BAD
						   : PROBE_GOOD);
}

static void answer(struct probe *probe, enum probe_result result)
{
	probe->active = false;
	probe->done(probe, result, result == PROBE_GOOD ? "" : "trouble");
}

int filelook_now(struct filelooks *looks, const char *path, FILELOOK_ACT((*act)), int option,
    int timeout_ms, struct filelook_answer *ret_answer)
{
	(void)looks;
	(void)timeout_ms;
	*ret_answer = (struct filelook_answer){.fd = -1};
	return act(path, option, ret_answer);
}

FILELOOK_ACT(filelook_stat)
{
	(void)path;
	(void)option;
	ret_answer->mark = 0;
	return 0;
}

void filelooks_done(struct filelooks *looks)
{
	(void)looks;
}

int probe_expand_path(struct program *program, const char *path, char **ret_path)
{
	(void)program;
	*ret_path = strdup(path);
	return 0;
}
