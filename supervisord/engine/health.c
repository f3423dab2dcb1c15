/* SPDX-License-Identifier: ISC */
/*
 * health.c: see health.h.
 *
 * The verdict stands in the ledger, the counts towards the next one here: a new engine counts anew.
 * A failure ends the run, and that ends all of this: nothing follows program_fail().
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "lib/signame.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/health.h"
#include "supervisord/engine/probe.h"

/* After the watchdog's time: what the program has sent may still be in its socket. */
#define WATCHDOG_GRACE_NS (100 * NS_PER_MS)
/* A timer that fires so late: we stood still, or the machine did, and maybe the program, too. */
#define STOOD_STILL_NS NS_PER_S

struct health {
	struct program *program;
	uint64_t run; /* that this is about */
	bool running; /* it was RUNNING already */
	struct probe probe;
	struct timer check_timer; /* the next check */
	int64_t checked_ns;       /* end of the last check, or begin of it all */
	bool at_once;             /* the first check does not wait */
	bool told;                /* that we are not able to check */
	uint32_t good;            /* in a row; the other one is 0 */
	uint32_t bad;
	struct timer watchdog_timer;
	int64_t watchdog_ns;   /* 0: off */
	bool watchdog_is_told; /* by WATCHDOG_USEC=, so not the stanza's */
	bool watchdog_is_late;
	int64_t pinged_ns;
	struct timer runtime_timer;
	int64_t extended_ns; /* not over before, 0 */
};

static struct health *need(struct program *program);
static void forget_run(struct health *health);
static void begin_watchdog(struct health *health);
static void update_runtime(struct health *health);
static void update_check(struct health *health);
static void update_check_timer(struct health *health);
static void on_check(struct timer *timer);
static void on_probe(struct probe *probe, enum probe_result result, const char *problem);
static void note_good(struct health *health);
static void note_bad(struct health *health, const char *problem);
static void act_on_bad(struct program *program, uint32_t count);
static void on_watchdog(struct timer *timer);
static void on_runtime(struct timer *timer);
static void arm(struct health *health, struct timer *timer, int64_t deadline_ns);
static int32_t seconds_of(int64_t ns);

void health_begin(struct program *program)
{
	const struct life_config *life = program->config->life;
	const struct ledger_state *state = program_state(program);
	struct health *health = program->health;

	/* One with a socket has one of these, so that a watchdog that the stanza gets while it runs
	 * (it was not told of it) is told from one that it had from the beginning. */
	if (health == NULL && life->key_health_check.kind == CHECK_NONE &&
	    life->key_max_runtime == 0 && program->notify == NULL)
		return;
	health = need(program);
	if (health == NULL)
		return;
	if (health->run != state->starts)
		forget_run(health);
	update_runtime(health);
	if (state->state != STATE_RUNNING)
		return;
	if (!health->running)
		begin_watchdog(health);
	update_check(health);
	health->running = true;
}

void health_end(struct program *program)
{
	struct health *health = program->health;
	struct timers *timers = &program->engine->timers;

	if (health == NULL)
		return;
	program->health = NULL;
	timers_cancel(timers, &health->check_timer);
	timers_cancel(timers, &health->watchdog_timer);
	timers_cancel(timers, &health->runtime_timer);
	probe_done(&health->probe);
	free(health);
}

void health_ping(struct program *program)
{
	struct health *health = program->health;

	if (health == NULL)
		return;
	/* The timer is left alone: it fires once an interval at most, pings may come in thousands.
	 */
	health->pinged_ns = clock_boot_ns();
	health->watchdog_is_late = false;
}

void health_trigger(struct program *program)
{
	program_fail(program, REASON_WATCHDOG, 0);
}

void health_set_watchdog(struct program *program, int64_t interval_ns)
{
	struct health *health = need(program);

	if (health == NULL)
		return;
	if (health->run != program_state(program)->starts)
		forget_run(health);
	health->watchdog_is_told = true;
	health->watchdog_ns = interval_ns > 0 ? interval_ns : 0;
	if (health->running)
		begin_watchdog(health);
}

