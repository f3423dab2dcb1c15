/* SPDX-License-Identifier: ISC */
/*
 * checkstep.c: each decision: what the shell told the core of the world is true, the next state is
 * the one that the manual's words demand, and the counters, flags and deadlines fit.
 */
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "supervisord/engine/plan.h"
#include "tests/sim/checkcount.h"
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/checkstep.h"
#include "tests/sim/kernel.h"

#define LEFTOVER_WAIT_NS (50 * NS_PER_MS)

/* The hook that runs in a state. */
static const enum task_kind hooks[STATE_COUNT] = {[STATE_PREPARING] = TASK_PRE_START,
    [STATE_SETTLING] = TASK_POST_START,
    [STATE_ENDING] = TASK_PRE_STOP,
    [STATE_STOPPING] = TASK_STOP_COMMAND,
    [STATE_CLEANING] = TASK_POST_STOP};

static void check_world_as_told(const struct decision *d);
static void check_exit(const struct decision *d);
static void check_hook(const struct decision *d);
static void note_failure(const struct decision *d);
static void check_next(const struct decision *d);
static void check_begin(const struct decision *d);
static void check_launch_decision(const struct decision *d);
static void check_stop_begins(const struct decision *d);
static unsigned first_stop_step(const struct decision *d, bool failed);
static void check_run_over(const struct decision *d);
static void check_counters(const struct decision *d);
static void check_deadline(const struct decision *d);
static int64_t expected_length_ns(const struct decision *d);
static void check_flags(const struct decision *d);
static void check_owed(const struct decision *d);
static void note_demand(struct decision *d);
static void check_demand(const struct decision *d);
static void say(const struct decision *d);

void check_decision(struct shadow_pending *pending)
{
	int program = world->rows[pending->row].program;

	pending->start_blocker = checklink_start_blocker(program);
	pending->unheard = checklink_has_news(program);
	pending->stop_blocker = checklink_stop_blocker(program);
	pending->missing = checklink_missing(program);
	pending->lost = checklink_lost(program);
	/* (A slow guardian may have put it there only now.) */
	pending->overlooked =
	    !world->slow_guardian && pending->happening.event == EVENT_TIMER &&
	    checklink_is_live(&pending->before) &&
	    ((world->ledger->exited[pending->row / 64] >> (pending->row % 64)) & 1);
}

void check_step(int row, const struct shadow_pending *pending)
{
	int program = world->rows[row].program;
	struct decision d = {
	    .program = program,
	    .event = pending->happening.event,
	    .happening = &pending->happening,
	    .before = &pending->before,
	    .after = &pending->transition.state,
	    .actions = pending->transition.actions,
	    .from = (enum state)pending->before.state,
	    .to = (enum state)pending->transition.state.state,
	    .config = pending->config,
	    .shadow = &world->shadows[program],
	    .pending = pending,
	};

	d.begins = d.after->starts != d.before->starts;
	d.halting = checklink_is_halting(d.before);
	d.lost = d.happening->lost && checklink_is_live(d.before) && d.from != STATE_ENDING &&
		 d.from != STATE_STOPPING && d.from != STATE_CLEANING;
	d.halting = d.halting || d.lost || (d.happening->idle && d.from == STATE_RUNNING);
	if (d.from != d.to)
		d.shadow->since_ns = d.happening->now_ns;
	note_demand(&d);
	say(&d);
	check_world_as_told(&d);
	if (d.event == EVENT_EXIT)
		check_exit(&d);
	if (d.event == EVENT_HOOK)
		check_hook(&d);
	note_failure(&d);
	d.rearmed = d.lazy &&
		    (d.config->life->key_accept ||
			(!d.shadow->failed && checkcount_is_success(d.config, d.shadow->wstatus)));
	check_next(&d);
	d.counted = decision_is_counted(&d);
	check_run_over(&d);
	if (d.to == STATE_STOPPED && d.from != STATE_STOPPED)
		check_leftovers(program, false, false);
	/* Its kill_mode may be another one when it is launched. */
	if (d.to == STATE_WAITING && d.config->life->key_kill_mode == KILL_PROCESS)
		check_leftovers(program, false, false);
	if (d.begins)
		check_begin(&d);
	if (d.actions & ACTION_LAUNCH)
		check_launch_decision(&d);
	if (d.to == STATE_STOPPING && d.from != STATE_STOPPING)
		check_stop_begins(&d);
	if (d.happening->cause.reason == REASON_ROLLED && !d.config->surge)
		check_turn(&d);
	if (d.to == STATE_RUNNING && d.from != STATE_RUNNING) {
		d.shadow->running_ns = d.happening->now_ns;
		d.shadow->was_running = true;
		/* It has no stanza, and an engine that never saw that does not know what it was. */
		if (world_is_removed(program))
			d.shadow->type = TYPE_SERVICE;
	}
	if (d.happening->cause.reason == REASON_REMOVED)
		d.shadow->been_up = false;
	else if (d.to == STATE_RUNNING || d.from == STATE_RUNNING)
		d.shadow->been_up = !world_is_removed(program);
	check_counters(&d);
	check_deadline(&d);
	check_flags(&d);
	check_owed(&d);
	check_demand(&d);
}

