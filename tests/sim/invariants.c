/* SPDX-License-Identifier: ISC */
/*
 * invariants.c: see invariants.h.
 *
 * check_step() predicts each decision from the shadow and the words of
 * supervisord.conf(5); check_quiet() looks for instances that nothing will ever
 * move again; the rest count.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "supervisord/engine/order.h"
#include "tests/sim/invariants.h"
#include "tests/sim/known.h"

#define KILL_AGAIN_NS    (1 * NS_PER_S)
#define LEFTOVER_WAIT_NS (50 * NS_PER_MS)

static void check_exit(struct world *world, int row, const struct happening *happening,
    const struct ledger_state *before, const struct transition *transition);
static void check_ended(struct world *world, int row, const struct happening *happening,
    const struct ledger_state *before, const struct transition *transition);
static void check_new_launch(struct world *world, int row, const struct ledger_state *before,
    const struct ledger_state *after);
static void check_stopping(struct world *world, int row, const struct happening *happening,
    const struct ledger_state *before, const struct transition *transition);
static void check_timer(struct world *world, int row, const struct happening *happening,
    const struct ledger_state *before, const struct transition *transition);
static void check_state(struct world *world, int row, const struct happening *happening,
    const struct ledger_state *before, const struct transition *transition);
static void check_counts(struct world *world, int row, const struct ledger_state *after);
static bool is_reset(const struct happening *happening, const struct ledger_state *before);
static bool wants_restart(const struct program_config *config, const struct happening *happening);
static int64_t delay_ns(const struct program_config *config, uint32_t failures);
static bool is_live(const struct ledger_state *state);
static bool is_halting(const struct ledger_state *state);
static void check_quiet_row(struct world *world, int row);

#define EXPECT(condition, text)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			world_fail(world, "%c: %s (%s at %s.%s -> %s)", 'A' + row, text,           \
			    #condition, step_state_name((enum state)before->state),                \
			    step_event_name(happening->event),                                     \
			    step_state_name((enum state)transition->state.state));                 \
	} while (0)

#define EXPECT_ROW(condition, text)                                                                \
	do {                                                                                       \
		if (!(condition))                                                                  \
			world_fail(world, "%c in %s: %s (%s)", 'A' + row,                          \
			    step_state_name((enum state)world_state(world, row)->state), text,     \
			    #condition);                                                           \
	} while (0)

static const struct program_config *config_of(const struct world *world, int row)
{
	return &world->engine.programs[row].stanza->config;
}

void check_claim(struct world *world, int row)
{
	world->shadows[row] = (struct shadow){0};
}

void check_step(struct world *world, int row, const struct happening *happening,
    const struct ledger_state *before, const struct transition *transition, int error)
{
	struct shadow *shadow = &world->shadows[row];
	const struct ledger_state *after = &transition->state;

	if (error < 0) {
		world_fail(world, "%c: %s cannot happen in %s", 'A' + row,
		    step_event_name(happening->event), step_state_name((enum state)before->state));
		return;
	}
	if (world->reached != NULL)
		world->reached->cells[before->state][happening->event]++;
	if (after->state != before->state || (transition->actions & ACTION_LAUNCH))
		world_say(world, "%c: %s.%s -> %s%s%s%s", 'A' + row,
		    step_state_name((enum state)before->state), step_event_name(happening->event),
		    step_state_name((enum state)after->state),
		    transition->actions & ACTION_LAUNCH ? " launch" : "",
		    transition->actions & ACTION_SIGNAL ? " signal" : "",
		    transition->actions & ACTION_ESCALATE ? " kill" : "");
	if (is_reset(happening, before))
		shadow->failures = shadow->window_starts = 0, shadow->window_ns = 0;
	if (happening->event == EVENT_EXIT)
		check_exit(world, row, happening, before, transition);
	else if (happening->event == EVENT_GONE && before->state == STATE_STOPPING &&
		 !is_halting(before))
		check_ended(world, row, happening, before, transition);
	else if (happening->event == EVENT_TIMER)
		check_timer(world, row, happening, before, transition);
	if (transition->actions & ACTION_LAUNCH)
		check_new_launch(world, row, before, after);
	if (after->state == STATE_STOPPING && before->state != STATE_STOPPING)
		check_stopping(world, row, happening, before, transition);
	if (happening->event == EVENT_START && !is_live(before)) {
		bool may_start = !world->engine.safe_mode && !world->shutdown &&
				 check_start_blocker(world, row) < 0;

		EXPECT(after->state == (happening->leftovers && before->state != STATE_WAITING
					       ? STATE_STOPPING
					   : may_start ? STATE_STARTING
						       : STATE_WAITING),
		    "a start does not start");
	}
	EXPECT(before->state != STATE_STOPPING || after->state == STATE_STOPPING ||
		   happening->event == EVENT_GONE,
	    "a stop ends before the run is gone");
	check_state(world, row, happening, before, transition);
	check_counts(world, row, after);
}

static void check_exit(struct world *world, int row, const struct happening *happening,
    const struct ledger_state *before, const struct transition *transition)
{
	const struct program_config *config = config_of(world, row);
	const struct ledger_state *after = &transition->state;
	struct shadow *shadow = &world->shadows[row];
	bool again = wants_restart(config, happening);

	EXPECT(happening->run != shadow->acted, "an exit is acted on twice");
	EXPECT(happening->run == before->starts, "the exit of another run is acted on");
	EXPECT(after->run_acted == happening->run, "an exit is not noted as acted on");
	EXPECT(world_leader(world, row) == NULL, "an exit of a run that lives");
	shadow->acted = happening->run;
	if (before->state == STATE_RUNNING && happening->now_ns > shadow->running_ns &&
	    happening->now_ns - shadow->running_ns >= config->key_restart_reset_after)
		shadow->failures = shadow->window_starts = 0, shadow->window_ns = 0;
	if (before->state == STATE_STOPPING) {
		EXPECT(after->state == STATE_STOPPING && (transition->actions & ACTION_PROBE),
		    "the end of a leader ends the stop without a look");
		EXPECT(after->deadline_ns == before->deadline_ns,
		    "the end of a leader stops the clock");
		return;
	}
	if (is_halting(before)) {
		EXPECT(after->state == STATE_STOPPING, "an end does not serve a stop");
		return;
	}
	if (again && happening->leftovers) {
		EXPECT(after->state == STATE_STOPPING && (transition->actions & ACTION_SIGNAL),
		    "leftovers are not told to end before the restart");
		return;
	}
	check_ended(world, row, happening, before, transition);
}

/* A run that nobody has told to end is over. */
static void check_ended(struct world *world, int row, const struct happening *happening,
    const struct ledger_state *before, const struct transition *transition)
{
	const struct program_config *config = config_of(world, row);
	const struct ledger_state *after = &transition->state;
	struct shadow *shadow = &world->shadows[row];
	struct happening end = *happening;
	int64_t delay;

	end.wstatus = after->last_wstatus;
	if (happening->event == EVENT_EXIT)
		end.launched = happening->launched;
	else
		end.launched = !(before->flags & LEDGER_FLAG_FAILED);
	if (!wants_restart(config, &end)) {
		EXPECT(after->state == STATE_EXITED, "restarted against the policy");
		return;
	}
	delay = delay_ns(config, shadow->failures++);
	if (config->key_start_limit > 0 && shadow->window_ns != 0 &&
	    happening->now_ns - shadow->window_ns < config->key_start_limit_interval &&
	    shadow->window_starts >= config->key_start_limit) {
		EXPECT(after->state == STATE_FATAL, "start_limit is not kept");
		return;
	}
	EXPECT(after->state == STATE_BACKOFF || after->state == STATE_STARTING,
	    "not restarted against the policy");
	if (after->state == STATE_BACKOFF)
		EXPECT(llabs(after->deadline_ns - happening->now_ns - delay) < 1000,
		    "the delay is not as the policy says");
	else
		EXPECT(delay == 0, "restarted without the delay");
}

