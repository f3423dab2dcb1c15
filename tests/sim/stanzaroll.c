/* SPDX-License-Identifier: ISC */
/*
 * stanzaroll.c: what people write, at random: the first stanzas of a world and their edits, and
 * what of that supervisord would refuse made valid.
 */
#include <signal.h>
#include <string.h>

#include "supervisord/engine/plan.h"
#include "tests/sim/checks.h"
#include "tests/sim/stanza.h"
#include "tests/sim/world.h"

#define PICK(values) ((values)[world_roll(sizeof(values) / sizeof((values)[0]))])
#define CONDITIONS   (DEPEND_COMPLETED + 1)

static char pid_file[] = "pid:?";

static void random_stanza(struct stanza *stanza);
static void random_demand(struct life_config *life);
static void random_restart(struct program_config *config);
static void random_stop(struct stanza *stanza);
static void random_kind(struct stanza *stanza);
static void random_readiness(struct stanza *stanza);
static void random_health(struct life_config *life);
static void random_give_up(struct stanza *stanza);
static void random_links(struct stanza *stanzas);
static void random_conflicts(struct stanza *stanzas);
static bool has_cycle(const struct stanza *stanzas);
static void random_party(struct stanza_set *set);
static void take_as_written(struct stanza_set *set);
static void make_mates_free(struct stanza *stanzas, int program);
static void make_accepting(struct stanza *stanza);
static void make_valid(struct stanza_set *set);
static void make_links_valid(struct stanza *stanzas, int program);
static void make_conflicts_valid(struct stanza *stanzas);
static void leave_down(struct stanza *stanzas, int program);

void stanza_make_first(struct stanza_set *set)
{
	set->shutdown_timeout_ns = world_roll(2) ? 60 * NS_PER_S : 2 * NS_PER_S;
	for (int program = 0; program < world->program_count; program++) {
		random_stanza(&set->programs[program]);
		set->programs[program].present = world_roll(10) > 0 && program < world->run_base;
	}
	random_links(set->programs);
	random_conflicts(set->programs);
	if (world->party_room > 0)
		random_party(set);
	make_valid(set);
	take_as_written(set);
}

void stanza_make_next(struct stanza_set *set, const struct stanza_set *old)
{
	*set = *old;
	memcpy(set->programs, old->plain, sizeof(set->programs));
	set->instances = old->plain_instances;
	for (int program = 0; program < world->program_count; program++) {
		struct stanza *stanza = &set->programs[program];
		struct stanza before = *stanza;

		switch (world_roll(8)) {
		case 0: /* keys that take effect at once, or at the next start */
			random_stanza(stanza);
			stanza->present = before.present;
			stanza->config.hash = before.config.hash;
			stanza->life.key_type = before.life.key_type;
			stanza->life.key_pid_file = before.life.key_pid_file;
			memcpy(stanza->links, before.links, sizeof(before.links));
			stanza->stdout_to = before.stdout_to;
			break;
		case 1:
			stanza->config.hash = 2 * ++world->next_hash;
			if (world_roll(3) == 0)
				random_kind(stanza);
			break;
		case 2:
			/* A few names are rather for superctl run. */
			stanza->present =
			    !before.present && (program < world->run_base || world_roll(3) == 0);
			break;
		default:
			break;
		}
	}
	if (world_roll(3) == 0)
		random_links(set->programs);
	if (world_roll(4) == 0)
		random_conflicts(set->programs);
	if (world->party_room > 0 && world_roll(3) == 0)
		random_party(set);
	make_valid(set);
	take_as_written(set);
}

void stanza_make_calm(struct stanza_set *set)
{
	for (int program = 0; program < STANZA_PROGRAMS; program++) {
		struct stanza *stanza = &set->plain[program];

		stanza->present = stanza->present && !stanza_is_run(set, program);
		stanza->life.key_max_runtime = stanza->life.key_watchdog = 0;
	}
	memset(set->runs, 0, sizeof(set->runs));
	memset(set->set, 0, sizeof(set->set));
	memcpy(set->programs, set->plain, sizeof(set->programs));
	set->instances = set->plain_instances;
	make_valid(set);
	take_as_written(set);
}