/* Who asks for one that is started on demand: a person, a program that needs it, a connection. */
static void note_demand(struct decision *d)
{
	const struct happening *h = d->happening;
	struct shadow *shadow = d->shadow;
	const struct life_config *life = d->config->life;
	bool many = shadow->triggers_ns != 0 && shadow->triggers >= life->key_trigger_limit &&
		    h->now_ns - shadow->triggers_ns < life->key_trigger_limit_interval;
	bool by_boot = h->cause.reason == REASON_AUTOSTART || h->cause.reason == REASON_ADDED ||
		       h->cause.reason == REASON_CHANGED || h->cause.reason == REASON_LAST_STATE;

	d->lazy = life->key_start == START_ON_DEMAND;
	many = many && !life->key_accept;
	if (d->lazy && !life->key_accept && d->before->wanted == WANTED_UP &&
	    (d->event == EVENT_STOP ||
		(d->event == EVENT_START && !by_boot && !step_is_up(d->from))))
		shadow->asked = true;
	d->flooded = d->lazy && !shadow->asked && !h->needed && h->demand && h->may_start && many;
	d->may_start = h->may_start && (!d->lazy || shadow->asked || h->needed ||
					   d->from == STATE_PREPARING || (h->demand && !many));
	if (life->key_accept) {
		EXPECT(h->cause.reason != REASON_CHANGED || d->event != EVENT_STOP ||
			   !(d->before->config_hash & PLAN_HASH_ACCEPTED),
		    "a connection is ended because its stanza changed");
		EXPECT(h->demand == (world->engine.connection == d->program + 1),
		    "it is started without the connection that was taken");
		EXPECT(!h->needed, "it is started because somebody needs it");
		return;
	}
	EXPECT(!h->demand || world->callers[d->program] > 0, "it is started for nobody");
	EXPECT(h->demand || !h->may_start || !d->lazy || world->callers[d->program] == 0,
	    "somebody waits, and is not seen");
}

static void check_demand(const struct decision *d)
{
	const struct happening *h = d->happening;
	struct shadow *shadow = d->shadow;
	bool by_connection =
	    d->lazy && !d->config->life->key_accept && !shadow->asked && !h->needed && h->demand;

	if (d->begins && by_connection) {
		if (shadow->triggers_ns == 0 || h->now_ns - shadow->triggers_ns >=
						    d->config->life->key_trigger_limit_interval) {
			shadow->triggers_ns = h->now_ns;
			shadow->triggers = 0;
		}
		shadow->triggers++;
	}
	if (d->from == STATE_WAITING && d->to == STATE_FATAL)
		shadow->triggers_ns = 0;
	if (d->begins || step_is_at_rest(d->to))
		shadow->asked = false;
	EXPECT(d->after->demand_ns == shadow->triggers_ns &&
		   (shadow->triggers_ns == 0 || d->after->demand_starts == shadow->triggers),
	    "starts by connections are counted otherwise");
	EXPECT(!!(d->after->flags & LEDGER_FLAG_DEMAND) == shadow->asked,
	    "who asked for a run is forgotten, or nobody did");
}

