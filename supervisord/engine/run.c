/* SPDX-License-Identifier: ISC */
/*
 * run.c: see run.h.
 *
 * A run's processes are those in its leaf, and those that are in no leaf at all and known by
 * session, group, descent or mark: because there are no cgroups, because this leaf could not be
 * had, or because a program that may do so has moved them.  The second kind is searched for only
 * if the guardian has a child that nothing accounts for, or the run has no leaf.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/members.h"
#include "supervisord/engine/procstat.h"
#include "supervisord/engine/run.h"

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1U << 2) /* Linux 6.9 */
#endif

struct member_watch {
	ev_io io;
	struct run *run;
};

static struct ledger_row *row_of(const struct run *run);
static int open_leaf(struct run *run);
static int finish_leaf(struct run *run);
static void tell_no_leaf(struct run *run, int error);
static int open_main(const struct run *run);
static bool signal_group(const struct run *run, int number);
static int leaf_state(const struct run *run);
static bool has_outsiders(struct run *run);
static size_t mark_outsiders(struct run *run);
static void describe(
    const struct run *run, struct members_run *ret_members, char mark[LAUNCH_MARK]);
static size_t count_left(struct run *run);
static void watch_one(struct run *run);
static void on_member_end(struct ev_loop *loop, ev_io *io, int events);

int run_launch(struct run *run, const struct launch_request *request)
{
	struct engine *engine = run->engine;
	struct ledger_row *row = row_of(run);
	struct launch_request full = *request;
	enum launch_step step;
	struct launch_lack lack = {0};
	int error;

	/* News that an engine before us acted on and did not live to clear: they are not this
	 * run's. */
	if (ledger_has_exit(engine->ledger, run->row) &&
	    engine->ledger->exits[run->row].run != request->run)
		ledger_clear_exit(engine->ledger, run->row);
	row->last_pid = 0;
	atomic_store(&row->run, request->run); /* what the guardian will say of its end */
	full.run_name = row->name;
	full.run_dir = engine->config->settings.key_run_dir;
	full.nonce = engine->ledger->header.nonce;
	full.nofile = engine_child_nofile(engine);
	full.looks = &engine->filelooks;
	full.cgroup = open_leaf(run);
	error = launch_program(&full, engine->ledger, run->row, &step, &lack);
	if (full.cgroup >= 0)
		close(full.cgroup);
	if (lack.cgroup < 0)
		tell_no_leaf(run, lack.cgroup);
	if (lack.node_preload < 0)
		log_warning("%s: cannot read %s (%s), and does without: connections that clients "
			    "keep may be cut when it is restarted",
		    row->name, request->node_preload, strerror(-lack.node_preload));
	if (error < 0)
		run_note_failure(run, step, -error);
	return error;
}

void run_note_failure(struct run *run, enum launch_step step, int error)
{
	struct ledger_failure *failure = &row_of(run)->failure;

	atomic_store(&failure->error, error);
	atomic_store(&failure->step, step);
}

pid_t run_pid(const struct run *run)
{
	return atomic_load(&run->engine->ledger->pids[run->row]);
}

void run_signal(struct run *run, int number, enum run_whom whom)
{
	const struct engine *engine = run->engine;

	if (whom == RUN_MAIN) {
		if (run_signal_main(run, number) == 0)
			(void)run_signal_main(run, SIGCONT);
		return;
	}
	if (cgroup_signal(&engine->cgroups, run->row, row_of(run)->name, number) <= 0 &&
	    run_pid(run) != 0 && signal_group(run, number))
		return;
	if (!has_outsiders(run) || mark_outsiders(run) == 0)
		return;
	(void)members_signal(&engine->members, number);
	(void)members_signal(&engine->members, SIGCONT);
}