static void check_new_launch(struct world *world, int row, const struct ledger_state *before,
    const struct ledger_state *after)
{
	const struct program_config *config = config_of(world, row);
	struct shadow *shadow = &world->shadows[row];
	int blocker = check_start_blocker(world, row);

	shadow->starts++;
	if (shadow->window_ns == 0 ||
	    world->now_ns - shadow->window_ns >= config->key_start_limit_interval) {
		shadow->window_ns = world->now_ns;
		shadow->window_starts = 0;
	}
	shadow->window_starts++;
	shadow->launch_ns = world->now_ns;
	shadow->stable_ns = config->key_stable_after;
	if (before->wanted != WANTED_UP)
		world_fail(world, "%c is launched and not wanted up", 'A' + row);
	if (world->engine.safe_mode || world->shutdown)
		world_fail(world, "%c is launched in safe mode or shutdown", 'A' + row);
	if (blocker >= 0)
		world_fail(world, "%c is launched before %c is up", 'A' + row, 'A' + blocker);
	if (after->state != STATE_STARTING || after->run_start_ns != world->now_ns ||
	    after->config_hash != config->hash ||
	    after->deadline_ns != world->now_ns + config->key_stable_after)
		world_fail(world, "%c is launched with a wrong state, hash or deadline", 'A' + row);
	if (after->flags & LEDGER_FLAG_BOUNCE)
		world_fail(world, "%c is launched and still to be restarted", 'A' + row);
}