void decision_expect(const struct decision *d, bool good, const char *what, const char *text)
{
	if (!good)
		world_fail("%s: %s (%s at %s.%s -> %s)", stanza_name(d->program), text, what,
		    world_state_name(d->from), world_event_name(d->event), world_state_name(d->to));
}

static void say(const struct decision *d)
{
	if (d->from != d->to || d->begins)
		world_say("%s: %s.%s -> %s%s%s%s", stanza_name(d->program),
		    world_state_name(d->from), world_event_name(d->event), world_state_name(d->to),
		    d->actions & ACTION_LAUNCH ? " launch" : "",
		    d->actions & ACTION_SIGNAL ? " signal" : "",
		    d->actions & ACTION_FAIL ? " fail" : "");
}

/* ---- what the decision was made of ---- */

static void check_world_as_told(const struct decision *d)
{
	const struct happening *h = d->happening;
	const struct engine *engine = world->engine.engine;
	bool allowed =
	    !engine->safe_mode && !world->ledger->header.shutdown && !world_is_removed(d->program);
	int first = d->pending->start_blocker, last = d->pending->stop_blocker;

	if (h->may_start && first >= 0 && (!d->pending->unheard || d->pending->missing >= 0))
		world_fail("%s is taken to be free to start, but for %s", stanza_name(d->program),
		    stanza_name(first));
	EXPECT(!d->pending->overlooked, "it has not lived until its deadline");
	EXPECT(!h->may_start || allowed, "launching is not allowed at all");
	EXPECT(h->may_start || !allowed || first >= 0 || d->pending->unheard,
	    "kept from starting by nobody");
	if (h->may_stop && last >= 0)
		world_fail("%s is taken to be free to stop, but for %s", stanza_name(d->program),
		    stanza_name(last));
	EXPECT(h->may_stop || last >= 0, "kept from stopping by nobody");
	if (d->before->flags & LEDGER_FLAG_LOST || !step_is_up(d->from))
		return;
	first = d->pending->lost;
	if (!h->lost && first >= 0)
		world_fail("%s does not know that %s is lost", stanza_name(d->program),
		    stanza_name(first));
	EXPECT(!h->lost || first >= 0, "it has lost nobody");
}

static void check_exit(const struct decision *d)
{
	const struct happening *h = d->happening;
	struct shadow *shadow = d->shadow;
	bool command = d->config->life->key_type == TYPE_FORKING &&
		       !(d->before->flags & LEDGER_FLAG_FORKED) && h->launched && h->wstatus == 0;
	bool forked = command && d->from == STATE_STARTING;

	EXPECT(h->run != shadow->acted, "an exit is acted on twice");
	EXPECT(h->run == d->before->starts, "the exit of another run is acted on");
	EXPECT(kernel_main(d->program) == NULL || kernel_main(d->program)->zombie,
	    "an exit of a run that lives");
	EXPECT(!(d->from == STATE_PREPARING || d->from == STATE_CLEANING),
	    "an exit where no main process can be");
	if (forked) {
		shadow->forked = h->run;
		EXPECT((d->after->flags & LEDGER_FLAG_FORKED) && d->after->forked_pid == h->pid &&
			   d->after->run_acted == d->before->run_acted,
		    "the end of a forking program's command is not noted");
		return;
	}
	EXPECT(!command || shadow->type != TYPE_FORKING ||
		   (d->from != STATE_RUNNING && d->from != STATE_SETTLING) ||
		   h->pid != shadow->command_pid,
	    "the end of a forking program's command is taken for its own");
	EXPECT(d->after->run_acted == h->run && d->after->last_wstatus == h->wstatus &&
		   (d->after->flags & LEDGER_FLAG_HAS_EXIT),
	    "an exit is not noted as acted on");
	shadow->acted = h->run;
	shadow->ended = true;
	shadow->wstatus = h->wstatus;
	shadow->failed = shadow->failed || !h->launched;
	if (d->from == STATE_RUNNING && h->now_ns > shadow->running_ns &&
	    h->now_ns - shadow->running_ns >= d->config->key_restart_reset_after)
		checkcount_clear(shadow);
}