void run_kill(struct run *run, const char *name)
{
	const struct engine *engine = run->engine;
	const char *leaf = row_of(run)->name;
	int listed = cgroup_list(&engine->cgroups, run->row, leaf, NULL, 0);
	size_t left = listed > 0 ? (size_t)listed : 0;

	/* Also when none is listed: one that is just being forked is not, and is hit all the same.
	 */
	run->leaf_is_new = false;
	if (listed >= 0 && cgroup_kill(&engine->cgroups, run->row, leaf) < 0)
		(void)cgroup_signal(&engine->cgroups, run->row, leaf, SIGKILL);
	if (has_outsiders(run) && mark_outsiders(run) > 0)
		left += members_signal(&engine->members, SIGKILL);
	if (left > 0 && name != NULL)
		log_warning("%s: KILL to %zu process%s that did not end", name, left,
		    left == 1 ? "" : "es");
}

int run_signal_main(const struct run *run, int number)
{
	int fd = open_main(run);
	int error = 0;

	if (fd < 0)
		return -ESRCH;
	if (syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) < 0)
		error = -errno;
	close(fd);
	return error;
}

bool run_has_group(const struct run *run)
{
	int leaf;

	if (run_pid(run) != 0 || atomic_load(&row_of(run)->run) == 0)
		return false;
	leaf = leaf_state(run);
	return leaf >= 0 ? leaf > 0 : members_group_exists(row_of(run)->last_pid);
}

bool run_has_leftovers(struct run *run)
{
	return run_pid(run) == 0 && atomic_load(&row_of(run)->run) > 0 &&
	       (leaf_state(run) > 0 || (has_outsiders(run) && mark_outsiders(run) > 0));
}

void run_forget_leader(struct run *run)
{
	struct ledger_row *row = row_of(run);

	if (run_pid(run) == 0 && row->last_pid != 0 && !members_group_exists(row->last_pid))
		row->last_pid = 0;
}

bool run_reaches_all(const struct run *run)
{
	return leaf_state(run) >= 0;
}

bool run_is_gone(struct run *run, bool only_main, size_t *ret_left)
{
	size_t left = 1;

	if (run_pid(run) == 0) {
		run_forget_watch(run);
		run_forget_leader(run);
		left = only_main ? 0 : count_left(run);
		if (left > 0)
			watch_one(run);
	}
	if (ret_left != NULL)
		*ret_left = left;
	return left == 0;
}

size_t run_list(struct run *run, pid_t *pids, size_t size)
{
	const struct engine *engine = run->engine;
	int listed = cgroup_list(&engine->cgroups, run->row, row_of(run)->name, pids, size);
	size_t count = listed > 0 ? (size_t)listed : 0;

	if (!has_outsiders(run) || mark_outsiders(run) == 0)
		return count;
	for (size_t i = 0; i < engine->members.count; i++) {
		if (!engine->members.list[i].in_run)
			continue;
		if (count < size)
			pids[count] = engine->members.list[i].pid;
		count++;
	}
	return count;
}

const char *run_left_text(struct run *run, char *buffer, size_t size)
{
	pid_t pids[LIMIT_RUN_LOOK];
	size_t count = run_list(run, pids, LIMIT_RUN_LOOK), length = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < count && i < LIMIT_RUN_LOOK; i++) {
		char name[PROCSTAT_NAME], text[PROCSTAT_NAME + 24];

		if (!procstat_read_name(pids[i], name))
			continue;
		(void)snprintf(
		    text, sizeof(text), "%s%s (%d)", length > 0 ? ", " : "", name, (int)pids[i]);
		/* Room is kept for saying that there are more. */
		if (length + strlen(text) + sizeof(", ...") > size) {
			(void)snprintf(
			    buffer + length, size - length, "%s", length > 0 ? ", ..." : "");
			break;
		}
		memcpy(buffer + length, text, strlen(text) + 1);
		length += strlen(text);
	}
	return buffer;
}

void run_forget_watch(struct run *run)
{
	if (run->watch == NULL)
		return;
	ev_io_stop(run->engine->loop, &run->watch->io);
	close(run->watch->io.fd);
	free(run->watch);
	run->watch = NULL;
}

