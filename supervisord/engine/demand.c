/* SPDX-License-Identifier: ISC */
/*
 * demand.c: see demand.h, poll(2).
 *
 * A socket in which somebody waits stays readable until the program takes the connection.  So it is
 * not watched any more once a decision has seen that (a program that may not start yet for another
 * reason would keep the loop busy), and who is waited for brings the next one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ev.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/engine/demand.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/programevent.h"
#include "supervisord/engine/sockettable.h"

/* A socket that could not be opened is tried again. */
#define OPEN_AGAIN_NS (10 * NS_PER_S)
/* Looks at the connections in the time of idle_stop, and the least time between two. */
#define IDLE_LOOKS    4
#define LOOK_LEAST_NS (50 * NS_PER_MS)

struct demand {
	struct program *program;
	struct timer timer; /* WAITING: try to open; RUNNING: look at the connections */
	bool seen;          /* the last decision has seen that somebody waits */
	uint64_t run;       /* that busy_ns is about */
	int64_t busy_ns;    /* somebody was connected then, or the run began */
	size_t count;       /* watchers that are active */
	ev_io watchers[LIMIT_PROGRAM_SOCKETS];
};

static struct demand *need(struct program *program);
static bool is_armed(const struct program *program);
static void watch(struct demand *demand);
static void unwatch(struct demand *demand);
static void on_readable(struct ev_loop *loop, ev_io *io, int events);
static void look_after_run(struct demand *demand);
static void look(struct demand *demand);
static void arm_look(struct demand *demand, int64_t now_ns);
static bool is_busy(struct program *program);
static bool note_connected(void *context, const struct socket_entry *entry);
static bool is_required(const struct program *program);
static void on_timer(struct timer *timer);
static void arm(struct demand *demand, int64_t deadline_ns);

bool demand_is_there(struct program *program)
{
	struct pollfd fds[LIMIT_PROGRAM_SOCKETS];
	const char *names[LIMIT_PROGRAM_SOCKETS];
	int list[LIMIT_PROGRAM_SOCKETS];
	size_t count = 0;
	bool there = false;

	if (program->config->life->key_accept)
		return accept_has(program);
	if (sockets_of_program(program->engine, program->config, list, names, &count) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = list[i], .events = POLLIN};
	there = count > 0 && poll(fds, count, 0) > 0;
	if (program->demand != NULL)
		program->demand->seen = there;
	return there;
}

void demand_attend(struct program *program)
{
	const struct ledger_state *state = program_state(program);
	const struct life_config *life = program->config->life;
	bool runs = state->state == STATE_RUNNING && life->key_idle_stop > 0 && !program->removed &&
		    !transition_is_halting(state);
	struct demand *demand;

	if (life->key_accept)
		accept_attend(program);
	if (life->key_start != START_ON_DEMAND || life->key_accept ||
	    (!is_armed(program) && !runs)) {
		demand_end(program);
		return;
	}
	demand = need(program);
	if (demand == NULL)
		return; /* said; the next event tries again */
	if (runs) {
		unwatch(demand);
		look_after_run(demand);
	} else {
		bool seen = demand->seen;

		unwatch(demand);
		if (!demand_is_there(program))
			watch(demand);
		else if (!seen) /* it has come since the decision */
			program_defer(program, PENDING_CHECK);
	}
}

void demand_end(struct program *program)
{
	struct demand *demand = program->demand;

	if (demand == NULL)
		return;
	unwatch(demand);
	timers_cancel(&program->engine->timers, &demand->timer);
	program->demand = NULL;
	free(demand);
}

void demand_end_all(struct engine *engine)
{
	for (size_t i = 0; i < engine->program_count; i++)
		demand_end(engine->programs[i]);
}

static struct demand *need(struct program *program)
{
	struct demand *demand = program->demand;

	if (demand != NULL)
		return demand;
	demand = calloc(1, sizeof(*demand));
	if (demand == NULL) {
		log_error("%s: out of memory for watching its sockets", program_name(program));
		return NULL;
	}
	demand->program = program;
	demand->timer.fire = on_timer;
	program->demand = demand;
	return demand;
}