/* Its end was as the shell says, and it was of this run. */
static void check_hook(const struct decision *d)
{
	const struct shadow_task *task = &d->shadow->tasks[hooks[d->from]];
	const struct engine *engine = world->engine.engine;
	const struct stanza *stanza = world_stanza(d->program);
	/* It may not be begun any more, or its stanza does not have it any more. */
	bool lacking =
	    engine->shutdown_forced || world->was_forced ||
	    (d->from == STATE_PREPARING && (engine->safe_mode || world->ledger->header.shutdown)) ||
	    stanza == NULL || !stanza->hooks[hooks[d->from]];

	EXPECT(d->happening->hook_failed || task->good == 1, "a hook that was not good");
	EXPECT(!d->happening->hook_failed || lacking ||
		   task->bad + task->failed + task->killed + d->shadow->troubles > 0,
	    "a hook that did not fail");
}

/* The run is a failed one, whatever its processes' ends say. */
static void note_failure(const struct decision *d)
{
	struct shadow *shadow = d->shadow;
	bool hook = d->event == EVENT_HOOK && d->happening->hook_failed &&
		    (d->from == STATE_SETTLING || (d->from == STATE_PREPARING && !d->halting));
	bool late = d->event == EVENT_TIMER && d->from == STATE_STARTING &&
		    checkcount_waits_for_ready(d->config);
	bool told =
	    d->event == EVENT_FAIL &&
	    (d->from == STATE_STARTING || d->from == STATE_SETTLING || d->from == STATE_RUNNING);

	if (!hook && !late && !told)
		return;
	shadow->failed = true;
	EXPECT(d->to == STATE_STOPPING && (d->after->flags & LEDGER_FLAG_FAILED),
	    "a run that has failed is not stopped as such");
	if (d->from == STATE_RUNNING && d->happening->now_ns > shadow->running_ns &&
	    d->happening->now_ns - shadow->running_ns >= d->config->key_restart_reset_after)
		checkcount_clear(shadow);
}

/* ---- the next state ---- */

static void check_next(const struct decision *d)
{
	enum state expected = decision_expected(d);

	if (expected != d->to)
		world_fail("%s: %s.%s leads to %s, should be %s", stanza_name(d->program),
		    world_state_name(d->from), world_event_name(d->event), world_state_name(d->to),
		    world_state_name(expected));
}