bool run_has_member(struct run *run, pid_t pid)
{
	const struct engine *engine = run->engine;
	struct members_run members;
	struct procstat stat;
	char mark[LAUNCH_MARK];

	if (pid <= 0 || !procstat_read(pid, &stat) || !procstat_is_alive(&stat))
		return false;
	if (cgroup_has(&engine->cgroups, run->row, row_of(run)->name, pid))
		return true;
	describe(run, &members, mark);
	return !cgroups_hold(&engine->cgroups, pid) && members_has(&members, pid);
}

void run_release(struct run *run)
{
	const struct cgroups *cgroups = &run->engine->cgroups;
	const char *name = row_of(run)->name;

	if (cgroup_remove(cgroups, run->row, name) == -EBUSY &&
	    cgroup_abandon(cgroups, run->row, name) == 0)
		(void)cgroup_remove(cgroups, run->row, name);
}

void run_end_round(struct engine *engine)
{
	members_done(&engine->members);
	engine->members_read = engine->linger_known = false;
	engine->empty_leaf = 0;
}

static struct ledger_row *row_of(const struct run *run)
{
	return &run->engine->ledger->table[run->row];
}

/* The leaf for a launch, or -1.  What the last run was allowed to leave behind is none of this
 * one's. */
static int open_leaf(struct run *run)
{
	const struct cgroups *cgroups = &run->engine->cgroups;
	const char *name = row_of(run)->name;

	if (cgroups->base < 0)
		return -1;
	/* A first launch has none, and need not ask. */
	if (!run->leaf_is_new && cgroup_make(cgroups, run->row, name) == 0) {
		run->leaf_is_new = true;
		return finish_leaf(run);
	}
	/* Who has just ended and comes back has been looked at for that. */
	if (run->engine->empty_leaf != run->row + 1 && leaf_state(run) > 0)
		(void)cgroup_abandon(cgroups, run->row, name);
	run->engine->empty_leaf = 0;
	/*
	 * A leaf that has seen cgroup.kill kills whatever is cloned into it (CLONE_INTO_CGROUP)
	 * ever after: the kernel compares its count of kills with that of our own cgroup.  So it is
	 * made anew; and where it counts memory, that of another run.
	 */
	if ((!run->leaf_is_new || cgroups->memory) &&
	    cgroup_remove(cgroups, run->row, name) == -EBUSY &&
	    cgroup_abandon(cgroups, run->row, name) == 0)
		(void)cgroup_remove(cgroups, run->row, name);
	run->leaf_is_new = true;
	return finish_leaf(run);
}

static int finish_leaf(struct run *run)
{
	int fd = cgroup_open(&run->engine->cgroups, run->row, row_of(run)->name);

	if (fd < 0)
		tell_no_leaf(run, fd);
	return fd;
}

/* The run goes without.  A leaf that it is not in would say that there is nothing left. */
static void tell_no_leaf(struct run *run, int error)
{
	struct cgroups *cgroups = &run->engine->cgroups;
	const char *name = row_of(run)->name;

	(void)cgroup_remove(cgroups, run->row, name);
	if (cgroups->told)
		return;
	cgroups->told = true;
	log_warning("%s: no cgroup for it (%s): its processes are known by session and group; this "
		    "is not said again",
	    name, strerror(-error));
}

/*
 * A pidfd of the live main process, or -1.  The guardian takes the pid out of the ledger before it
 * reaps: if it is still there after the open, the descriptor is of our process.
 */
static int open_main(const struct run *run)
{
	pid_t pid = run_pid(run);
	int fd;

	if (pid <= 0)
		return -1;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd >= 0 && run_pid(run) == pid)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* To the main process's group, if it leads one; else each has to be found.  True: done, or there is
 * nobody because it has just ended and EXIT is on its way. */