/* It is what people have written; what is laid over it in other files stays where it can. */
static void take_as_written(struct stanza_set *set)
{
	memcpy(set->plain, set->programs, sizeof(set->plain));
	set->plain_instances = set->instances;
	for (int program = 0; program < STANZA_PROGRAMS; program++)
		if (!set->plain[program].present)
			set->dropins[program] = (struct stanza_override){.keys = 0};
	if (stanza_compose(set))
		return;
	memset(set->dropins, 0, sizeof(set->dropins));
	/* What is made valid may bring about something else that is not. */
	for (int i = 0; i < STANZA_PROGRAMS; i++) {
		if (stanza_compose(set))
			return;
		make_valid(set);
		memcpy(set->plain, set->programs, sizeof(set->plain));
		set->plain_instances = set->instances;
	}
	world_fail("a configuration cannot be made valid");
}

/* The same for the same number, whenever it is made. */
void stanza_make_run(struct stanza_set *set, int program)
{
	const struct stanza_override *run = &set->runs[program];
	struct stanza *stanza = &set->plain[program];
	uint64_t dice = world->dice, hash = world->next_hash;

	world->dice = world_mix(world->seed ^ world_mix(run->values[STANZA_command]));
	random_stanza(stanza);
	world->dice = dice;
	world->next_hash = hash;
	stanza->present = true;
	stanza->config.hash = (UINT64_C(1) << 40 | run->values[STANZA_command]) << 1;
	stanza->config.key_autostart = run->values[STANZA_autostart] != 0;
	stanza->config.key_restart = (enum restart_policy)run->values[STANZA_restart];
	stanza->life.key_boot = BOOT_CONFIG;
	stanza->stdout_to = -1;
	/* It comes to an end, if it is let. */
	stanza->life.key_on_failure.kind = ON_FAILURE_NONE;
	stanza->on_failure_name = program;
	stanza->life.key_watchdog = stanza->life.key_max_runtime = 0;
	stanza->life.key_start = START_NOW;
	stanza->life.key_accept = false;
	stanza->life.key_idle_stop = 0;
	stanza->life.key_update = UPDATE_STOP_START;
	if (stanza->life.key_type != TYPE_ONESHOT)
		stanza->life.key_remain = false;
}

/* How many there are, and how they are replaced. */
static void random_party(struct stanza_set *set)
{
	static const enum update_mode modes[] = {
	    UPDATE_STOP_START, UPDATE_ROLLING, UPDATE_START_FIRST, UPDATE_START_FIRST};
	struct life_config *life = &set->programs[world->party_base].life;
	unsigned room = (unsigned)world->party_room;

	life->key_update = PICK(modes);
	life->key_max_unavailable = 1 + world_roll(2);
	life->key_max_surge = 1 + world_roll(room - 1 < 2 ? room - 1 : 2);
	set->instances = 1 + (int)world_roll(room);
	life->key_accept = world_roll(4) == 0;
}

static void random_stanza(struct stanza *stanza)
{
	struct life_config *life = &stanza->life;
	static const uint32_t jitters[] = {0, 10, 100};
	static const int64_t hook_timeouts[] = {100, 1000, 30000};

	memset(stanza, 0, sizeof(*stanza));
	stanza->config.hash = 2 * ++world->next_hash;
	stanza->config.instances = 1;
	stanza->config.key_autostart = world_roll(4) > 0;
	stanza->stdout_to = -1;
	random_restart(&stanza->config);
	random_kind(stanza);
	random_stop(stanza);
	random_readiness(stanza);
	random_health(life);
	random_demand(life);
	if (world_roll(3) == 0)
		random_give_up(stanza);
	life->key_restart_jitter = PICK(jitters);
	life->key_hook_timeout = PICK(hook_timeouts) * NS_PER_MS;
	life->key_smooth = world_roll(4) == 0;
	life->key_update = world_roll(4) == 0 ? UPDATE_ROLLING : UPDATE_STOP_START;
	life->key_max_unavailable = life->key_max_surge = 1;
	life->key_soak = world_roll(3) == 0 ? 300 * NS_PER_MS : 0;
	life->key_boot = world_roll(8) == 0 ? BOOT_LAST_STATE : BOOT_CONFIG;
	if (world_roll(2))
		for (int hook = 0; hook < HOOK_COUNT; hook++)
			stanza->hooks[hook] = world_roll(3) == 0;
	if (!stanza->hooks[HOOK_RELOAD] && world_roll(3) == 0)
		life->key_reload_signal = SIGUSR1;
}

