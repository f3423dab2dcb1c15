/* SPDX-License-Identifier: ISC */
/* kernel.c: see kernel.h. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "supervisord/engine/launch.h"
#include "tests/sim/checks.h"
#include "tests/sim/kernel.h"

/* How a run behaves, out of a hundred. */
#define CHANCE_NO_PROCESS  6
#define CHANCE_NO_EXEC     8
#define CHANCE_DEAF        15
#define CHANCE_CHILDREN    30
#define CHANCE_SLUGGISH    5
#define CHANCE_FORKS       5
#define CHANCE_NEVER_READY 15

/* About so many wait at most. */
#define CALLERS_MAX 3

#define SLUGGISH_NS (2500 * NS_PER_MS)
#define MS(n)       ((int64_t)(n)*NS_PER_MS)

static uint64_t run_dice(int row, uint64_t run, unsigned topic);
static struct sim_process *new_process(int row, uint64_t run, int parent);
static void behave_as_main(struct sim_process *process);
static void behave_as_service(struct sim_process *process, uint64_t dice);
static void behave_as_task(struct sim_process *process);
static void fail_to_execute(struct sim_process *process, uint64_t dice);
static void fork_children(struct sim_process *parent, unsigned count, uint64_t dice);
static struct sim_process *fork_one(struct sim_process *parent, uint64_t dice);
static void remove_process(struct sim_process *process);
static void do_process(struct sim_process *process);
static void post(struct sim_process *process);
static int some_wstatus(uint64_t dice);
static const struct stanza *stanza_of(const struct sim_process *process);

int kernel_refuse_launch(int row, uint64_t run, int *ret_step)
{
	static const int errors[] = {EAGAIN, ENOMEM, EMFILE, ENOENT, EACCES, EPERM, ENOSPC};
	uint64_t dice = run_dice(row, run, 1);

	if (world->calm || dice % 100 >= CHANCE_NO_PROCESS)
		return 0;
	*ret_step = LAUNCH_PREPARE + (int)((dice >> 8) % 8);
	return errors[(dice >> 16) % 7];
}

struct sim_process *kernel_launch(int row, uint64_t run, int leaf, bool outside)
{
	struct sim_process *process = new_process(row, run, WORLD_GUARDIAN);

	if (process == NULL)
		return NULL;
	process->leader = true;
	process->group = process->session = process->pid;
	process->leaf = leaf;
	process->outside = outside;
	atomic_store(&world->ledger->pids[row], process->pid); /* CLONE_PARENT_SETTID */
	world_say("process %d for %s of %s, run %llu", process->pid,
	    process->kind == MAIN_PROCESS ? "the main part"
					  : world_task_name((enum task_kind)process->kind),
	    stanza_name(process->program), (unsigned long long)run);
	check_spawn(process);
	if (process->kind == MAIN_PROCESS)
		behave_as_main(process);
	else
		behave_as_task(process);
	return process;
}

void kernel_signal(struct sim_process *process, int number)
{
	uint64_t dice = world_mix(world->seed ^ (uint64_t)process->pid);
	bool kill = number == SIGKILL;
	int64_t delay_ns = kill              ? (process->sluggish ? SLUGGISH_NS : 0)
			   : (dice % 3 == 0) ? 0
					     : MS(dice % 400);
	int wstatus = kill ? SIGKILL : (dice >> 16) % 3 == 0 ? 0 : number;

	if (number == 0 || number == SIGCONT || process->zombie)
		return;
	check_signal(process, number);
	if (process->told == 0)
		process->told_ns = world->now_ns;
	process->told |= UINT64_C(1) << (number - 1);
	if (process->killed || (process->deaf && !kill) || number == SIGUSR1)
		return;
	process->killed = kill;
	if (kill)
		process->fork_ns = process->say_ns = 0;
	if (delay_ns == 0) {
		kernel_end(process, wstatus);
	} else if (process->end_ns == 0 || process->end_ns > world->now_ns + delay_ns) {
		process->end_ns = world->now_ns + delay_ns;
		process->wstatus = wstatus;
	}
}

void kernel_end(struct sim_process *process, int wstatus)
{
	int pid = process->pid;

	world_say("process %d of %s ends, status %#x", pid, stanza_name(process->program),
	    (unsigned)wstatus);
	for (int i = 0; i < world->process_count; i++)
		if (world->processes[i].parent == pid)
			world->processes[i].parent = WORLD_GUARDIAN;
	process->zombie = true;
	process->wstatus = wstatus;
	process->end_ns = process->fork_ns = process->say_ns = 0;
	check_end(process);
	if (process->parent != WORLD_GUARDIAN)
		remove_process(process); /* its parent has collected it */
}