static void check_stopping(struct world *world, int row, const struct happening *happening,
    const struct ledger_state *before, const struct transition *transition)
{
	struct shadow *shadow = &world->shadows[row];
	int blocker = check_stop_blocker(world, row);

	shadow->stop_ns = world->now_ns;
	shadow->stop_timeout_ns = config_of(world, row)->key_stop_timeout;
	EXPECT(is_halting(before) || happening->leftovers, "stopped though it is wanted up");
	EXPECT(transition->actions & ACTION_SIGNAL, "stopped without the signal");
	EXPECT(transition->state.deadline_ns == world->now_ns + shadow->stop_timeout_ns,
	    "a stop without its timeout");
	EXPECT(!(transition->state.flags & LEDGER_FLAG_KILLED),
	    "a stop begins as one that has escalated");
	EXPECT(world->rows[row].pid != 0 || world->rows[row].news ||
		   happening->event != EVENT_EXIT || (transition->actions & ACTION_PROBE),
	    "nobody looks whether the run is gone");
	if (happening->event != EVENT_EXIT && is_live(before) && blocker >= 0)
		world_fail(
		    world, "%c is stopped while %c still has to stop", 'A' + row, 'A' + blocker);
}

static void check_timer(struct world *world, int row, const struct happening *happening,
    const struct ledger_state *before, const struct transition *transition)
{
	const struct ledger_state *after = &transition->state;
	struct shadow *shadow = &world->shadows[row];

	EXPECT(before->deadline_ns != 0 && before->deadline_ns <= world->now_ns,
	    "a timer of no deadline");
	if (before->state == STATE_STARTING) {
		EXPECT(after->state == STATE_RUNNING, "stable_after is over and it is not RUNNING");
		EXPECT(world->now_ns >= shadow->launch_ns + shadow->stable_ns,
		    "RUNNING before stable_after");
		shadow->running_ns = world->now_ns;
	} else if (before->state == STATE_STOPPING) {
		EXPECT(transition->actions & ACTION_ESCALATE, "stop_timeout is over and no KILL");
		EXPECT(world->now_ns >= shadow->stop_ns + shadow->stop_timeout_ns,
		    "KILL before stop_timeout");
		EXPECT(after->deadline_ns == world->now_ns + KILL_AGAIN_NS, "KILL is not repeated");
		EXPECT(after->flags & LEDGER_FLAG_KILLED, "KILL is not noted");
	} else if (before->state == STATE_BACKOFF && happening->leftovers) {
		EXPECT(after->state == STATE_BACKOFF && (transition->actions & ACTION_ESCALATE) &&
			   after->deadline_ns == world->now_ns + LEFTOVER_WAIT_NS,
		    "leftovers at the end of the delay are not killed");
	} else {
		EXPECT(after->state == STATE_STARTING || after->state == STATE_WAITING,
		    "the delay is over and nothing follows");
	}
}