/* One in six is started when somebody connects. */
static void random_demand(struct life_config *life)
{
	static const uint32_t limits[] = {2, 20};
	static const int64_t idles[] = {0, 0, 300};

	life->key_start = world_roll(6) == 0 ? START_ON_DEMAND : START_NOW;
	life->key_trigger_limit = PICK(limits);
	life->key_trigger_limit_interval = 2 * NS_PER_S;
	life->key_accept = life->key_start == START_ON_DEMAND && world_roll(2);
	life->key_max_connections_per_source = world_roll(2) ? 1 + world_roll(2) : 0;
	life->key_idle_stop = life->key_start == START_ON_DEMAND ? PICK(idles) * NS_PER_MS : 0;
}

static void random_restart(struct program_config *config)
{
	static const int64_t delays[] = {0, 10, 200, 1000}, most[] = {200, 1000, 30000};
	static const double factors[] = {1, 1.5, 2, 10};
	static const int64_t resets[] = {0, 500, 5000, 60000}, intervals[] = {500, 10000, 60000};
	static const uint32_t limits[] = {1, 2, 3, 5, 0};
	static const int64_t stables[] = {0, 100, 1000};

	config->key_restart = (enum restart_policy)world_roll(4);
	config->key_success_exit.codes[0] = world_roll(3) ? 1 : 1 | 1 << 2 | 1ULL << 42;
	config->key_success_exit.signals = world_roll(3) ? 0 : 1ULL << (SIGTERM - 1);
	config->key_restart_delay = PICK(delays) * NS_PER_MS;
	config->key_restart_delay_max = PICK(most) * NS_PER_MS;
	if (config->key_restart_delay_max < config->key_restart_delay)
		config->key_restart_delay_max = config->key_restart_delay;
	config->key_restart_factor = PICK(factors);
	config->key_restart_reset_after = PICK(resets) * NS_PER_MS;
	config->key_start_limit = PICK(limits);
	config->key_start_limit_interval = PICK(intervals) * NS_PER_MS;
	config->key_stable_after = PICK(stables) * NS_PER_MS;
	/* What never gives up and never waits would fill the schedule alone. */
	if (config->key_start_limit == 0 && config->key_restart_delay < 200 * NS_PER_MS)
		config->key_restart_delay = config->key_restart_delay_max = 200 * NS_PER_MS;
}

static void random_stop(struct stanza *stanza)
{
	static const int64_t timeouts[] = {10, 500, 5000};
	static const int signals[] = {SIGTERM, SIGINT, SIGQUIT};
	static const enum kill_mode modes[] = {
	    KILL_ALL, KILL_ALL, KILL_ALL, KILL_ALL, KILL_PROCESS, KILL_MIXED};
	struct stop_sequence *sequence = &stanza->life.key_stop_sequence;

	stanza->config.key_stop_signal = PICK(signals);
	stanza->config.key_stop_timeout = PICK(timeouts) * NS_PER_MS;
	stanza->life.key_kill_mode = PICK(modes);
	if (world_roll(4) > 0)
		return;
	sequence->count = 1 + world_roll(3);
	for (uint32_t i = 0; i < sequence->count; i++)
		sequence->steps[i] = (struct stop_step){
		    .signal = i > 0 && world_roll(4) == 0 ? SIGKILL : PICK(signals),
		    .wait_ns = PICK(timeouts) * NS_PER_MS,
		};
}

/* What makes another program of it: its hash is another one. */
static void random_kind(struct stanza *stanza)
{
	static const enum program_type types[] = {TYPE_SERVICE, TYPE_SERVICE, TYPE_SERVICE,
	    TYPE_SERVICE, TYPE_SERVICE, TYPE_ONESHOT, TYPE_ONESHOT, TYPE_FORKING};

	stanza->life.key_type = PICK(types);
	stanza->life.key_remain = stanza->life.key_type == TYPE_ONESHOT && world_roll(2);
	stanza->life.key_pid_file = NULL;
	if (stanza->life.key_type == TYPE_FORKING && world_roll(2))
		stanza->life.key_pid_file = pid_file; /* which one: see stanza_build() */
	if (world_roll(16) == 0)
		stanza->stdout_to = (int)world_roll((unsigned)world->program_count);
}

