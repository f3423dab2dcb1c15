/* SPDX-License-Identifier: ISC */
/* driver.c: see driver.h. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "supervisord/engine/engine.h"
#include "tests/sim/checks.h"
#include "tests/sim/driver.h"
#include "tests/sim/fake.h"
#include "tests/sim/kernel.h"
#include "tests/sim/memory.h"
#include "tests/sim/steps.h"

/* No end of faults is followed by more than this; see settle(). */
#define SETTLE_NS (400 * NS_PER_S)
/* So long everything has been as it should be: it is not just passing by. */
#define SETTLED_NS (10 * NS_PER_S)
/* More moments than any schedule has. */
#define INSTANTS_MAX 60000

#define PICK(values, dice) ((values)[(dice) % (sizeof(values) / sizeof((values)[0]))])

static void start(const struct schedule *schedule, bool verbose);
static void run_engine(void);
static void bury_engine(void);
static void go_on(void);
static void do_event(const struct schedule_event *event);
static void command(const struct schedule_event *event);
static void change(const struct schedule_event *event);
static int pick_unnamed(int program);
static int pick_run(int program);
static struct stanza_override random_override(bool values);
static void say(const struct schedule_event *event);
static void edit(void);
static void apply(const struct schedule_event *event);
static void plan_kill(const struct schedule_event *event);
static void suspend(int64_t length_ns);
static void restart_machine(void);
static void pass(int64_t length_ns);
static void go_to_next_instant(void);
static int64_t next_instant_ns(void);
static void note_drained(void);
static void settle(void);
static void make_calm(void);
static bool needs_calm_config(void);
static void finish(void);

void driver_run(const struct schedule *schedule, bool verbose)
{
	start(schedule, verbose);
	while (!world->failed && !world->over) {
		if (world->boot_wanted) {
			world->boot_wanted = false;
			run_engine();
		} else {
			go_on();
		}
	}
	steps_forget_plans();
}

static void start(const struct schedule *schedule, bool verbose)
{
	world_init(schedule->seed);
	steps_forget_plans();
	world->schedule = schedule;
	world->verbose = verbose;
	world->dice = world_mix(schedule->seed + 1);
	world->program_count = 1 + (int)world_roll(STANZA_PROGRAMS);
	world->cgroups = world_roll(2);
	if (world->program_count > 2 && world_roll(3) == 0) {
		world->party_room = 2 + (int)world_roll((unsigned)world->program_count - 2);
		world->party_base =
		    (int)world_roll((unsigned)(world->program_count - world->party_room) + 1);
	}
	world->run_base = world->program_count;
	if (world->program_count < STANZA_PROGRAMS && world_roll(2))
		world->program_count++;
	stanza_make_first(&world->configs[0]);
	if (verbose) {
		printf("  %s\n", world->cgroups ? "with cgroups" : "without cgroups");
		stanza_print(&world->configs[0]);
	}
	world->boot_wanted = true;
}

/* One life of an engine. */
static void run_engine(void)
{
	struct engine_options options = {.config_path = "/sim", .safe_mode = world->boot_safe};
	int code;

	world->boot_safe = false;
	world->engine = (struct sim_engine){
	    .alive = true, .safe = options.safe_mode, .operation = COMMAND_NONE};
	world->message_count = 0;
	world->command.given = world->bell = false;
	for (int slot = 0; slot < WORLD_SLOTS; slot++)
		if (world->slots[slot].draining && world->drained_ns[slot] == 0)
			world->slots[slot] = (struct slot){.key = 0};
	world_say("an engine starts%s", options.safe_mode ? " in safe mode" : "");
	if (world->reached != NULL)
		world->reached->boots++;
	check_boot();
	if (setjmp(world->killed) == 0) {
		code = engine_run(&options);
		world->engine.alive = false;
		if (!world->end.done)
			world_fail("the engine ends by itself with %d", code);
		if (!memory_is_empty())
			world_fail("an engine that ends leaves memory behind");
		world->over = true;
	}
	bury_engine();
}

static void bury_engine(void)
{
	check_death();
	memory_drop_all();
	world->engine = (struct sim_engine){.alive = false};
	if (world->failed || world->over)
		return;
	world->kills++;
	if (world->reached != NULL)
		world->reached->kills++;
	world_say("the engine is dead");
	kernel_guardian_finish();
}

void driver_advance(void)
{
	while (!world->failed && !world->over && !loop_is_ready())
		go_on();
}

