/* SPDX-License-Identifier: ISC */
/*
 * fakekernel.c: what the engine calls of launch.h, members.h, cgroup.h and procstat.h, and the
 * system calls of run.c, answered from the world's processes.  A pidfd is a number from which the
 * pid can be told; a process is never found by a pid that it had.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisord/engine/cgroup.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/members.h"
#include "supervisord/engine/procstat.h"
#include "tests/sim/checks.h"
#include "tests/sim/fake.h"
#include "tests/sim/kernel.h"
#include "tests/sim/steps.h"

#define PIDFD_GROUP (1U << 2) /* PIDFD_SIGNAL_PROCESS_GROUP */

long __wrap_syscall(long number, ...);
int __wrap_kill(pid_t pid, int number);
pid_t __wrap_getpgid(pid_t pid);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_close(int fd);

static long open_pidfd(int pid);
static long signal_pidfd(int fd, int number, unsigned flags);
static unsigned signal_group(int group, int number);
static bool is_of_run(const struct sim_process *process, const struct members_run *run);
static bool has_mark(const struct sim_process *process, const char *mark);
static int find_leaf(int row, const char *name);
static int stable_length(const char *name);

/* ---- launch.h ---- */

int launch_init(void)
{
	return 0;
}

const char *launch_step_name(enum launch_step step)
{
	(void)step;
	return "step";
}

/* Row, its owner and run: enough to tell it by, and short. */
const char *launch_mark(const char *name, uint64_t run, uint64_t nonce, char *buffer, size_t size)
{
	(void)nonce;
	(void)snprintf(
	    buffer, size, "%.*s:%llu", stable_length(name), name, (unsigned long long)run);
	return buffer;
}

int launch_program(const struct launch_request *request, struct ledger *ledger, int row,
    enum launch_step *ret_step, struct launch_lack *ret_lack)
{
	const struct sim_process *process;
	int leaf = fake_leaf_of(request->cgroup), step = 0, error;

	steps_effect();
	ledger->table[row].failure.step = LAUNCH_NONE;
	ledger->table[row].failure.error = 0;
	check_launch(row, request);
	error = kernel_refuse_launch(row, request->run, &step);
	if (error != 0) {
		world_say("no process for row %d: errno %d", row, error);
		check_refused_launch(row);
		*ret_step = (enum launch_step)step;
		return -error;
	}
	*ret_lack = (struct launch_lack){0};
	if (leaf != 0 && !world->calm && world_chance(3)) {
		ret_lack->cgroup = -EBUSY;
		leaf = 0;
	}
	process = kernel_launch(row, request->run, leaf, ret_lack->cgroup != 0);
	if (process == NULL)
		return -EAGAIN;
	steps_effect();
	ledger->table[row].last_pid = process->pid;
	steps_effect();
	return 0;
}

/* ---- system calls ---- */

long __wrap_syscall(long number, ...)
{
	va_list args;
	int first, second;
	long result = -1;

	va_start(args, number);
	first = va_arg(args, int);
	second = va_arg(args, int);
	(void)va_arg(args, void *);
	steps_effect();
	if (number == SYS_pidfd_open)
		result = open_pidfd(first);
	else if (number == SYS_pidfd_send_signal)
		result = signal_pidfd(first, second, va_arg(args, unsigned));
	else
		world_fail("system call %ld is not made up", number);
	va_end(args);
	steps_effect();
	return result;
}

static long open_pidfd(int pid)
{
	if (kernel_find(pid) == NULL) {
		errno = ESRCH;
		return -1;
	}
	world->engine.descriptors++;
	return FAKE_PIDFD + pid;
}

static long signal_pidfd(int fd, int number, unsigned flags)
{
	struct sim_process *process = kernel_find(fd - FAKE_PIDFD);

	if (process == NULL) {
		errno = ESRCH;
		return -1;
	}
	if (!(flags & PIDFD_GROUP)) {
		kernel_signal(process, number);
		return 0;
	}
	return signal_group(process->group, number) > 0 ? 0 : -1;
}