static void random_readiness(struct stanza *stanza)
{
	static const enum check_kind kinds[] = {CHECK_NONE, CHECK_NONE, CHECK_NONE, CHECK_NONE,
	    CHECK_NOTIFY, CHECK_NOTIFY, CHECK_EXEC, CHECK_TCP};
	static const int64_t timeouts[] = {0, 200, 1000, 5000}, intervals[] = {50, 500};
	struct life_config *life = &stanza->life;

	life->key_ready.kind = PICK(kinds);
	life->key_ready_interval = PICK(intervals) * NS_PER_MS;
	life->key_start_timeout = PICK(timeouts) * NS_PER_MS;
}

static void random_health(struct life_config *life)
{
	static const int64_t intervals[] = {100, 1000, 10000}, runtimes[] = {500, 5000};
	static const enum check_kind kinds[] = {CHECK_NONE, CHECK_NONE, CHECK_NONE, CHECK_NONE,
	    CHECK_NONE, CHECK_EXEC, CHECK_TCP, CHECK_TCP};
	static const enum health_action_kind actions[] = {
	    HEALTH_RESTART, HEALTH_RESTART, HEALTH_SIGNAL, HEALTH_NOTHING};

	life->key_health_check.kind = PICK(kinds);
	life->key_health_interval = PICK(intervals) * NS_PER_MS;
	life->key_health_timeout = 200 * NS_PER_MS;
	life->key_health_failures = 1 + world_roll(3);
	life->key_health_successes = 1 + world_roll(2);
	life->key_health_on_failure.kind = PICK(actions);
	life->key_health_on_failure.signal = SIGUSR1;
	if (world_roll(12) == 0)
		life->key_watchdog = PICK(intervals) * NS_PER_MS;
	if (world_roll(12) == 0)
		life->key_max_runtime = PICK(runtimes) * NS_PER_MS;
}

static void random_give_up(struct stanza *stanza)
{
	static const enum on_failure_kind kinds[] = {ON_FAILURE_RETRY, ON_FAILURE_RETRY,
	    ON_FAILURE_START, ON_FAILURE_START, ON_FAILURE_EXEC, ON_FAILURE_EXEC,
	    ON_FAILURE_SHUTDOWN, ON_FAILURE_REBOOT, ON_FAILURE_NONE};
	static const int64_t delays[] = {100, 3000, 60000};
	struct life_config *life = &stanza->life;

	life->key_on_failure.kind = PICK(kinds);
	life->key_on_failure.delay_ns = PICK(delays) * NS_PER_MS;
	stanza->on_failure_name = (int)world_roll((unsigned)world->program_count);
	life->key_essential = world_roll(6) == 0;
	if (world_roll(3) == 0)
		life->key_restart_force_exit.codes[0] = 1ULL << 42;
	if (world_roll(3) == 0)
		life->key_restart_prevent_exit.codes[0] = 1ULL << 2;
	if (world_roll(3) == 0)
		life->key_restart_prevent_exit.signals = 1ULL << (SIGSEGV - 1);
}

/* Along a random order, so there is no cycle; and one graph that may have some, for order.c. */
static void random_links(struct stanza *stanzas)
{
	unsigned place[STANZA_PROGRAMS], any[STANZA_PROGRAMS] = {0};
	unsigned density = world_roll(5);

	for (int row = 0; row < world->program_count; row++) {
		place[row] = world_roll(1000) * STANZA_PROGRAMS + (unsigned)row;
		if (stanza_are_mates(row, world->party_base))
			place[row] = place[world->party_base];
		for (int other = 0; other < STANZA_PROGRAMS; other++) {
			bool conflicts = stanzas[row].links[other].conflicts;

			stanzas[row].links[other] = (struct stanza_link){.conflicts = conflicts};
		}
	}
	for (int row = 0; row < world->program_count; row++) {
		for (int first = 0; first < world->program_count; first++) {
			struct stanza_link *link = &stanzas[row].links[first];
			unsigned kind = world_roll(8);

			if (world_roll(16) < density)
				any[row] |= 1U << first;
			if (place[first] >= place[row] || world_roll(16) >= 2 * density)
				continue;
			link->requires = kind < 4;
			link->wants = kind == 4 || kind == 5;
			link->after = kind == 6 || world_roll(8) == 0;
			stanzas[first].links[row].before = kind == 7;
			if (world_roll(2))
				link->condition = (uint8_t)world_roll(CONDITIONS);
			if (kind == 7)
				stanzas[first].links[row].condition = link->condition;
		}
	}
	check_order(any, world->program_count);
}