/* What holds of any state after any event. */
static void check_state(struct world *world, int row, const struct happening *happening,
    const struct ledger_state *before, const struct transition *transition)
{
	const struct ledger_state *after = &transition->state;
	bool needs_deadline = after->state == STATE_STARTING || after->state == STATE_BACKOFF ||
			      after->state == STATE_STOPPING;

	EXPECT((after->deadline_ns != 0) == needs_deadline,
	    "a waiting state without deadline, or a resting one with");
	EXPECT(after->state == STATE_STOPPING || !(after->flags & LEDGER_FLAG_REST),
	    "a flag of a stop outlives it");
	EXPECT(after->state == STATE_STOPPING || after->state == STATE_BACKOFF ||
		   !(after->flags & LEDGER_FLAG_KILLED),
	    "a flag of a stop outlives it");
	EXPECT(after->state != STATE_STOPPED || after->wanted != WANTED_UP ||
		   happening->event == EVENT_CHECK,
	    "STOPPED though it is wanted up");
	EXPECT(after->state != STATE_WAITING || after->wanted == WANTED_UP ||
		   happening->event == EVENT_GONE,
	    "WAITING and not wanted up");
	EXPECT(after->state != STATE_STOPPED || world_leader(world, row) == NULL,
	    "STOPPED with a live leader");
	EXPECT(after->state != STATE_STOPPED || world_count_members(world, row) == 0,
	    "STOPPED with processes left");
}

static void check_counts(struct world *world, int row, const struct ledger_state *after)
{
	const struct shadow *shadow = &world->shadows[row];

	if (after->starts != shadow->starts)
		world_fail(world, "%c: starts is %llu, %llu runs were launched", 'A' + row,
		    (unsigned long long)after->starts, (unsigned long long)shadow->starts);
	if (after->failures != shadow->failures)
		world_fail(world, "%c: failures is %u, should be %u", 'A' + row, after->failures,
		    shadow->failures);
	if (after->window_starts != shadow->window_starts || after->window_ns != shadow->window_ns)
		world_fail(world, "%c: %u starts counted in the window, should be %u", 'A' + row,
		    after->window_starts, shadow->window_starts);
}

/* Someone asked for it, and it begins anew. */
static bool is_reset(const struct happening *happening, const struct ledger_state *before)
{
	bool up = before->wanted == WANTED_UP;

	switch ((enum state)before->state) {
	case STATE_STOPPED:
		return (happening->event == EVENT_START && !happening->leftovers) ||
		       (up && (happening->event == EVENT_STOP || happening->event == EVENT_CHECK));
	case STATE_BACKOFF:
	case STATE_EXITED:
	case STATE_FATAL:
		return !happening->leftovers &&
		       (happening->event == EVENT_START || (happening->event == EVENT_STOP && up));
	case STATE_STOPPING:
		return happening->event == EVENT_GONE && up && is_halting(before);
	case STATE_WAITING:
	case STATE_STARTING:
	case STATE_RUNNING:
	case STATE_PREPARING: /* no hooks here */
	case STATE_SETTLING:
	case STATE_ENDING:
	case STATE_CLEANING:
	case STATE_COUNT:
		break;
	}
	return false;
}

static bool wants_restart(const struct program_config *config, const struct happening *happening)
{
	int status = happening->wstatus;
	bool by_signal = WIFSIGNALED(status), success = false;

	for (unsigned code = 0; code < 256; code++)
		if (!by_signal && WEXITSTATUS(status) == (int)code &&
		    (config->key_success_exit.codes[code >> 6] & (1ULL << (code & 63))))
			success = true;
	for (int number = 1; number <= 64; number++)
		if (by_signal && WTERMSIG(status) == number &&
		    (config->key_success_exit.signals & (1ULL << (number - 1))))
			success = true;
	if (config->key_restart == RESTART_NEVER || config->key_restart == RESTART_ALWAYS)
		return config->key_restart == RESTART_ALWAYS;
	if (!happening->launched)
		return true;
	return !success && (config->key_restart == RESTART_ON_FAILURE || by_signal);
}

static int64_t delay_ns(const struct program_config *config, uint32_t failures)
{
	double delay = (double)config->key_restart_delay;
	double most = (double)config->key_restart_delay_max;

	while (failures-- > 0 && delay < most && delay > 0 && config->key_restart_factor > 1)
		delay *= config->key_restart_factor;
	return (int64_t)(delay < most ? delay : most);
}