/* The next thing that happens. */
static void go_on(void)
{
	if (kernel_guardian_has_work()) {
		kernel_guardian_finish();
		return;
	}
	if (world->engine.alive)
		check_quiet();
	if (world->failed)
		return;
	if (world->settling && (world->ledger->header.shutdown || !check_is_settled()))
		world->settled_ns = 0;
	else if (world->settling && world->settled_ns == 0)
		world->settled_ns = world->now_ns;
	if (world->settled_ns != 0 && world->now_ns - world->settled_ns > SETTLED_NS)
		finish();
	else if (world->passing)
		go_to_next_instant();
	else if (world->next < world->schedule->count)
		do_event(&world->schedule->events[world->next++]);
	else if (!world->settling)
		settle();
	else
		finish();
}

static void do_event(const struct schedule_event *event)
{
	static const int statuses[] = {0, 1 << 8, 2 << 8, 15, 11 | 0x80, 9, 42 << 8};
	int program = (int)(event->programs % STANZA_PROGRAMS);
	int wstatus = PICK(statuses, event->amount);

	if (world->verbose)
		schedule_print_event(event);
	world->dice = event->salt;
	switch (event->kind) {
	case SCHEDULE_PASS:
		pass(event->amount * NS_PER_MS);
		break;
	case SCHEDULE_START:
	case SCHEDULE_STOP:
	case SCHEDULE_RESTART:
	case SCHEDULE_RELOAD:
		command(event);
		break;
	case SCHEDULE_RUN:
	case SCHEDULE_FORGET:
	case SCHEDULE_SET:
	case SCHEDULE_UNSET:
	case SCHEDULE_ENABLE:
		change(event);
		break;
	case SCHEDULE_END:
		kernel_end_main(program, wstatus);
		break;
	case SCHEDULE_END_SOON:
		steps_plan_end(event->amount * event->amount, program, wstatus);
		break;
	case SCHEDULE_SAY:
		say(event);
		break;
	case SCHEDULE_CONNECT:
		/* Rather to those that share a socket: that takes some to be full. */
		if (world->party_room > 0 && world_roll(2))
			program = world->party_base;
		kernel_connect(program, event->amount);
		break;
	case SCHEDULE_APPLY:
		apply(event);
		break;
	case SCHEDULE_KILL:
		plan_kill(event);
		break;
	case SCHEDULE_BOOT:
		world->boot_wanted = !world->engine.alive;
		break;
	case SCHEDULE_SLOW:
		steps_plan_guardian(event->amount * 3);
		world->slow_guardian = true;
		break;
	case SCHEDULE_CLOCK:
		if (!world->schedule->still)
			world->wall_offset_ns += (event->amount % 2 ? 3600 : -3600) * NS_PER_S;
		break;
	case SCHEDULE_SUSPEND:
		suspend(event->amount * NS_PER_S);
		break;
	case SCHEDULE_SAFE:
		world->boot_wanted = world->boot_safe = true;
		if (world->engine.alive)
			steps_kill();
		break;
	case SCHEDULE_SHUTDOWN:
		fake_request_shutdown();
		break;
	case SCHEDULE_MACHINE:
		restart_machine();
		break;
	case SCHEDULE_COUNT:
		break;
	}
}

static void command(const struct schedule_event *event)
{
	if (!world->engine.alive)
		return;
	world->command = (struct sim_command){
	    .given = true,
	    .kind = (enum command_kind)(event->kind - SCHEDULE_START),
	    .programs = event->programs,
	    .force = world_roll(3) == 0,
	    .rolling = world_roll(3) == 0,
	    .wait = world_roll(3) > 0,
	};
}

/* What is applied, or written into a file of ours, of one program. */
static void change(const struct schedule_event *event)
{
	struct sim_command command = {
	    .given = true,
	    .kind = (enum command_kind)(COMMAND_RUN + (event->kind - SCHEDULE_RUN)),
	    .program = (int)(event->programs % (unsigned)world->program_count),
	    .persist = world_roll(3) == 0,
	    .enabled = world_roll(2),
	    .wait = world_roll(2),
	};

	if (!world->engine.alive)
		return;
	if (command.kind == COMMAND_RUN) {
		command.program = pick_unnamed(command.program);
		command.persist = false;
		command.given_keys.keys = world_roll(3) == 0 ? 1U << STANZA_restart : 0;
		command.given_keys.values[STANZA_restart] = world_roll(4);
		command.given_keys.values[STANZA_autostart] = world_roll(4) > 0;
		command.given_keys.values[STANZA_command] = ++world->next_run;
	} else if (world_roll(3) > 0) {
		command.program = pick_run(command.program);
	}
	if (command.kind == COMMAND_FORGET || command.kind == COMMAND_ENABLE) {
		command.persist = command.kind == COMMAND_ENABLE;
	} else if (command.kind != COMMAND_RUN) {
		command.given_keys = random_override(command.kind == COMMAND_SET);
	}
	world->command = command;
}