void kernel_end_main(int program, int wstatus)
{
	struct sim_process *process = kernel_main(program);

	if (process != NULL && !process->zombie)
		kernel_end(process, wstatus);
}

struct sim_process *kernel_find(int pid)
{
	for (int i = 0; i < world->process_count; i++)
		if (world->processes[i].pid == pid)
			return &world->processes[i];
	return NULL;
}

struct sim_process *kernel_find_alive(int pid)
{
	struct sim_process *process = kernel_find(pid);

	return process != NULL && !process->zombie ? process : NULL;
}

struct sim_process *kernel_main(int program)
{
	int row = world_row(program);
	int pid = row >= 0 ? world->ledger->pids[row] : 0;

	return pid != 0 ? kernel_find(pid) : NULL;
}

int kernel_find_row(int pid)
{
	for (int row = 0; row < (int)world->ledger->header.rows_high; row++)
		if (world->ledger->pids[row] == pid)
			return row;
	return -1;
}

int64_t kernel_next_ns(void)
{
	int64_t next_ns = INT64_MAX;

	for (int i = 0; i < world->process_count; i++) {
		const struct sim_process *process = &world->processes[i];
		const int64_t moments[] = {process->end_ns, process->fork_ns, process->say_ns};

		for (int k = 0; k < 3; k++)
			if (moments[k] != 0 && moments[k] < next_ns)
				next_ns = moments[k];
	}
	return next_ns;
}

void kernel_do_due(void)
{
	/* From the end: one that goes is replaced by the last, one that is new comes after it. */
	for (int i = world->process_count - 1; i >= 0; i--)
		do_process(&world->processes[i]);
}

static void do_process(struct sim_process *process)
{
	if (process->zombie)
		return;
	if (process->say_ns != 0 && process->say_ns <= world->now_ns) {
		process->say_ns = 0;
		if (world->note_count < WORLD_NOTES)
			world->notes[world->note_count++] = (struct sim_note){
			    .kind = NOTE_READY,
			    .row = process->row,
			    .claim = process->claim,
			    .pid = process->pid,
			};
	}
	if (process->fork_ns != 0 && process->fork_ns <= world->now_ns) {
		process->fork_ns = 0;
		(void)fork_one(process, world_mix(world->seed ^ (uint64_t)process->pid << 8));
	}
	if (process->end_ns != 0 && process->end_ns <= world->now_ns)
		kernel_end(process, process->wstatus);
}

bool kernel_guardian_has_work(void)
{
	for (int i = 0; i < world->process_count; i++)
		if (world->processes[i].zombie)
			return true;
	return false;
}

/* The order of reap_next() and ledger_post_exit(): what it was, no pid any more, news, and only
 * then it is reaped. */
bool kernel_guardian_step(void)
{
	struct ledger *ledger = world->ledger;

	for (int i = 0; i < world->process_count; i++) {
		struct sim_process *process = &world->processes[i];

		if (!process->zombie)
			continue;
		switch (process->posted) {
		case 0:
			process->posted_row = kernel_find_row(process->pid);
			if (process->posted_row >= 0)
				post(process);
			else
				remove_process(process);
			return true;
		case 1:
			ledger->pids[process->posted_row] = 0;
			break;
		case 2:
			ledger->exited[process->posted_row / 64] |= UINT64_C(1)
								    << (process->posted_row % 64);
			break;
		default:
			remove_process(process);
			world->bell = true;
			return true;
		}
		process->posted++;
		return true;
	}
	return false;
}

void kernel_guardian_finish(void)
{
	while (kernel_guardian_step())
		;
}

static void post(struct sim_process *process)
{
	int row = process->posted_row;

	check_post(process, row);
	world->ledger->exits[row] = (struct ledger_exit){
	    .run = world->ledger->table[row].run,
	    .end_ns = world->now_ns,
	    .pid = process->pid,
	    .wstatus = process->wstatus,
	};
	process->posted = 1;
}