/* A new run: all there is to say against it. */
static void check_begin(const struct decision *d)
{
	struct shadow *shadow = d->shadow;
	const struct ledger_state *after = d->after;

	shadow->begun++;
	EXPECT(after->starts == shadow->begun, "runs are not counted one by one");
	EXPECT(after->wanted == WANTED_UP, "begun and not wanted up");
	EXPECT(d->pending->start_blocker < 0 || (d->pending->unheard && d->pending->missing < 0),
	    "begun before what comes first");
	EXPECT(d->config->life->key_pre_start != NULL ? d->to == STATE_PREPARING
						      : d->to == STATE_STARTING,
	    "pre_start is left out, or made up");
	EXPECT(kernel_main(d->program) == NULL, "begun beside the last run");
	EXPECT(
	    !(after->flags & (LEDGER_FLAG_BOUNCE | LEDGER_FLAG_LOST | LEDGER_FLAG_FAILED |
				 LEDGER_FLAG_FORKED | LEDGER_FLAG_EARLY | LEDGER_FLAG_RELOADING)) &&
		(after->flags & LEDGER_FLAG_BEGUN) && after->forked_pid == 0 &&
		after->stop_step == 0 && after->health == LEDGER_HEALTH_UNKNOWN,
	    "a run begins with something of the last one");
	EXPECT(!(after->flags & (LEDGER_FLAG_TURN | LEDGER_FLAG_KEPT)),
	    "begun anew, and still to be replaced");
	EXPECT(!!(after->flags & LEDGER_FLAG_FRESH) ==
		   !!(d->before->flags & (LEDGER_FLAG_TURN | LEDGER_FLAG_FRESH)),
	    "a run that replaces another one is not known as such, or one that does not is");
	EXPECT(after->config_hash == program_hash_of(d->program),
	    "begun with another configuration's hash");
	EXPECT(after->run_start_ns == d->happening->now_ns, "begun at another moment");
	/* What was left by one that was not to be started again, and is after all. */
	if (d->config->life->key_kill_mode == KILL_PROCESS || d->event == EVENT_TIMER)
		check_leftovers(d->program, d->event == EVENT_TIMER, false);
	checkcount_note_begin(d->config, shadow, d->happening->now_ns);
	shadow->failed = shadow->was_running = shadow->cleaned = shadow->ended = false;
	memset(shadow->tasks, 0, sizeof(shadow->tasks));
	shadow->troubles = 0;
}

static void check_launch_decision(const struct decision *d)
{
	struct shadow *shadow = d->shadow;

	EXPECT(d->to == STATE_STARTING, "launched into another state than STARTING");
	EXPECT(shadow->launched != d->after->starts, "launched twice");
	EXPECT(d->pending->missing < 0, "launched without what it requires");
	if (d->from == STATE_PREPARING)
		EXPECT(shadow->tasks[TASK_PRE_START].good == 1,
		    "launched though pre_start was not good");
	shadow->launched = d->after->starts;
	shadow->no_deadline = d->after->deadline_ns == 0;
	shadow->type = d->config->life->key_type;
}

/* Not before those that depend on it, unless it has ended by itself or failed. */
static void check_stop_begins(const struct decision *d)
{
	struct shadow *shadow = d->shadow;
	int blocker = d->pending->stop_blocker;
	bool own = d->event == EVENT_EXIT || d->event == EVENT_FAIL ||
		   (d->event == EVENT_TIMER && d->from == STATE_STARTING) ||
		   d->event == EVENT_HOOK || !checklink_is_live(d->before);
	/* One whose post_start failed can still act on its stop_command. */
	bool failed = (d->actions & ACTION_FAIL) && d->event != EVENT_HOOK;

	EXPECT(d->halting || own, "stopped though it is wanted up");
	EXPECT(d->actions & ACTION_SIGNAL, "stopped without a signal");
	if (!own && blocker >= 0)
		world_fail("%s is stopped while %s still has to stop", stanza_name(d->program),
		    stanza_name(blocker));
	EXPECT(d->from != STATE_RUNNING || own || d->config->life->key_pre_stop == NULL,
	    "pre_stop is left out");
	EXPECT(d->after->stop_step == first_stop_step(d, failed),
	    "a stop that begins with the wrong step");
	EXPECT(!(d->after->flags & (LEDGER_FLAG_KILLED | LEDGER_FLAG_REST)),
	    "a stop begins as one that has gone on");
	shadow->stop_mode = d->config->life->key_kill_mode;
	shadow->stop_all = shadow->stop_mode == KILL_ALL;
}

/* kill_mode = mixed has signals for the main process alone: without one it is KILL. */
static unsigned first_stop_step(const struct decision *d, bool failed)
{
	bool main =
	    d->event != EVENT_EXIT && (d->from == STATE_STARTING || d->from == STATE_SETTLING ||
					  d->from == STATE_RUNNING || d->from == STATE_ENDING);
	unsigned step = 1;

	if (main)
		return d->config->life->key_stop_command != NULL && !failed ? 0 : 1;
	while (d->config->life->key_kill_mode == KILL_MIXED &&
	       checkcount_stop_signal(d->config, step) != SIGKILL)
		step++;
	return step;
}