/* Mostly one that has no stanza. */
static int pick_unnamed(int program)
{
	const struct stanza_set *set =
	    &world->configs[world->held >= 0 ? world->held : world->files];

	for (int i = 0; i < world->program_count && world_roll(10) > 0; i++) {
		if (!set->programs[program].present && !stanza_are_mates(program, program))
			break;
		program = (program + 1) % world->program_count;
	}
	return program;
}

/* Another one of superctl run, if there is one. */
static int pick_run(int program)
{
	for (int i = 0; i < world->program_count && world->held >= 0; i++)
		if (stanza_is_run(&world->configs[world->held], i))
			return i;
	return program;
}

static struct stanza_override random_override(bool values)
{
	struct stanza_override override = {.keys = world_roll(1U << STANZA_KEY_COUNT)};

	if (world_roll(3) > 0)
		override.keys &= ~(1U << STANZA_instances);
	if (values && override.keys == 0)
		override.keys = 1U << STANZA_command;
	override.values[STANZA_autostart] = world_roll(2);
	override.values[STANZA_restart] = world_roll(4);
	override.values[STANZA_command] = 1 + world_roll(3);
	override.values[STANZA_instances] = 1 + world_roll(4);
	return override;
}

static void say(const struct schedule_event *event)
{
	static const enum note_kind kinds[] = {NOTE_READY, NOTE_READY, NOTE_WATCHDOG, NOTE_TRIGGER,
	    NOTE_RELOADING, NOTE_EXTEND, NOTE_MAIN};
	int program = (int)(event->programs % STANZA_PROGRAMS), row = world_row(program);
	const struct sim_process *process = kernel_main(program);

	if (row < 0 || process == NULL || world->note_count == WORLD_NOTES)
		return;
	world->notes[world->note_count] = (struct sim_note){
	    .kind = PICK(kinds, event->amount),
	    .row = row,
	    .claim = world->rows[row].claim,
	    .pid = process->pid,
	};
	/* Another process of the run is to be the main one: any that the guardian would hear of. */
	if (world->notes[world->note_count].kind == NOTE_MAIN)
		for (int i = 0; i < world->process_count; i++)
			if (world->processes[i].program == program &&
			    world->processes[i].kind == MAIN_PROCESS)
				world->notes[world->note_count].pid = world->processes[i].pid;
	world->note_count++;
}

/* Other files: neither over what is held nor over what the engine may be about to apply. */
static void edit(void)
{
	int next = world_free_config();

	stanza_make_next(&world->configs[next], &world->configs[world->files]);
	world->files = next;
	if (world->verbose)
		stanza_print(&world->configs[next]);
}

/* By SIGHUP, or by a command: all of the files or some programs, for good or on trial. */
static void apply(const struct schedule_event *event)
{
	if (!world->engine.alive || world->ledger->header.shutdown)
		return;
	if (world_roll(4) > 0)
		edit();
	if (world_roll(2)) {
		world->command = (struct sim_command){
		    .given = true,
		    .kind = COMMAND_APPLY,
		    .programs = world_roll(2) ? event->programs : 0,
		    .rollback = world_roll(2),
		    .wait = world_roll(2),
		};
		return;
	}
	if (world->message_count < WORLD_MESSAGES)
		world->messages[world->message_count++] = (struct msg_head){.type = MSG_RELOAD};
}

/* By effects, or by blocks: few or many. */
static void plan_kill(const struct schedule_event *event)
{
	unsigned scale = world_roll(3);

	if (scale == 0)
		steps_plan_kill(event->amount, true);
	else
		steps_plan_kill(event->amount * (scale == 1 ? 10 : 150) + world_roll(150), false);
}

/* The clock goes on, the processes stand still. */
static void suspend(int64_t length_ns)
{
	world->now_ns += length_ns;
	for (int i = 0; i < world->process_count; i++) {
		struct sim_process *process = &world->processes[i];

		process->end_ns += process->end_ns != 0 ? length_ns : 0;
		process->fork_ns += process->fork_ns != 0 ? length_ns : 0;
		process->say_ns += process->say_ns != 0 ? length_ns : 0;
	}
}

/* Nothing is left of it but what is on disk. */
static void restart_machine(void)
{
	world_say("the machine is switched off and on");
	memset(world->callers, 0, sizeof(world->callers));
	memset(world->ledger, 0, sizeof(*world->ledger));
	world->ledger->header.guardian_pid = WORLD_GUARDIAN;
	world->ledger->header.engine_pid = WORLD_ENGINE;
	world->ledger->header.nonce = 1;
	world_forget_rows();
	world_forget_history();
	memset(world->slots, 0, sizeof(world->slots));
	memset(world->leaves, 0, sizeof(world->leaves));
	world->process_count = world->note_count = 0;
	world->held = world->trial.from = world->trial_made.from = -1;
	world->commit.active = false;
	check_machine();
	world->boot_wanted = true;
	if (world->engine.alive)
		steps_kill();
}