int __wrap_kill(pid_t pid, int number)
{
	unsigned reached = 0;

	steps_effect();
	if (pid == WORLD_GUARDIAN && number == SIGTERM) {
		check_exit_code();
		fake_request_shutdown();
		return 0;
	}
	if (pid < 0)
		reached = signal_group(-pid, number);
	else
		world_fail("a signal to a bare pid");
	errno = ESRCH;
	return reached > 0 ? 0 : -1;
}

static unsigned signal_group(int group, int number)
{
	unsigned reached = 0;

	/* From the end: one that goes is replaced by the last. */
	for (int i = world->process_count - 1; i >= 0; i--) {
		if (world->processes[i].group != group)
			continue;
		reached++;
		if (number != 0)
			kernel_signal(&world->processes[i], number);
	}
	return reached;
}

pid_t __wrap_getpgid(pid_t pid)
{
	const struct sim_process *process = kernel_find(pid);

	errno = ESRCH;
	return process != NULL ? process->group : -1;
}

/* For run_set_main(): whether the process of a pidfd has ended; for demand.c: whether somebody
 * waits. */
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	(void)timeout;
	(void)count;
	if (fds->fd >= FAKE_SOCKET && fds->fd < FAKE_SOCKET + STANZA_PROGRAMS) {
		fds->revents = world->callers[fds->fd - FAKE_SOCKET] > 0 ? POLLIN : 0;
		return fds->revents != 0;
	}
	fds->revents = kernel_find_alive(fds->fd - FAKE_PIDFD) == NULL ? POLLIN : 0;
	return fds->revents != 0;
}

int __wrap_close(int fd)
{
	if (fd >= FAKE_CONNECTION && fd < FAKE_CONNECTION + STANZA_PROGRAMS) {
		check_hang_up();
		world->engine.connection = 0;
	}
	if (fd >= FAKE_PIDFD)
		world->engine.descriptors--;
	return 0;
}

/* ---- procstat.h ---- */

bool procstat_read(pid_t pid, struct procstat *ret_stat)
{
	const struct sim_process *process = kernel_find(pid);

	if (process == NULL)
		return false;
	*ret_stat = (struct procstat){
	    .state = process->zombie ? 'Z' : 'S',
	    .parent = process->parent,
	    .group = process->group,
	    .session = process->session,
	    .threads = 1,
	    .start = (uint64_t)process->start_ns,
	};
	return true;
}

bool procstat_read_name(pid_t pid, char name[PROCSTAT_NAME])
{
	(void)snprintf(name, PROCSTAT_NAME, "p%d", (int)pid);
	return kernel_find(pid) != NULL;
}

/* ---- members.h ---- */

bool members_may_linger(const struct ledger *ledger, const struct cgroups *cgroups)
{
	(void)ledger;
	for (int i = 0; i < world->process_count; i++) {
		const struct sim_process *process = &world->processes[i];

		if (process->parent == WORLD_GUARDIAN && kernel_find_row(process->pid) < 0 &&
		    !cgroups_hold(cgroups, process->pid))
			return true;
	}
	return false;
}

bool members_group_exists(pid_t leader)
{
	return leader > 0 && signal_group(leader, 0) > 0;
}

int members_read(struct members *members)
{
	static struct member list[WORLD_PROCESSES];

	*members = (struct members){.list = list};
	for (int i = 0; i < world->process_count; i++)
		if (!world->processes[i].zombie)
			list[members->count++] = (struct member){.pid = world->processes[i].pid};
	return 0;
}

void members_done(struct members *members)
{
	*members = (struct members){0};
}

size_t members_mark(
    struct members *members, const struct members_run *run, const struct cgroups *cgroups)
{
	size_t marked = 0;

	for (size_t i = 0; i < members->count; i++) {
		const struct sim_process *process = kernel_find_alive(members->list[i].pid);

		members->list[i].in_run = process != NULL && !cgroups_hold(cgroups, process->pid) &&
					  is_of_run(process, run);
		marked += members->list[i].in_run;
	}
	return marked;
}