/* By the program's life and run, and for a task by its kind: not by the row, which is chance. */
static uint64_t run_dice(int row, uint64_t run, unsigned topic)
{
	const struct sim_row *slot = &world->rows[row];
	uint64_t who = (uint64_t)slot->program << 32 | (uint64_t)slot->life << 16 |
		       (uint64_t)(slot->kind + 1) << 8 | topic;

	if (slot->kind != MAIN_PROCESS)
		run = slot->owner_run;
	return world_mix(world->seed ^ world_mix(who ^ world_mix(run)));
}

static struct sim_process *new_process(int row, uint64_t run, int parent)
{
	const struct sim_row *slot = &world->rows[row];
	struct sim_process *process;

	if (world->process_count == WORLD_PROCESSES) {
		world_fail("too many processes");
		return NULL;
	}
	process = &world->processes[world->process_count++];
	*process = (struct sim_process){
	    .pid = ++world->last_pid,
	    .parent = parent,
	    .row = row,
	    .claim = slot->claim,
	    .run = run,
	    .program = slot->program,
	    .life = slot->life,
	    .kind = slot->kind,
	    .owner_run = slot->kind == MAIN_PROCESS ? run : slot->owner_run,
	    .start_ns = world->now_ns,
	};
	return process;
}

/* The last one takes its place. */
static void remove_process(struct sim_process *process)
{
	*process = world->processes[--world->process_count];
}

static const struct stanza *stanza_of(const struct sim_process *process)
{
	static const struct stanza none = {.stdout_to = -1};
	const struct stanza *stanza = world_stanza(process->program);

	return stanza != NULL ? stanza : &none;
}

static void behave_as_main(struct sim_process *process)
{
	const struct stanza *stanza = stanza_of(process);
	uint64_t dice = run_dice(process->row, process->run, 2);
	bool fails = !world->calm && dice % 100 < CHANCE_NO_EXEC;

	process->wstatus = some_wstatus(dice >> 8);
	if (fails) {
		fail_to_execute(process, dice);
		return;
	}
	switch (stanza->life.key_type) {
	case TYPE_SERVICE:
		behave_as_service(process, dice);
		break;
	case TYPE_ONESHOT:
		behave_as_service(process, dice);
		process->end_ns = world->now_ns + MS(1 + (dice >> 40) % 2000);
		if (world->calm || (dice >> 12) % 4 > 0)
			process->wstatus = 0;
		break;
	case TYPE_FORKING:
		process->end_ns = world->now_ns + MS(1 + (dice >> 40) % 200);
		process->wstatus = world->calm || (dice >> 12) % 5 > 0 ? 0 : 1 << 8;
		fork_children(process,
		    world->calm                       ? 1
		    : (unsigned)(dice >> 14) % 8 == 0 ? 2
		    : (unsigned)(dice >> 14) % 8 == 1 ? 0
						      : 1,
		    dice);
		break;
	}
}

void kernel_connect(int program, unsigned dice)
{
	const struct sim_process *main = kernel_main(program);
	const struct stanza *stanza = world_stanza(program);
	int socket = world_socket(program);

	if (program >= world->program_count)
		return;
	/* Who gets a run each stands in a line. */
	if (stanza != NULL && stanza->life.key_accept && world->callers[socket] < CALLERS_MAX)
		world->callers[socket] += 1 + dice % 3;
	else if (stanza == NULL || !stanza->life.key_accept)
		world->callers[program] = main == NULL || main->zombie || dice % 4 == 0;
}

/* Some programs are hopeless, some are good. */
static void behave_as_service(struct sim_process *process, uint64_t dice)
{
	const struct stanza *stanza = stanza_of(process);
	static const unsigned short_lived[] = {10, 40, 75};
	uint64_t character = world_mix(world->seed ^ (uint64_t)process->program << 8);
	static const int64_t ready_ms[] = {0, 1, 50, 300, 2000};

	/* One that waits while another one is served is another one's. */
	if (!stanza->life.key_accept && (world->calm || (dice >> 8) % 4 > 0))
		world->callers[process->program] = 0;

	if (stanza->life.key_ready.kind == CHECK_NOTIFY &&
	    (world->calm || (dice >> 20) % 100 >= CHANCE_NEVER_READY))
		process->say_ns = world->now_ns + 1 + MS(ready_ms[(dice >> 24) % 5]);
	if (world->calm)
		return;
	process->deaf = (dice >> 16) % 100 < CHANCE_DEAF;
	process->sluggish = (dice >> 18) % 100 < CHANCE_SLUGGISH;
	if ((dice >> 32) % 100 < short_lived[character % 3])
		process->end_ns =
		    world->now_ns + MS(1 + (dice >> 40) % ((dice >> 36) % 2 ? 50 : 3000));
	if ((dice >> 26) % 100 < CHANCE_FORKS)
		process->fork_ns = world->now_ns + MS(1 + (dice >> 44) % 5000);
	if ((dice >> 52) % 100 < CHANCE_CHILDREN && stanza->life.key_type != TYPE_FORKING)
		fork_children(process, 1 + (unsigned)(dice >> 60) % 2, dice);
}