static void random_conflicts(struct stanza *stanzas)
{
	bool few = world_roll(2);

	for (int row = 0; row < world->program_count; row++)
		for (int other = 0; other < world->program_count; other++)
			stanzas[row].links[other].conflicts =
			    row != other && few && world_roll(24) == 0;
}

/* ---- what a configuration is refused for ---- */

bool stanza_is_valid(const struct stanza_set *set)
{
	static struct stanza_set valid;

	valid = *set;
	make_valid(&valid);
	return memcmp(&valid, set, sizeof(valid)) == 0 && !has_cycle(set->programs);
}

/* Parts of two orders need not be one. */
static bool has_cycle(const struct stanza *stanzas)
{
	unsigned comes_after[STANZA_PROGRAMS] = {0};

	for (int row = 0; row < world->program_count; row++) {
		for (int first = 0; first < world->program_count; first++) {
			const struct stanza_link *link = &stanzas[row].links[first];

			if (link->requires || link->wants || link->after)
				comes_after[row] |= 1U << first;
			if (link->before)
				comes_after[first] |= 1U << row;
		}
	}
	for (int middle = 0; middle < world->program_count; middle++)
		for (int row = 0; row < world->program_count; row++)
			if ((comes_after[row] >> middle) & 1)
				comes_after[row] |= comes_after[middle];
	for (int row = 0; row < world->program_count; row++)
		if ((comes_after[row] >> row) & 1)
			return true;
	return false;
}

/* All instances have the stanza of the first one; some are extra ones, for an update. */
void stanza_spread(struct stanza_set *set)
{
	const struct stanza *first = &set->programs[world->party_base];
	struct life_config *life = &set->programs[world->party_base].life;
	int room = world->party_room, extra;

	if (life->key_accept)
		make_accepting(&set->programs[world->party_base]);
	if (life->key_type == TYPE_ONESHOT)
		life->key_update = UPDATE_STOP_START;
	extra = life->key_update == UPDATE_START_FIRST ? (int)life->key_max_surge : 0;
	if (set->instances + extra > room)
		set->instances = room - extra;
	for (int number = 0; number < room; number++) {
		struct stanza *mate = &set->programs[world->party_base + number];

		*mate = *first;
		mate->present = first->present && number < set->instances + extra;
		mate->config.instances = (uint32_t)set->instances;
		mate->config.surge = number >= set->instances;
		make_mates_free(set->programs, world->party_base + number);
	}
}

/* They say nothing of each other, and nobody of an extra one. */
static void make_mates_free(struct stanza *stanzas, int program)
{
	struct stanza *stanza = &stanzas[program];

	for (int other = 0; other < world->program_count; other++) {
		if (stanza_are_mates(program, other))
			stanza->links[other] = (struct stanza_link){.requires = false};
		else if (stanza->config.surge)
			stanzas[other].links[program] = (struct stanza_link){.requires = false};
		if (stanza->config.surge && stanzas[other].stdout_to == program)
			stanzas[other].stdout_to = -1;
		if (stanza->config.surge && stanzas[other].on_failure_name == program)
			stanzas[other].on_failure_name = other; /* which is none */
	}
	if (stanza->stdout_to >= 0 && stanza_are_mates(program, stanza->stdout_to))
		stanza->stdout_to = -1;
	if (stanza_are_mates(program, stanza->on_failure_name))
		stanza->on_failure_name = program;
}

