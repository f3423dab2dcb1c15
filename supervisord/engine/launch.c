/* SPDX-License-Identifier: ISC */
/*
 * launch.c: see launch.h, and vclone.h for the way the child is made.
 *
 * The child is the guardian's (CLONE_PARENT), so whoever dies first, there is one parent that
 * collects its status; and the kernel writes its pid into the ledger before its first instruction
 * (CLONE_PARENT_SETTID), so there is no moment when it runs unrecorded.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/vclone.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/launchfd.h"
#include "supervisord/engine/launchlook.h"
#include "supervisord/engine/launchplan.h"

#define STEP_NAME(name, text) text,
static const char *const step_names[] = {LAUNCH_STEPS(STEP_NAME)};
#undef STEP_NAME

static pid_t make_child(struct launch_plan *plan, int cgroup, pid_t *ret_pid);
static int child_main(void *argument);
static void join_cgroup(struct launch_plan *plan);
static int drop_ids(const struct ids *ids, enum launch_step *step);
static int open_own(const struct launch_plan *plan);
static void look_at_preload(struct launch_plan *plan);
static int try_exec(const struct launch_plan *plan, int own);

const char *launch_step_name(enum launch_step step)
{
	return step_names[step];
}

const char *launch_mark(const char *name, uint64_t run, uint64_t nonce, char *buffer, size_t size)
{
	/* It stands in the environment of the processes, whatever the instance is called later. */
	(void)snprintf(buffer, size, "%.*s:%llu:%016llx", (int)instname_stable_length(name), name,
	    (unsigned long long)run, (unsigned long long)nonce);
	return buffer;
}

int launch_init(void)
{
	return launch_fd_reserve();
}

int launch_program(const struct launch_request *request, struct ledger *ledger, int row,
    enum launch_step *ret_step, struct launch_lack *ret_lack)
{
	struct launch_fd sorted[LAUNCH_EXTRA];
	struct launch_plan plan = {
	    .failure = &ledger->table[row].failure,
	    .extra = sorted,
	    .extra_count = request->extra_count,
	    .cgroup_procs = -1,
	};
	pid_t pid;
	int error;

	*ret_step = LAUNCH_PREPARE;
	error = launch_plan_build(&plan, request);
	if (error == 0 && request->looks != NULL)
		error = launchlook_touch(request->looks, &plan, ret_step);
	if (error < 0)
		goto out;
	*ret_step = LAUNCH_DESCRIPTORS;
	error = launch_fd_sort(request->extra, request->extra_count, sorted);
	if (error == 0)
		error = launch_fd_stage(request->streams, sorted, request->extra_count);
	if (error < 0)
		goto out;
	atomic_store(&plan.failure->error, 0);
	atomic_store(&plan.failure->step, LAUNCH_NONE);
	*ret_step = LAUNCH_CLONE;
	pid = make_child(&plan, request->cgroup, (pid_t *)(uintptr_t)&ledger->pids[row]);
	error = pid < 0 ? (int)pid : 0;
	if (pid > 0)
		ledger->table[row].last_pid = pid;
	*ret_lack = (struct launch_lack){-plan.cgroup_error, -plan.preload_error};
	launch_fd_unstage(request->streams, request->extra_count);
out:
	launch_plan_done(&plan);
	return error;
}

/*
 * In its cgroup from the first instruction on, if the kernel lets us; else the child goes there
 * itself before it does anything that matters, which takes a lock of the whole machine.  A program
 * is not kept from running because that fails, too.
 */
static pid_t make_child(struct launch_plan *plan, int cgroup, pid_t *ret_pid)
{
	const int flags = CLONE_PARENT | CLONE_PARENT_SETTID;
	pid_t pid;

	if (cgroup >= 0) {
		pid = vclone_into_cgroup(cgroup, child_main, plan, flags, ret_pid);
		if (pid > 0 || pid == -EAGAIN || pid == -ENOMEM)
			return pid;
		plan->cgroup_procs = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
		if (plan->cgroup_procs < 0)
			plan->cgroup_error = errno;
	}
	pid = vclone(child_main, plan, flags, ret_pid);
	if (plan->cgroup_procs >= 0)
		close(plan->cgroup_procs);
	return pid;
}

/*
 * In the child.  Our memory is the engine's, which stands still; the descriptor table is shared
 * until vclone_keep_below().  Everything the parent has open is close-on-exec.
 */