void health_extend(struct program *program, int64_t until_ns)
{
	struct health *health = program->health;

	if (health == NULL || until_ns <= health->extended_ns)
		return;
	health->extended_ns = until_ns;
	update_runtime(health);
}

void health_note_task(struct program *program, const struct task_end *end)
{
	if (program->health != NULL)
		probe_note_task(&program->health->probe, end);
}

/* NULL when out of memory, which has been said then. */
static struct health *need(struct program *program)
{
	struct health *health = program->health;

	if (health != NULL)
		return health;
	health = calloc(1, sizeof(*health));
	if (health == NULL) {
		log_error("%s: out of memory: its health is not watched", program_name(program));
		return NULL;
	}
	health->program = program;
	health->run = program_state(program)->starts;
	health->check_timer.fire = on_check;
	health->watchdog_timer.fire = on_watchdog;
	health->runtime_timer.fire = on_runtime;
	probe_init(&health->probe, program, TASK_HEALTH, on_probe);
	program->health = health;
	return health;
}

/* It is about the present run from now on. */
static void forget_run(struct health *health)
{
	struct program *program = health->program;
	struct timers *timers = &program->engine->timers;

	timers_cancel(timers, &health->check_timer);
	timers_cancel(timers, &health->watchdog_timer);
	timers_cancel(timers, &health->runtime_timer);
	probe_cancel(&health->probe);
	health->run = program_state(program)->starts;
	health->running = health->watchdog_is_told = health->told = false;
	health->good = health->bad = 0;
	health->extended_ns = 0;
}

/* With a whole interval. */
static void begin_watchdog(struct health *health)
{
	struct program *program = health->program;

	/* Without a socket it could not answer, and without a process there is nobody who would. */
	if (!health->watchdog_is_told)
		health->watchdog_ns = program->notify != NULL && program_pid(program) != 0
					  ? program->config->life->key_watchdog
					  : 0;
	health->pinged_ns = clock_boot_ns();
	health->watchdog_is_late = false;
	if (health->watchdog_ns > 0)
		arm(health, &health->watchdog_timer, health->pinged_ns + health->watchdog_ns);
	else
		timers_cancel(&program->engine->timers, &health->watchdog_timer);
}

static void update_runtime(struct health *health)
{
	struct program *program = health->program;
	int64_t length_ns = program->config->life->key_max_runtime;
	int64_t deadline_ns = program_state(program)->run_start_ns + length_ns;

	/* A oneshot that has ended stays RUNNING with `remain`. */
	if (length_ns == 0 || program_pid(program) == 0) {
		timers_cancel(&program->engine->timers, &health->runtime_timer);
		return;
	}
	if (deadline_ns < health->extended_ns)
		deadline_ns = health->extended_ns;
	arm(health, &health->runtime_timer, deadline_ns);
}

/* To what the stanza says now. */
static void update_check(struct health *health)
{
	struct program *program = health->program;
	const struct check *check = &program->config->life->key_health_check;
	int changed = probe_set_check(&health->probe, check);

	if (changed < 0) {
		log_error("%s: out of memory: its health is not watched", program_name(program));
		return;
	}
	if (changed || !health->running) {
		health->good = health->bad = 0;
		health->checked_ns = clock_boot_ns();
		health->at_once = program_state(program)->health == LEDGER_HEALTH_UNKNOWN;
	}
	if (check->kind != CHECK_NONE) {
		update_check_timer(health);
		return;
	}
	timers_cancel(&program->engine->timers, &health->check_timer);
	if (changed)
		program_note_health(program, LEDGER_HEALTH_UNKNOWN);
}

static void update_check_timer(struct health *health)
{
	int64_t interval_ns = health->program->config->life->key_health_interval;

	if (!health->probe.active)
		arm(health, &health->check_timer,
		    health->checked_ns + (health->at_once ? 0 : interval_ns));
}

static void on_check(struct timer *timer)
{
	struct health *health =
	    (struct health *)(void *)((char *)timer - offsetof(struct health, check_timer));

	probe_begin(&health->probe, health->program->config->life->key_health_timeout);
}