bool members_has(const struct members_run *run, pid_t pid)
{
	const struct sim_process *process = kernel_find_alive(pid);

	return process != NULL && is_of_run(process, run);
}

/* Whose a process is can always be told here. */
bool members_is_unmarked(const struct ledger *ledger, const struct cgroups *cgroups, pid_t pid)
{
	(void)ledger;
	(void)cgroups;
	(void)pid;
	return false;
}

size_t members_signal(const struct members *members, int number)
{
	size_t reached = 0;

	for (size_t i = 0; i < members->count; i++) {
		struct sim_process *process = kernel_find_alive(members->list[i].pid);

		steps_effect();
		if (!members->list[i].in_run || process == NULL)
			continue;
		kernel_signal(process, number);
		reached++;
	}
	return reached;
}

int members_open_one(const struct members *members)
{
	for (size_t i = 0; i < members->count; i++)
		if (members->list[i].in_run && kernel_find_alive(members->list[i].pid) != NULL)
			return (int)open_pidfd(members->list[i].pid);
	return -1;
}

/* Of the leader's session or group, or a stray with its mark; or it came of such a one. */
static bool is_of_run(const struct sim_process *process, const struct members_run *run)
{
	int leader = run->leader;

	if (leader > 0 && !run->leader_lives && kernel_find_alive(leader) != NULL)
		leader = 0;
	while (process != NULL) {
		if (leader > 0 && (process->pid == leader || process->group == leader ||
				      process->session == leader))
			return true;
		if (process->parent == WORLD_GUARDIAN)
			return kernel_find_row(process->pid) < 0 && has_mark(process, run->mark);
		process = kernel_find_alive(process->parent);
	}
	return false;
}

static bool has_mark(const struct sim_process *process, const char *mark)
{
	char own[LAUNCH_MARK];
	const struct sim_row *slot = &world->rows[process->row];

	/* Another owner of the row has other marks, but the same name's runs are told apart by
	 * number. */
	if (slot->claim != process->claim &&
	    (slot->program != process->program || slot->kind != process->kind))
		return false;
	(void)launch_mark(
	    world->ledger->table[process->row].name, process->run, 1, own, sizeof(own));
	return strcmp(own, mark) == 0;
}

/* ---- cgroup.h ---- */

void cgroups_init(struct cgroups *cgroups, uint64_t nonce)
{
	(void)nonce;
	*cgroups = (struct cgroups){.base = world->cgroups ? FAKE_CGROUPS : -1};
}

void cgroups_done(struct cgroups *cgroups)
{
	(void)cgroups;
}

void cgroups_remove(struct cgroups *cgroups)
{
	(void)cgroups;
}

bool cgroups_hold(const struct cgroups *cgroups, pid_t pid)
{
	const struct sim_process *process = kernel_find(pid);

	return cgroups->base >= 0 && process != NULL && process->leaf != 0;
}

int cgroup_open(const struct cgroups *cgroups, int row, const char *name)
{
	int leaf = find_leaf(row, name), error = leaf < 0 ? cgroup_make(cgroups, row, name) : 0;

	steps_effect();
	return error < 0 ? error : FAKE_LEAF + find_leaf(row, name);
}

int cgroup_make(const struct cgroups *cgroups, int row, const char *name)
{
	int leaf = find_leaf(row, name);

	(void)cgroups;
	steps_effect();
	if (leaf >= 0)
		return -EEXIST;
	if (!world->calm && world_chance(3))
		return -ENOSPC;
	for (leaf = 0; leaf < LIMIT_ROWS && world->leaves[leaf].name[0] != '\0'; leaf++)
		;
	if (leaf == LIMIT_ROWS)
		return -ENOSPC;
	world->leaves[leaf].row = row;
	(void)snprintf(world->leaves[leaf].name, sizeof(world->leaves[leaf].name), "%.*s",
	    stable_length(name), name);
	steps_effect();
	return 0;
}