VCLONE_CHILD static int child_main(void *argument)
{
	struct launch_plan *plan = argument;
	enum launch_step step = LAUNCH_DESCRIPTORS;
	int error, own;

	if (plan->cgroup_procs >= 0)
		join_cgroup(plan);
	error = vclone_keep_below(LAUNCH_FD_END(plan->extra_count));
	if (error == 0)
		error = launch_fd_place(plan->extra, plan->extra_count);
	if (error < 0)
		goto fail;
	launch_plan_write_pid(plan, (pid_t)syscall(SYS_getpid));
	own = open_own(plan);
	error = launch_become(plan, &step);
	if (error < 0)
		goto fail;
	look_at_preload(plan);
	step = LAUNCH_EXEC;
	error = try_exec(plan, own);
fail:
	atomic_store(&plan->failure->error, -error);
	atomic_store(&plan->failure->step, step);
	_exit(127);
}

VCLONE_CHILD int launch_become(const struct launch_plan *plan, enum launch_step *ret_step)
{
	*ret_step = LAUNCH_SESSION;
	if (setsid() < 0)
		return -errno;
	*ret_step = LAUNCH_TTY;
	if (plan->tty && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		return -errno;
	*ret_step = LAUNCH_LIMITS;
	if (setrlimit(RLIMIT_NOFILE, &plan->nofile) < 0)
		return -errno;
	(void)umask(plan->umask);
	if (plan->ids->change) {
		int error = drop_ids(plan->ids, ret_step);

		if (error < 0)
			return error;
	}
	*ret_step = LAUNCH_DIRECTORY;
	if (chdir(plan->directory) < 0)
		return -errno;
	*ret_step = LAUNCH_SIGNALS;
	return sigprocmask(SIG_SETMASK, &plan->no_signals, NULL) < 0 ? -errno : 0;
}

/* "0" is whoever writes it. */
VCLONE_CHILD static void join_cgroup(struct launch_plan *plan)
{
	if (write(plan->cgroup_procs, "0", 1) != 1)
		plan->cgroup_error = errno;
}

/*
 * Groups, then gid, then uid, and then a look whether it is true.  Raw calls: the wrappers of the C
 * library want to tell other threads, with locks and signals that belong to the engine's memory.
 */
VCLONE_CHILD static int drop_ids(const struct ids *ids, enum launch_step *step)
{
	uid_t uids[3];
	gid_t gids[3];

	*step = LAUNCH_GROUPS;
	if (syscall(SYS_setgroups, ids->group_count, ids->groups) < 0)
		return -errno;
	*step = LAUNCH_GID;
	if (syscall(SYS_setresgid, ids->gid, ids->gid, ids->gid) < 0)
		return -errno;
	*step = LAUNCH_UID;
	if (syscall(SYS_setresuid, ids->uid, ids->uid, ids->uid) < 0)
		return -errno;
	if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) < 0)
		return -errno;
	for (int i = 0; i < 3; i++)
		if (uids[i] != ids->uid || gids[i] != ids->gid)
			return -EPERM;
	if (ids->uid != 0 && syscall(SYS_setresuid, 0, 0, 0) == 0)
		return -EPERM; /* root could be had back: nothing of it may run */
	return 0;
}

/* While it is still root's to open; -1: none.  Raw, as above. */
VCLONE_CHILD static int open_own(const struct launch_plan *plan)
{
	return plan->is_own && plan->ids->change
		   ? (int)syscall(SYS_openat, AT_FDCWD, plan->paths[0], O_PATH | O_CLOEXEC)
		   : -1;
}

/* Node would not start at all without a script that it is to load. */
VCLONE_CHILD static void look_at_preload(struct launch_plan *plan)
{
	if (plan->preload == NULL || syscall(SYS_faccessat, AT_FDCWD, plan->preload, R_OK) == 0)
		return;
	plan->preload_error = errno;
	plan->envp[plan->preload_at] = plan->preload_without;
}

/* The errno that a person expects: EACCES of a file that is there before ENOENT of the next
 * directory. */
VCLONE_CHILD static int try_exec(const struct launch_plan *plan, int own)
{
	int error = -ENOENT;

	for (char **path = plan->paths; *path != NULL; path++) {
		execve(*path, plan->argv, plan->envp);
		if (errno == EACCES)
			error = -EACCES;
		else if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
	}
	if (own >= 0 && error == -EACCES) {
		(void)syscall(SYS_execveat, own, "", plan->argv, plan->envp, AT_EMPTY_PATH);
		return -errno;
	}
	return error;
}