static void on_probe(struct probe *probe, enum probe_result result, const char *problem)
{
	struct health *health = probe->program->health;

	health->checked_ns = clock_boot_ns();
	health->at_once = false;
	update_check_timer(health);
	switch (result) {
	case PROBE_GOOD:
		note_good(health);
		break;
	case PROBE_BAD:
		note_bad(health, problem);
		break;
	case PROBE_UNABLE:
		if (!health->told)
			log_warning("%s: its health cannot be checked: %s",
			    program_name(probe->program), problem);
		health->told = true;
		break;
	}
}

static void note_good(struct health *health)
{
	struct program *program = health->program;

	health->told = false;
	health->bad = 0;
	if (health->good < UINT32_MAX)
		health->good++;
	if (health->good >= program->config->life->key_health_successes)
		program_note_health(program, LEDGER_HEALTH_GOOD);
}

static void note_bad(struct health *health, const char *problem)
{
	struct program *program = health->program;
	uint32_t limit = program->config->life->key_health_failures;

	health->told = false;
	health->good = 0;
	if (health->bad < INT32_MAX)
		health->bad++;
	/* Not for ever, where nothing is done about it. */
	if (health->bad <= limit)
		log_notice("%s: health check failed (%u of %u): %s", program_name(program),
		    health->bad, limit, problem);
	if (health->bad >= limit)
		act_on_bad(program, health->bad);
}

/*
 * A signal is sent at the turn only, and before the ledger has it: an engine that is killed in
 * between does not lose it.  A restart that was lost in this way is made up for by the next engine.
 */
static void act_on_bad(struct program *program, uint32_t count)
{
	const struct health_action *action = &program->config->life->key_health_on_failure;
	bool turn = program_state(program)->health != LEDGER_HEALTH_BAD;

	if (action->kind == HEALTH_SIGNAL && turn) {
		int error = program_signal_main(program, action->signal);
		char name[16];

		log_notice("%s: unhealthy: %s to its main process%s", program_name(program),
		    signame_format(action->signal, name, sizeof(name)),
		    error < 0 ? ", which has just ended" : "");
	}
	program_note_health(program, LEDGER_HEALTH_BAD);
	if (action->kind == HEALTH_RESTART)
		program_fail(program, REASON_UNHEALTHY, (int32_t)count);
}

static void on_watchdog(struct timer *timer)
{
	struct health *health =
	    (struct health *)(void *)((char *)timer - offsetof(struct health, watchdog_timer));
	int64_t now_ns = clock_boot_ns();
	int64_t deadline_ns = health->pinged_ns + health->watchdog_ns;

	if (now_ns < deadline_ns) {
		arm(health, timer, deadline_ns);
	} else if (now_ns - timer->deadline_ns > STOOD_STILL_NS) {
		health->pinged_ns = now_ns;
		arm(health, timer, now_ns + health->watchdog_ns);
	} else if (!health->watchdog_is_late) {
		health->watchdog_is_late = true;
		arm(health, timer, now_ns + WATCHDOG_GRACE_NS);
	} else {
		program_fail(health->program, REASON_WATCHDOG, seconds_of(health->watchdog_ns));
	}
}

static void on_runtime(struct timer *timer)
{
	struct health *health =
	    (struct health *)(void *)((char *)timer - offsetof(struct health, runtime_timer));
	struct program *program = health->program;

	program_fail(program, REASON_RUNTIME, seconds_of(program->config->life->key_max_runtime));
}

static void arm(struct health *health, struct timer *timer, int64_t deadline_ns)
{
	struct program *program = health->program;

	if (timer->index != 0 && timer->deadline_ns == deadline_ns)
		return;
	if (timers_arm(&program->engine->timers, timer, deadline_ns) < 0)
		log_error("%s: out of memory for a timer", program_name(program));
}

/* Rounded up: never 0 for a time that was over. */
static int32_t seconds_of(int64_t ns)
{
	return (int32_t)((ns + NS_PER_S - 1) / NS_PER_S);
}