static void behave_as_task(struct sim_process *process)
{
	uint64_t dice = run_dice(process->row, process->run, 3);
	unsigned kind = (unsigned)(dice % 100);

	/* A check is made again and again: each time it is another one. */
	if (process->kind == TASK_READY || process->kind == TASK_HEALTH)
		kind = (unsigned)(world_mix(dice ^ (uint64_t)process->pid) % 100);
	process->end_ns = world->now_ns + MS(1 + (dice >> 20) % 20);
	process->wstatus = 0;
	if (world->calm)
		return;
	if ((dice >> 16) % 2)
		process->end_ns += MS((dice >> 24) % 2000);
	process->deaf = (dice >> 32) % 100 < CHANCE_DEAF;
	process->sluggish = (dice >> 40) % 100 < CHANCE_SLUGGISH;
	if (kind < 5)
		fail_to_execute(process, dice);
	else if (kind < 15)
		process->wstatus = 1 << 8;
	else if (kind < 22)
		process->end_ns = 0;
	if ((dice >> 48) % 100 < CHANCE_CHILDREN / 2)
		fork_children(process, 1, dice);
}

static void fail_to_execute(struct sim_process *process, uint64_t dice)
{
	struct ledger_failure *failure = &world->ledger->table[process->row].failure;

	failure->error = 1 + (int)((dice >> 32) % 133);
	failure->step = LAUNCH_DESCRIPTORS + (int)((dice >> 40) % 9);
	process->wstatus = 127 << 8;
	process->deaf = process->sluggish = false;
	process->end_ns = world->now_ns + NS_PER_MS;
}

static void fork_children(struct sim_process *parent, unsigned count, uint64_t dice)
{
	if (world->process_count > WORLD_PROCESSES / 2)
		return;
	for (unsigned i = 0; i < count; i++, dice = world_mix(dice)) {
		struct sim_process *child = fork_one(parent, world_mix(dice));

		if (child != NULL && parent->kind == MAIN_PROCESS &&
		    stanza_of(parent)->life.key_type == TYPE_FORKING)
			behave_as_service(child, world_mix(dice ^ 1));
	}
}

/* Some stay in the group, some have a session of their own; most outlive their parent. */
static struct sim_process *fork_one(struct sim_process *parent, uint64_t dice)
{
	struct sim_process model = *parent;
	struct sim_process *child = new_process(parent->row, parent->run, parent->pid);

	if (child == NULL)
		return NULL;
	child->claim = model.claim;
	child->program = model.program;
	child->life = model.life;
	child->kind = model.kind;
	child->owner_run = model.owner_run;
	child->leaf = model.leaf;
	child->outside = model.outside;
	child->told = model.told; /* whoever told its parent has told all there were */
	child->left_alone = model.left_alone;
	child->group = (dice >> 8) % 2 ? model.group : child->pid;
	child->session = child->group == model.group ? model.session : child->pid;
	child->wstatus = 0;
	if (world->calm)
		return child;
	child->deaf = (dice >> 16) % 100 < CHANCE_DEAF;
	child->sluggish = (dice >> 24) % 100 < CHANCE_SLUGGISH;
	if ((dice >> 32) % 2)
		child->end_ns = world->now_ns + MS(1 + (dice >> 36) % 5000);
	if ((dice >> 50) % 100 < CHANCE_FORKS)
		child->fork_ns = world->now_ns + MS(1 + (dice >> 44) % 5000);
	return child;
}

static int some_wstatus(uint64_t dice)
{
	static const int statuses[] = {0, 0, 1 << 8, 1 << 8, 2 << 8, 42 << 8, 255 << 8, SIGTERM,
	    SIGSEGV | 0x80, SIGKILL, SIGHUP};

	return statuses[dice % (sizeof(statuses) / sizeof(statuses[0]))];
}