static bool is_armed(const struct program *program)
{
	const struct ledger_state *state = program_state(program);

	return state->state == STATE_WAITING && state->wanted == WANTED_UP && !program->removed &&
	       !program->engine->safe_mode && !program->engine->shutdown;
}

static void watch(struct demand *demand)
{
	struct program *program = demand->program;
	const char *names[LIMIT_PROGRAM_SOCKETS];
	int list[LIMIT_PROGRAM_SOCKETS];
	size_t count = 0;

	if (sockets_of_program(program->engine, program->config, list, names, &count) < 0) {
		arm(demand, clock_boot_ns() + OPEN_AGAIN_NS);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		ev_io_init(&demand->watchers[i], on_readable, list[i], EV_READ);
		demand->watchers[i].data = demand;
		ev_io_start(program->engine->loop, &demand->watchers[i]);
	}
	demand->count = count;
}

static void unwatch(struct demand *demand)
{
	struct program *program = demand->program;

	for (size_t i = 0; i < demand->count; i++)
		ev_io_stop(program->engine->loop, &demand->watchers[i]);
	demand->count = 0;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct demand *demand = io->data;

	(void)loop;
	(void)events;
	unwatch(demand);
	program_defer(demand->program, PENDING_CHECK);
}

/*
 * Looks now and then, as nothing tells of a connection that the program takes; one that comes and
 * goes between two looks is not seen.  The time that is over is acted on by the timer alone: this
 * here is called within an event.
 */
static void look_after_run(struct demand *demand)
{
	struct program *program = demand->program;
	uint64_t run = program_state(program)->starts;

	if (demand->timer.index != 0 && demand->run == run)
		return;
	demand->run = run;
	demand->busy_ns = clock_boot_ns();
	arm_look(demand, demand->busy_ns);
}

static void look(struct demand *demand)
{
	struct program *program = demand->program;
	int64_t now_ns = clock_boot_ns();

	if (is_busy(program))
		demand->busy_ns = now_ns;
	if (now_ns - demand->busy_ns >= program->config->life->key_idle_stop)
		program_note_idle(program); /* and that may be the end of `demand` */
	else
		arm_look(demand, now_ns);
}

static void arm_look(struct demand *demand, int64_t now_ns)
{
	int64_t idle_ns = demand->program->config->life->key_idle_stop;
	int64_t next_ns =
	    now_ns + (idle_ns / IDLE_LOOKS > LOOK_LEAST_NS ? idle_ns / IDLE_LOOKS : LOOK_LEAST_NS);

	if (next_ns > demand->busy_ns + idle_ns)
		next_ns = demand->busy_ns + idle_ns;
	arm(demand, next_ns);
}

/* Somebody is connected or about to be, or needs it running all the same. */
static bool is_busy(struct program *program)
{
	const struct engine *engine = program->engine;
	string_list list = program->config->life->key_sockets;
	bool busy = is_required(program) || engine_is_needed(program) || demand_is_there(program);

	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		for (size_t k = 0; k < engine->sockets.count && !busy; k++)
			if (strcmp(engine->sockets.list[k].config->name, list[i]) == 0)
				sockettable_each(
				    &engine->sockets.list[k].address, note_connected, &busy);
	return busy;
}

static bool note_connected(void *context, const struct socket_entry *entry)
{
	bool *busy = context;

	*busy = *busy || entry->connected;
	return *busy;
}

static bool is_required(const struct program *program)
{
	for (uint32_t i = 0; i < program->lasts.count; i++) {
		const struct program_link *link = &program->lasts.list[i];

		if (link->kind != DEPEND_AFTER && step_is_up(program_state_of(link->other)))
			return true;
	}
	return false;
}

static void on_timer(struct timer *timer)
{
	struct demand *demand =
	    (struct demand *)(void *)((char *)timer - offsetof(struct demand, timer));
	struct program *program = demand->program;

	if (program_state_of(program) == STATE_RUNNING)
		look(demand);
	else
		program_defer(program, PENDING_CHECK);
}

static void arm(struct demand *demand, int64_t deadline_ns)
{
	if (timers_arm(&demand->program->engine->timers, &demand->timer, deadline_ns) < 0)
		log_error("%s: out of memory for a timer", program_name(demand->program));
}
