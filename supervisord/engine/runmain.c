/* SPDX-License-Identifier: ISC */
/*
 * runmain.c: which process of a run is the main one, when that is not the one that was launched.
 *
 * The guardian looks at a dead child (WNOWAIT), posts its end if it finds the pid in a row, takes
 * the pid out with a compare-and-swap, and reaps.  Both sides may be at it at once:
 *
 *  - The process lives after we have written its pid: then it ends later, the guardian looks later
 *    still, and finds it.
 *  - It has ended before that: either the guardian looked before we wrote, and nobody will ever
 *    post it; or it has seen our pid and posts it.  Taking the pid out again tells which: if that
 *    succeeds it was not posted, and is not the main process.  (The guardian may just be between
 *    finding and posting.  Then its news come after our -ESRCH, and they are true: the process that
 *    was to be the main one has ended.)
 *  - The main process before it ends at the same time: its news are then read while another pid
 *    stands in the row, by which whoever reads them knows that they are of no interest any more.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/clock.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/members.h"
#include "supervisord/engine/procstat.h"
#include "supervisord/engine/run.h"

static int check_candidate(struct run *run, pid_t pid, uid_t voucher, pid_t *ret_session);
static bool is_vouched(
    const struct run *run, pid_t pid, const struct procstat *seen, uid_t voucher);
static int replace_main(struct run *run, pid_t pid, int fd);
static int put_main(_Atomic int32_t *slot, pid_t from, pid_t to, int pidfd);
static bool has_ended(int pidfd);
static pid_t guardian_of(const struct run *run);

int run_set_main(struct run *run, pid_t pid, uid_t voucher)
{
	pid_t session;
	int fd, error;

	if (pid > 0 && pid == run_pid(run))
		return 0;
	fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (fd < 0)
		return -ESRCH;
	error = check_candidate(run, pid, voucher, &session);
	if (error == 0)
		error = replace_main(run, pid, fd);
	if (error == 0)
		run->engine->ledger->table[run->row].last_pid = session;
	close(fd);
	return error;
}

pid_t run_find_main(struct run *run)
{
	pid_t pids[LIMIT_RUN_LOOK], found = 0;
	size_t count = run_list(run, pids, LIMIT_RUN_LOOK);

	for (size_t i = 0; i < count && i < LIMIT_RUN_LOOK; i++) {
		struct procstat stat;

		if (!procstat_read(pids[i], &stat) || !procstat_is_alive(&stat) ||
		    stat.parent != guardian_of(run))
			continue;
		if (found != 0)
			return 0;
		found = pids[i];
	}
	return found;
}

/* The session, which its group belongs to, names what is left of the run when there is no cgroup.
 */
static int check_candidate(struct run *run, pid_t pid, uid_t voucher, pid_t *ret_session)
{
	struct procstat stat;

	if (!procstat_read(pid, &stat) || !procstat_is_alive(&stat))
		return -ESRCH;
	if (!run_has_member(run, pid) && !is_vouched(run, pid, &stat, voucher))
		return -EPERM;
	if (stat.parent != guardian_of(run))
		return -ECHILD;
	*ret_session = stat.session;
	return 0;
}

/* Nothing speaks against it, and who says so may have made it. */
static bool is_vouched(const struct run *run, pid_t pid, const struct procstat *seen, uid_t voucher)
{
	const struct engine *engine = run->engine;
	const struct ledger_state *state = ledger_get_state(engine->ledger, run->row);
	int64_t tick_ns = NS_PER_S / sysconf(_SC_CLK_TCK);
	char path[32];
	struct stat st;

	if (voucher == RUN_NO_VOUCHER || seen->parent != guardian_of(run) ||
	    (int64_t)(seen->start + 1) * tick_ns < state->run_start_ns)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return stat(path, &st) == 0 && (voucher == 0 || voucher == st.st_uid) &&
	       members_is_unmarked(engine->ledger, &engine->cgroups, pid);
}

static int replace_main(struct run *run, pid_t pid, int fd)
{
	_Atomic int32_t *slot = &run->engine->ledger->pids[run->row];
	pid_t old = run_pid(run);
	int old_fd = old > 0 ? (int)syscall(SYS_pidfd_open, old, 0) : -1;
	int error = put_main(slot, old, pid, fd);

	if (error == -EAGAIN) /* the end of the old one has just been posted */
		error = put_main(slot, 0, pid, fd);
	else if (error == -ESRCH && old_fd >= 0)
		(void)put_main(slot, 0, old, old_fd); /* as if nothing had been */
	if (old_fd >= 0)
		close(old_fd);
	return error;
}

/*
 * Write a pid into a row, if `from` is what stands there.  0: it is the main process, and the
 * guardian will tell its end or has done so; -EAGAIN: something else stands there; -ESRCH: it has
 * ended unseen, and the row has no pid now.
 */
static int put_main(_Atomic int32_t *slot, pid_t from, pid_t to, int pidfd)
{
	int32_t expected = from;

	if (!atomic_compare_exchange_strong(slot, &expected, to))
		return -EAGAIN;
	if (!has_ended(pidfd))
		return 0;
	expected = to;
	return atomic_compare_exchange_strong(slot, &expected, 0) ? -ESRCH : 0;
}

static bool has_ended(int pidfd)
{
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) > 0;
}

static pid_t guardian_of(const struct run *run)
{
	return run->engine->ledger->header.guardian_pid;
}