/* ---- time ---- */

static void pass(int64_t length_ns)
{
	world->passing = true;
	world->until_ns = world->now_ns + length_ns;
}

static void go_to_next_instant(void)
{
	int64_t next_ns = next_instant_ns();

	if (++world->instants > INSTANTS_MAX) {
		world_fail("too much happens");
		return;
	}
	if (next_ns > world->until_ns) {
		if (world->until_ns > world->now_ns)
			world->now_ns = world->until_ns;
		world->passing = false;
		return;
	}
	/* The machine is busy: what is due close to each other is seen together. */
	if (!world->calm && world_roll(4) == 0)
		next_ns += NS_PER_MS * (int64_t)world_roll(60);
	if (next_ns > world->now_ns)
		world->now_ns = next_ns;
	kernel_do_due();
	note_drained();
	/* Now and then the engine's timer is faster than the guardian. */
	if (!world->engine.alive || world->calm || world_roll(4) > 0)
		kernel_guardian_finish();
}

static int64_t next_instant_ns(void)
{
	int64_t next_ns = kernel_next_ns();

	if (world->engine.alive && world->engine.timer_ns != 0 && world->engine.timer_ns < next_ns)
		next_ns = world->engine.timer_ns;
	for (int slot = 0; slot < WORLD_SLOTS; slot++)
		if (world->slots[slot].draining && world->drained_ns[slot] != 0 &&
		    world->drained_ns[slot] < next_ns)
			next_ns = world->drained_ns[slot];
	return next_ns;
}

/* The logger is done with a pipe, and the guardian passes that on, or tells the next engine. */
static void note_drained(void)
{
	for (int slot = 0; slot < WORLD_SLOTS; slot++) {
		if (!world->slots[slot].draining || world->drained_ns[slot] == 0 ||
		    world->drained_ns[slot] > world->now_ns)
			continue;
		if (!world->engine.alive) {
			world->slots[slot] = (struct slot){.key = 0};
			continue;
		}
		if (world->message_count == WORLD_MESSAGES)
			return;
		world->drained_ns[slot] = 0; /* it has been told */
		world->messages[world->message_count++] = (struct msg_head){
		    .type = MSG_DRAINED, .slot = (uint32_t)slot, .key = world->slots[slot].key};
	}
}

/* ---- the end ---- */

/* No more faults: what is wanted must come true. */
static void settle(void)
{
	world->calm = true;
	steps_forget_plans();
	if (!world->engine.alive) {
		world->boot_wanted = true; /* and again, with an engine */
		return;
	}
	if (world->engine.engine->trial.active) {
		pass(NS_PER_S); /* until it is over: nothing else is applied meanwhile */
		return;
	}
	world->settling = true;
	make_calm();
	pass(SETTLE_NS);
}

static void make_calm(void)
{
	int next;

	if (world->verbose)
		printf("  now everything settles\n");
	world->dice = world_mix(world->seed + 2);
	for (int i = 0; i < world->process_count; i++) {
		struct sim_process *process = &world->processes[i];

		if (process->kind != MAIN_PROCESS || process->zombie ||
		    world->note_count == WORLD_NOTES)
			continue;
		/* They want no watchdog any more, and get ready if they are not. */
		world->notes[world->note_count++] = (struct sim_note){
		    .kind = NOTE_CALM,
		    .row = process->row,
		    .claim = process->claim,
		    .pid = process->pid,
		};
	}
	if (world->ledger->header.shutdown || !needs_calm_config())
		return;
	next = world_free_config();
	world->configs[next] = world->configs[stanza_config_index(world->engine.engine->config)];
	stanza_make_calm(&world->configs[next]);
	world->files = next;
	if (world->message_count < WORLD_MESSAGES)
		world->messages[world->message_count++] = (struct msg_head){.type = MSG_RELOAD};
}

/* Some of them would go on failing, or nothing would be started: an apply ends that.  Else there is
 * none, which might wake up what nobody has woken. */
static bool needs_calm_config(void)
{
	const struct stanza_set *set =
	    &world->configs[stanza_config_index(world->engine.engine->config)];

	if (world->engine.engine->safe_mode)
		return true;
	for (int program = 0; program < world->program_count; program++)
		if (set->programs[program].present &&
		    (set->programs[program].life.key_max_runtime > 0 ||
			set->programs[program].life.key_watchdog > 0))
			return true;
	return false;
}

static void finish(void)
{
	if (!world->ledger->header.shutdown)
		check_settled();
	else if (!world->end.done)
		world_fail("the shutdown never ends");
	world->over = true;
}