void check_launch(struct world *world, int row)
{
	const struct ledger_state *state = world_state(world, row);
	struct shadow *shadow = &world->shadows[row];

	EXPECT_ROW(state->state == STATE_STARTING || state->state == STATE_RUNNING,
	    "launched in a state that has no run");
	EXPECT_ROW(state->wanted == WANTED_UP, "launched and not wanted up");
	EXPECT_ROW(!world->engine.programs[row].removed, "launched without a stanza");
	EXPECT_ROW(
	    !world->engine.safe_mode && !world->shutdown, "launched in safe mode or shutdown");
	EXPECT_ROW(state->starts == shadow->starts && state->starts >= shadow->attempted,
	    "launched with a wrong number");
	EXPECT_ROW(world->kills > 0 || state->starts == shadow->attempted + 1,
	    "a run was never launched, or twice");
	shadow->attempted = state->starts;
}

void check_spawn(struct world *world, int row)
{
	struct shadow *shadow = &world->shadows[row];
	int leaders = 0;

	for (int i = 0; i < WORLD_PROCESSES; i++)
		leaders += world->processes[i].pid != 0 && world->processes[i].leader &&
			   !world->processes[i].zombie && world->processes[i].row == row;
	EXPECT_ROW(leaders == 1, "two live runs of one instance");
	EXPECT_ROW(world->rows[row].run != shadow->created, "two processes for one run");
	EXPECT_ROW(!world->rows[row].news, "launched over an exit that nobody has read");
	shadow->created = world->rows[row].run;
}

void check_signal(struct world *world, int row, bool kill)
{
	const struct ledger_state *state = world_state(world, row);

	EXPECT_ROW(state->state == STATE_STOPPING || state->state == STATE_BACKOFF ||
		       (kill && world->engine.forced),
	    "signalled though it is not to stop");
	EXPECT_ROW(world_leader(world, row) == NULL || state->state != STATE_BACKOFF,
	    "a live run is taken for leftovers");
}

void check_drop(struct world *world, int row)
{
	EXPECT_ROW(world->rows[row].end.run == world->shadows[row].acted, "an exit is lost");
}

void check_quiet(struct world *world)
{
	for (int row = 0; row < world->row_count; row++)
		if (world->engine.programs[row].used)
			check_quiet_row(world, row);
}

static void check_quiet_row(struct world *world, int row)
{
	const struct ledger_state *state = world_state(world, row);
	const struct sim_program *program = &world->engine.programs[row];
	const struct sim_process *leader = world_leader(world, row);
	bool forbidden = world->engine.safe_mode || world->shutdown;

	EXPECT_ROW(
	    program->deadline_ns == state->deadline_ns, "the timer is not that of the state");
	switch ((enum state)state->state) {
	case STATE_STARTING:
	case STATE_RUNNING:
		EXPECT_ROW(leader != NULL, "no process and nobody will tell");
		EXPECT_ROW(!is_halting(state) || check_stop_blocker(world, row) >= 0,
		    "to be stopped, and nothing is in the way");
		break;
	case STATE_WAITING:
		EXPECT_ROW(state->wanted == WANTED_UP, "waits for nothing");
		EXPECT_ROW(forbidden || check_start_blocker(world, row) >= 0,
		    "to be started, and nothing is in the way");
		EXPECT_ROW(leader == NULL, "a process nobody knows");
		break;
	case STATE_STOPPING:
		EXPECT_ROW(leader == NULL || leader->told || leader->killed,
		    "its leader was never told to stop");
		EXPECT_ROW(leader != NULL || world_count_members(world, row) > 0,
		    "everything is gone and nobody has looked");
		break;
	case STATE_BACKOFF:
		EXPECT_ROW(state->wanted == WANTED_UP, "to be restarted though it is wanted down");
		EXPECT_ROW(leader == NULL, "a process nobody knows");
		break;
	case STATE_STOPPED:
		EXPECT_ROW(state->wanted != WANTED_UP || forbidden, "wanted up, and left STOPPED");
		EXPECT_ROW(leader == NULL, "a process nobody knows");
		break;
	case STATE_EXITED:
	case STATE_FATAL:
		EXPECT_ROW(leader == NULL, "a process nobody knows");
		break;
	case STATE_PREPARING:
	case STATE_SETTLING:
	case STATE_ENDING:
	case STATE_CLEANING:
		EXPECT_ROW(false, "a hook that nobody has");
		break;
	case STATE_COUNT:
		EXPECT_ROW(false, "no state");
		break;
	}
}

