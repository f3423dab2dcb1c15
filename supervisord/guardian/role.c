/* SPDX-License-Identifier: ISC */
/* role.c: see role.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/channel.h"
#include "supervisord/guardian/role.h"

#define DELAY_MAX_NS (30 * NS_PER_S)

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

extern char **environ;

/* What the child needs, prepared before vfork(2): it shares our memory and may only do system
 * calls. */
struct plan {
	const struct role *role;
	int fds[1 + ROLE_INHERITED_MAX]; /* become FD_GUARDIAN and up */
	unsigned fd_count;
	sigset_t no_signals;
	volatile int error; /* errno of what failed in the child */
};

static pid_t run_child(struct plan *plan);
static void become_role(struct plan *plan) __attribute__((noreturn));

int role_start(struct role *role, const int *inherited, unsigned inherited_count)
{
	struct plan plan = {.role = role, .fd_count = 1 + inherited_count};
	int pair[2], error;
	pid_t pid;

	error = channel_pair(pair);
	if (error < 0)
		return error;
	/* Above the targets, so that no dup2(2) in the child overwrites a source. */
	plan.fds[0] = fcntl(pair[1], F_DUPFD_CLOEXEC, 16);
	error = plan.fds[0] < 0 ? -errno : 0;
	close(pair[1]);
	if (error < 0)
		goto fail;
	memcpy(plan.fds + 1, inherited, inherited_count * sizeof(*inherited));
	sigemptyset(&plan.no_signals);

	pid = run_child(&plan);
	error = pid < 0 ? (int)pid : -plan.error;
	close(plan.fds[0]);
	if (error < 0)
		goto fail; /* a child that failed is reaped like any stranger */
	role->pid = pid;
	role->channel = pair[0];
	role->started_ns = clock_boot_ns();
	role->restart_ns = 0;
	return 0;
fail:
	close(pair[0]);
	return error;
}

int64_t role_note_crash(struct role *role, int64_t now_ns)
{
	int64_t delay = 0;

	if (role->channel >= 0)
		close(role->channel);
	role->channel = -1;
	if (role->started_ns != 0 && now_ns - role->started_ns >= ROLE_STEADY_NS)
		role->crashes = 0;
	role->started_ns = 0; /* one that could not even be started is no steady one */
	role->pid = 0;
	role->crash_ns[role->crash_next] = now_ns;
	role->crash_next = (role->crash_next + 1) % ROLE_CRASH_LIMIT;
	if (role->crashes > 0)
		delay = role->crashes > 5 ? DELAY_MAX_NS : NS_PER_S << (role->crashes - 1);
	role->crashes++;
	role->restart_ns = now_ns + delay;
	return delay;
}

bool role_note_again(struct role *role, int64_t now_ns)
{
	if (now_ns - role->again_ns >= ROLE_AGAIN_NS)
		role->agains = 0;
	if (++role->agains > ROLE_AGAIN_LIMIT)
		return false;
	if (role->channel >= 0)
		close(role->channel);
	role->channel = -1;
	role->pid = 0;
	role->again_ns = role->restart_ns = now_ns;
	return true;
}

bool role_is_crash_looping(const struct role *role, int64_t now_ns)
{
	int64_t oldest =
	    role->crash_ns[role->crash_next]; /* the ring's oldest entry, 0: not full yet */

	return oldest != 0 && now_ns - oldest <= ROLE_CRASH_WINDOW_NS;
}

/*
 * vfork(2), not fork(2): the table of held descriptors makes our memory large, and a copy of it
 * could fail just when memory is short.  Not inlined, so that nothing of the caller lives in
 * clobbered registers.
 */
static __attribute__((noinline)) pid_t run_child(struct plan *plan)
{
	pid_t pid = vfork();

	if (pid == 0)
		become_role(plan);
	return pid < 0 ? -errno : pid;
}

static void become_role(struct plan *plan)
{
	const struct role *role = plan->role;

	for (unsigned i = 0; i < plan->fd_count; i++)
		if (dup2(plan->fds[i], FD_GUARDIAN + (int)i) < 0)
			goto fail;
	if (role->stderr_fd != STDERR_FILENO && dup2(role->stderr_fd, STDERR_FILENO) < 0)
		goto fail;
	/* Everything else is close-on-exec; this also drops what we may have inherited ourselves.
	 */
	(void)syscall(SYS_close_range, FD_GUARDIAN + plan->fd_count, ~0U, 0);
	sigprocmask(SIG_SETMASK, &plan->no_signals, NULL);
	execve(role->path, role->argv, environ);
fail:
	plan->error = errno;
	_exit(127);
}