/* A run is over: post_stop has had its turn, and nothing of it is left but what may be. */
static void check_run_over(const struct decision *d)
{
	struct shadow *shadow = d->shadow;
	/* In a storm of restarts the group must do. */
	bool quick = d->event == EVENT_EXIT || (d->event == EVENT_HOOK && !d->halting);
	/* Who is not started again may leave what it likes: the next start sees to that. */
	bool stays = !d->halting && d->event != EVENT_GONE && !d->rearmed &&
		     !checkcount_wants_restart(d->config, shadow->wstatus, shadow->failed);

	if (d->to == STATE_CLEANING && d->from != STATE_CLEANING) {
		EXPECT(!shadow->cleaned, "post_stop a second time");
		shadow->cleaned = true;
		shadow->stays = stays;
		check_leftovers(d->program, quick, stays);
	}
	if (!checklink_is_live(d->before) || (checklink_is_live(d->after) && !d->begins))
		return;
	EXPECT(shadow->cleaned || d->config->life->key_post_stop == NULL ||
		   !(d->before->flags & LEDGER_FLAG_BEGUN),
	    "post_stop is left out");
	if (d->from != STATE_CLEANING || d->counted || d->rearmed)
		check_leftovers(d->program, quick, stays);
}

/* ---- the rest of the next state ---- */

/* Policy counts; whatever somebody asks for begins anew. */
static void check_counters(const struct decision *d)
{
	struct shadow *shadow = d->shadow;
	bool up = d->to == STATE_WAITING || d->to == STATE_PREPARING ||
		  (d->to == STATE_STARTING && d->begins);
	bool asked = d->event == EVENT_START || d->event == EVENT_STOP ||
		     d->from == STATE_STOPPED || d->from == STATE_FATAL ||
		     (checklink_is_live(d->before) && (d->halting || d->rearmed));
	bool again = d->from != d->to || d->begins;

	if (up && again && asked && d->from != STATE_WAITING && d->from != STATE_PREPARING) {
		uint32_t started = d->begins ? 1 : 0;

		shadow->failures = 0;
		shadow->window_starts = started;
		shadow->window_ns = started > 0 ? d->happening->now_ns : 0;
	} else if (d->counted) {
		shadow->failures++;
	}
	EXPECT(d->after->failures == shadow->failures, "failures are counted otherwise");
	EXPECT(d->after->window_starts == shadow->window_starts &&
		   d->after->window_ns == shadow->window_ns,
	    "starts are counted otherwise");
}

static void check_deadline(const struct decision *d)
{
	int64_t length_ns = expected_length_ns(d), now_ns = d->happening->now_ns;
	int64_t jitter_ns = 0;

	if (length_ns == DEADLINE_STAYS) {
		EXPECT(d->after->deadline_ns == d->before->deadline_ns, "the deadline has changed");
		return;
	}
	if (length_ns == DEADLINE_NONE) {
		EXPECT(d->after->deadline_ns == 0, "a deadline where there is none");
		return;
	}
	if (d->to == STATE_BACKOFF && d->from != STATE_BACKOFF)
		jitter_ns = length_ns / 100 * d->config->life->key_restart_jitter;
	EXPECT(d->after->deadline_ns >= now_ns + length_ns - 1000, "a deadline that is too early");
	EXPECT(d->after->deadline_ns <= now_ns + length_ns + jitter_ns + 1000,
	    "a deadline that is too late");
	if (d->happening->random == UINT32_MAX && jitter_ns > 0)
		EXPECT(d->after->deadline_ns >= now_ns + length_ns + jitter_ns - 1000,
		    "restart_jitter is left out");
}