void check_settled(struct world *world)
{
	for (int row = 0; row < world->row_count; row++) {
		const struct ledger_state *state = world_state(world, row);
		const struct shadow *shadow = &world->shadows[row];
		bool ended = state->state == STATE_EXITED || state->state == STATE_FATAL;
		bool up = state->wanted == WANTED_UP;

		if (!world->rows[row].used) {
			EXPECT_ROW(
			    !world->configs[world->held][row].present, "a stanza without a row");
			continue;
		}
		EXPECT_ROW(
		    world->configs[world->held][row].present, "a row whose stanza is gone stays");
		EXPECT_ROW(!up || ended || state->state == STATE_RUNNING, "wanted up, and is not");
		EXPECT_ROW(up || ended || state->state == STATE_STOPPED, "wanted down, and is not");
		EXPECT_ROW(shadow->created == 0 || shadow->acted >= shadow->created ||
			       world_leader(world, row) != NULL,
		    "the end of the last run was never acted on");
		EXPECT_ROW(state->state != STATE_RUNNING ||
			       state->config_hash == world->configs[world->held][row].config.hash,
		    "runs with an old configuration");
	}
}

void check_finished(struct world *world)
{
	for (int row = 0; row < world->row_count; row++)
		if (world->engine.programs[row].used)
			EXPECT_ROW(world_leader(world, row) == NULL, "lives after the shutdown");
}

void check_order(struct world *world, const unsigned *after, int count)
{
	struct order_edge edges[WORLD_ROWS * WORLD_ROWS] = {0};
	unsigned reach[WORLD_ROWS];
	uint32_t path[WORLD_ROWS];
	size_t edge_count = 0;
	bool cycle = false;
	int length;

	memcpy(reach, after, sizeof(*after) * (size_t)count);
	for (int row = 0; row < count; row++)
		for (int first = 0; first < count; first++)
			if ((after[row] >> first) & 1)
				edges[edge_count++] =
				    (struct order_edge){(uint32_t)row, (uint32_t)first};
	for (int k = 0; k < count; k++)
		for (int row = 0; row < count; row++)
			if ((reach[row] >> k) & 1)
				reach[row] |= reach[k];
	for (int row = 0; row < count; row++)
		cycle = cycle || ((reach[row] >> row) & 1);
	length = order_find_cycle((size_t)count, edges, edge_count, path);
	if ((length > 0) != cycle)
		world_fail(
		    world, "order: %s", cycle ? "a cycle is not found" : "a cycle that is none");
	for (int i = 0; i < length; i++)
		if (!((after[path[i]] >> path[(i + 1) % length]) & 1))
			world_fail(world, "order: the path named is not a cycle");
}

int check_start_blocker(const struct world *world, int row)
{
	for (int first = 0; first < world->row_count; first++) {
		const struct ledger_state *state = world_state(world, first);

		if (!((world->engine.programs[row].stanza->after >> first) & 1) ||
		    !world->engine.programs[first].used || state->wanted != WANTED_UP)
			continue;
		if (state->state == STATE_STOPPED || state->state == STATE_WAITING ||
		    state->state == STATE_STARTING || state->state == STATE_BACKOFF ||
		    state->state == STATE_STOPPING || is_halting(state))
			return first; /* not up, or not for long */
	}
	return -1;
}

int check_stop_blocker(const struct world *world, int row)
{
	for (int last = 0; last < world->row_count && !world->engine.forced; last++)
		if (world->engine.programs[last].used &&
		    ((world->engine.programs[last].stanza->after >> row) & 1) &&
		    is_live(world_state(world, last)) && is_halting(world_state(world, last)))
			return last;
	return -1;
}

static bool is_live(const struct ledger_state *state)
{
	return state->state == STATE_STARTING || state->state == STATE_RUNNING ||
	       state->state == STATE_STOPPING;
}

static bool is_halting(const struct ledger_state *state)
{
	return state->wanted == WANTED_DOWN || (state->flags & LEDGER_FLAG_BOUNCE) != 0;
}