static void make_valid(struct stanza_set *set)
{
	struct stanza *stanzas = set->programs;

	if (world->party_room > 0)
		stanza_spread(set);
	for (int program = 0; program < world->program_count; program++) {
		struct stanza *stanza = &stanzas[program];

		if (stanza->life.key_type == TYPE_ONESHOT) {
			stanza->life.key_start = START_NOW;
			stanza->life.key_idle_stop = 0;
			stanza->life.key_update = UPDATE_STOP_START;
			if (stanza->config.key_restart == RESTART_ALWAYS)
				stanza->config.key_restart = RESTART_ON_FAILURE;
		} else {
			stanza->life.key_remain = false;
		}
		if (stanza->life.key_accept)
			make_accepting(stanza);
		stanza->config.hash = plan_mark_hash(stanza->config.hash, stanza->life.key_accept);
		if (stanza->stdout_to == program ||
		    (stanza->stdout_to >= 0 &&
			(!stanzas[stanza->stdout_to].present || stanza->stdout_to < program ||
			    stanzas[stanza->stdout_to].life.key_accept)))
			stanza->stdout_to = -1;
		if (stanza->life.key_on_failure.kind == ON_FAILURE_START &&
		    (stanza->on_failure_name == program ||
			!stanzas[stanza->on_failure_name].present))
			stanza->life.key_on_failure.kind = ON_FAILURE_NONE;
		make_links_valid(stanzas, program);
	}
	make_conflicts_valid(stanzas);
}

/* What each connection has a run of. */
static void make_accepting(struct stanza *stanza)
{
	struct life_config *life = &stanza->life;

	life->key_type = TYPE_SERVICE;
	life->key_remain = false;
	life->key_start = START_ON_DEMAND;
	life->key_idle_stop = life->key_watchdog = 0;
	life->key_trigger_limit = 0;
	life->key_update = UPDATE_STOP_START;
	life->key_ready.kind = life->key_health_check.kind = CHECK_NONE;
	stanza->hooks[HOOK_PRE_START] = false;
}

static void make_links_valid(struct stanza *stanzas, int program)
{
	for (int other = 0; other < STANZA_PROGRAMS; other++) {
		struct stanza_link *link = &stanzas[program].links[other];
		/* A condition is about the one that comes first. */
		const struct stanza *first = &stanzas[link->before ? program : other];

		if (!stanzas[other].present)
			*link = (struct stanza_link){.requires = false};
		if (stanzas[other].life.key_accept)
		link->requires = link->wants = false;
		if ((link->condition == DEPEND_COMPLETED &&
			(first->config.key_restart == RESTART_ALWAYS ||
			    first->life.key_start == START_ON_DEMAND)) ||
		    (link->condition == DEPEND_HEALTHY &&
			first->life.key_health_check.kind == CHECK_NONE))
			link->condition = DEPEND_READY;
	}
}

/* With all instances, which have one stanza. */
static void leave_down(struct stanza *stanzas, int program)
{
	for (int other = 0; other < world->program_count; other++)
		if (other == program || stanza_are_mates(program, other))
			stanzas[other].config.key_autostart = false;
}

/* Nobody may bring both sides, and supervisord itself must not either. */
static void make_conflicts_valid(struct stanza *stanzas)
{
	unsigned brings[STANZA_PROGRAMS] = {0};

	for (int row = 0; row < world->program_count; row++)
		for (int first = 0; first < world->program_count; first++)
			if (stanzas[row].present &&
			    (row == first || stanzas[row].links[first].requires ||
				stanzas[row].links[first].wants))
				brings[row] |= 1U << first;
	for (int middle = 0; middle < world->program_count; middle++)
		for (int row = 0; row < world->program_count; row++)
			if ((brings[row] >> middle) & 1)
				brings[row] |= brings[middle];
	for (int row = 0; row < world->program_count; row++) {
		for (int other = 0; other < world->program_count; other++) {
			unsigned both = 1U << row | 1U << other, up = 0;

			if (!stanzas[row].links[other].conflicts)
				continue;
			for (int third = 0; third < world->program_count; third++) {
				if ((brings[third] & both) == both)
					stanzas[row].links[other].conflicts = false;
				if (stanzas[third].present && stanzas[third].config.key_autostart)
					up |= brings[third];
			}
			for (int third = 0; third < world->program_count; third++)
				if (stanzas[row].links[other].conflicts && (up & both) == both &&
				    ((brings[third] >> other) & 1))
					leave_down(stanzas, third);
		}
	}
}