static bool signal_group(const struct run *run, int number)
{
	pid_t pid = run_pid(run);
	int fd = open_main(run);

	if (fd < 0)
		return true;
	if (getpgid(pid) != pid) {
		close(fd);
		return false;
	}
	if (syscall(SYS_pidfd_send_signal, fd, number, NULL, PIDFD_SIGNAL_PROCESS_GROUP) < 0 &&
	    errno == EINVAL)
		(void)kill(-pid, number);
	if (syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, PIDFD_SIGNAL_PROCESS_GROUP) < 0 &&
	    errno == EINVAL)
		(void)kill(-pid, SIGCONT);
	close(fd);
	return true;
}

/* 1: the leaf has processes, 0: it has none, negative: there is no leaf. */
static int leaf_state(const struct run *run)
{
	struct engine *engine = run->engine;
	int state = cgroup_is_populated(&engine->cgroups, run->row, row_of(run)->name);

	if (state == 0)
		engine->empty_leaf = run->row + 1;
	return state;
}

/*
 * Whether processes outside of any leaf can be of this run; one look at the guardian's children
 * serves a round.  While a main process lives outside, anybody may be its child.
 */
static bool has_outsiders(struct run *run)
{
	struct engine *engine = run->engine;

	pid_t pid = run_pid(run);

	if (pid != 0 && !cgroup_has(&engine->cgroups, run->row, row_of(run)->name, pid))
		return true;
	if (leaf_state(run) < 0 && run_has_group(run))
		return true;
	if (!engine->linger_known) {
		engine->may_linger = members_may_linger(engine->ledger, &engine->cgroups);
		engine->linger_known = true;
	}
	return engine->may_linger;
}

/* Marks them in engine->members, which is read once a round; returns how many there are. */
static size_t mark_outsiders(struct run *run)
{
	struct engine *engine = run->engine;
	struct members_run members;
	char mark[LAUNCH_MARK];

	if (!engine->members_read) {
		int error = members_read(&engine->members);

		if (error < 0)
			log_error("%s: cannot read /proc: %s", row_of(run)->name, strerror(-error));
		engine->members_read = true;
	}
	describe(run, &members, mark);
	return members_mark(&engine->members, &members, &engine->cgroups);
}

static void describe(const struct run *run, struct members_run *ret_members, char mark[LAUNCH_MARK])
{
	const struct ledger *ledger = run->engine->ledger;
	const struct ledger_row *row = row_of(run);

	*ret_members = (struct members_run){
	    .ledger = ledger,
	    .leader = row->last_pid,
	    .leader_lives = row->last_pid != 0 && row->last_pid == run_pid(run),
	    .mark = launch_mark(
		row->name, atomic_load(&row->run), ledger->header.nonce, mark, LAUNCH_MARK),
	};
}

static size_t count_left(struct run *run)
{
	size_t left = run_list(run, NULL, 0);

	/* One that is half gone counts before it is listed no more. */
	return left == 0 && leaf_state(run) > 0 ? 1 : left;
}

static void watch_one(struct run *run)
{
	struct engine *engine = run->engine;
	int fd = cgroup_watch(&engine->cgroups, run->row, row_of(run)->name);

	if (fd < 0 && has_outsiders(run) && mark_outsiders(run) > 0)
		fd = members_open_one(&engine->members);
	if (fd < 0) { /* it ended under our eyes */
		run->on_change(run);
		return;
	}
	run->watch = malloc(sizeof(*run->watch));
	if (run->watch == NULL) {
		close(fd);
		return; /* the timer's KILL probes again */
	}
	run->watch->run = run;
	ev_io_init(&run->watch->io, on_member_end, fd, EV_READ);
	ev_io_start(engine->loop, &run->watch->io);
}

static void on_member_end(struct ev_loop *loop, ev_io *io, int events)
{
	struct run *run = ((struct member_watch *)io)->run;

	(void)loop;
	(void)events;
	run_forget_watch(run);
	run->on_change(run);
}