static int64_t expected_length_ns(const struct decision *d)
{
	bool same = d->from == d->to;

	if (d->to == STATE_STARTING && !(d->actions & ACTION_LAUNCH))
		return DEADLINE_STAYS;
	if (d->to == STATE_BACKOFF && same)
		return d->event == EVENT_TIMER ? LEFTOVER_WAIT_NS : DEADLINE_STAYS;
	if (d->to == STATE_STOPPING && same && d->after->stop_step == d->before->stop_step &&
	    d->event != EVENT_TIMER)
		return DEADLINE_STAYS;
	if (d->to == STATE_FATAL && same)
		return DEADLINE_STAYS;
	return checkcount_wait_ns(d->config, d->after, d->shadow->failures);
}

static void check_flags(const struct decision *d)
{
	const struct ledger_state *after = d->after;
	unsigned live_only = LEDGER_FLAG_BOUNCE | LEDGER_FLAG_LOST | LEDGER_FLAG_BEGUN;

	EXPECT(after->wanted == d->before->wanted, "a decision changes what is wanted");
	EXPECT(
	    checklink_is_live(after) || !(after->flags & live_only), "a flag of a run outlives it");
	EXPECT(after->wanted == WANTED_UP ||
		   !(after->flags & (LEDGER_FLAG_TURN | LEDGER_FLAG_FRESH | LEDGER_FLAG_KEPT)),
	    "wanted down, and still to be replaced");
	EXPECT(d->to == STATE_STOPPING || !(after->flags & LEDGER_FLAG_REST),
	    "a flag of a stop outlives it");
	EXPECT(d->to == STATE_STOPPING || d->to == STATE_BACKOFF ||
		   !(after->flags & LEDGER_FLAG_KILLED),
	    "a flag of a stop outlives it");
	EXPECT((d->to == STATE_RUNNING && d->event != EVENT_READY) ||
		   !(after->flags & LEDGER_FLAG_RELOADING),
	    "a reload outlives its end, or the run");
	EXPECT(
	    !d->lost || d->begins || !checklink_is_live(after) || (after->flags & LEDGER_FLAG_LOST),
	    "the loss is not noted");
	EXPECT(d->begins || !(d->before->flags & LEDGER_FLAG_LOST) || !checklink_is_live(after) ||
		   (after->flags & LEDGER_FLAG_LOST),
	    "the loss is forgotten");
	EXPECT(!!(after->flags & LEDGER_FLAG_FAILED) == (d->shadow->begun > 0 && d->shadow->failed),
	    "whether the run failed is noted otherwise");
	if (d->event == EVENT_TIMER && d->from == STATE_STOPPING) {
		EXPECT(
		    after->stop_step == d->before->stop_step + 1 || after->stop_step == UINT8_MAX,
		    "a stop that does not go on");
		EXPECT(!checkcount_is_last_step(d->config, after->stop_step) ||
			   (after->flags & LEDGER_FLAG_KILLED),
		    "KILL is not noted");
	}
	EXPECT(d->from != STATE_STOPPING || d->event != EVENT_EXIT || (d->actions & ACTION_PROBE),
	    "nobody looks whether the run is gone");
}

/* on_failure and essential are due when it has come to rest by itself. */
static void check_owed(const struct decision *d)
{
	const struct life_config *life = d->config->life;
	enum on_failure_kind kind = life->key_on_failure.kind;
	bool rests = d->from != d->to && (d->to == STATE_EXITED || d->to == STATE_FATAL);
	bool owed =
	    rests && (life->key_essential || (d->to == STATE_FATAL && kind != ON_FAILURE_NONE &&
						 kind != ON_FAILURE_RETRY));

	if (d->from != d->to) {
		d->shadow->fatal_without_retry = d->after->deadline_ns == 0;
		d->shadow->owed = owed;
		if (owed)
			d->shadow->exit_code = check_exit_code_of(d->shadow, d->to);
		d->shadow->owed_commands = d->shadow->owed_wishes = d->shadow->owed_shutdowns = 0;
	}
	EXPECT(!!(d->after->flags & LEDGER_FLAG_OWED) == d->shadow->owed,
	    "what is owed for its end is noted otherwise");
}