int fake_leaf_of(int fd)
{
	return fd >= FAKE_LEAF && fd < FAKE_LEAF + LIMIT_ROWS ? fd - FAKE_LEAF + 1 : 0;
}

int cgroup_is_populated(const struct cgroups *cgroups, int row, const char *name)
{
	int count = cgroup_list(cgroups, row, name, NULL, 0);

	return count < 0 ? count : count > 0;
}

int cgroup_kill(const struct cgroups *cgroups, int row, const char *name)
{
	return cgroup_signal(cgroups, row, name, SIGKILL) < 0 ? -ENOENT : 0;
}

int cgroup_signal(const struct cgroups *cgroups, int row, const char *name, int number)
{
	int leaf = cgroups->base >= 0 ? find_leaf(row, name) : -1, reached = 0;

	steps_effect();
	if (leaf < 0)
		return -ENOENT;
	for (int i = world->process_count - 1; i >= 0; i--) {
		if (world->processes[i].leaf != leaf + 1 || world->processes[i].zombie)
			continue;
		kernel_signal(&world->processes[i], number);
		reached++;
	}
	steps_effect();
	return reached;
}

int cgroup_list(const struct cgroups *cgroups, int row, const char *name, pid_t *pids, size_t size)
{
	int leaf = cgroups->base >= 0 ? find_leaf(row, name) : -1, count = 0;

	if (leaf < 0)
		return -ENOENT;
	for (int i = 0; i < world->process_count; i++) {
		if (world->processes[i].leaf != leaf + 1 || world->processes[i].zombie)
			continue;
		if ((size_t)count < size)
			pids[count] = world->processes[i].pid;
		count++;
	}
	return count;
}

bool cgroup_has(const struct cgroups *cgroups, int row, const char *name, pid_t pid)
{
	const struct sim_process *process = kernel_find(pid);
	int leaf = cgroups->base >= 0 ? find_leaf(row, name) : -1;

	return process != NULL && leaf >= 0 && process->leaf == leaf + 1;
}

int cgroup_watch(const struct cgroups *cgroups, int row, const char *name)
{
	pid_t pid;
	int count = cgroup_list(cgroups, row, name, &pid, 1);

	return count < 0 ? count : count > 0 ? (int)open_pidfd(pid) : -ESRCH;
}

int cgroup_abandon(const struct cgroups *cgroups, int row, const char *name)
{
	int leaf = cgroups->base >= 0 ? find_leaf(row, name) : -1;

	steps_effect();
	for (int i = 0; leaf >= 0 && i < world->process_count; i++) {
		if (world->processes[i].leaf != leaf + 1 || world->processes[i].zombie)
			continue;
		check_abandon(&world->processes[i]);
		world->processes[i].leaf = LEAF_LEFT;
	}
	return 0;
}

int cgroup_remove(const struct cgroups *cgroups, int row, const char *name)
{
	int leaf = cgroups->base >= 0 ? find_leaf(row, name) : -1;

	steps_effect();
	if (leaf < 0)
		return 0;
	if (cgroup_list(cgroups, row, name, NULL, 0) > 0)
		return -EBUSY;
	/* A zombie is of no cgroup that anybody looks at. */
	for (int i = 0; i < world->process_count; i++)
		if (world->processes[i].leaf == leaf + 1)
			world->processes[i].leaf = LEAF_LEFT;
	world->leaves[leaf].name[0] = '\0';
	return 0;
}

static int find_leaf(int row, const char *name)
{
	size_t length = (size_t)stable_length(name);

	for (int leaf = 0; leaf < LIMIT_ROWS; leaf++)
		if (world->leaves[leaf].row == row && world->leaves[leaf].name[0] != '\0' &&
		    strlen(world->leaves[leaf].name) == length &&
		    strncmp(world->leaves[leaf].name, name, length) == 0)
			return leaf;
	return -1;
}

/* A first instance may get its other name.  (Not by the engine's code, in which it may die.) */
static int stable_length(const char *name)
{
	size_t length = strlen(name);

	return (int)(length > 2 && strcmp(name + length - 2, "@1") == 0 ? length - 2 : length);
}
