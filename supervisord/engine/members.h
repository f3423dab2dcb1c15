/* SPDX-License-Identifier: ISC */
/*
 * members.h: which processes belong to a run.
 *
 * A run is its main process (the leader of a session and a group of its own) and everything that
 * came of it: processes of that session, of that group, their descendants, and strays that left
 * both and were adopted by the guardian; those are known by SUPERVISORD_RUN in their environment.
 *
 * Signals go through pidfds that are checked after opening, so a number that the kernel has given
 * to somebody else meanwhile is never hit.
 */
#ifndef ENGINE_MEMBERS_H
#define ENGINE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/ledger.h"
#include "supervisord/engine/cgroup.h"

/* The run that is asked about. */
struct members_run {
	const struct ledger *ledger;
	pid_t leader;      /* names its group and session, 0: none is known */
	bool leader_lives; /* `leader` is the live main process, not just a name */
	const char *mark;  /* SUPERVISORD_RUN */
};

struct member {
	pid_t pid;
	pid_t parent;
	pid_t group;
	pid_t session;
	uint64_t start; /* in clock ticks since boot: tells a reused pid */
	bool in_run;    /* scratch of members_mark() */
};

/* All processes of the machine at one moment, without zombies. */
struct members {
	struct member *list; /* by pid, ascending */
	size_t count;
	size_t size;
};

/*
 * Quick: can any process be left of runs whose leaders have ended, and be in no leaf of `cgroups`?
 * False when every child of the guardian is a leader, the engine, the logger, or in a leaf:
 * whatever lost its parent would be a child of the guardian.  True when unsure (a kernel without
 * /proc/PID/task/TID/children).
 */
bool members_may_linger(const struct ledger *ledger, const struct cgroups *cgroups);

/* Whether the group of a dead leader still has processes. */
bool members_group_exists(pid_t leader);

/* Read /proc.  Returns 0 or -errno; members_done() in any case. */
int members_read(struct members *members);
void members_done(struct members *members);

/*
 * Mark the processes of a run, without those that are in a leaf of `cgroups`: those are known
 * without us.  Returns their number.
 */
size_t members_mark(
    struct members *members, const struct members_run *run, const struct cgroups *cgroups);

/* Whether one live process belongs to a run, by the same rules; reads no more than its ancestors.
 */
bool members_has(const struct members_run *run, pid_t pid);

/* Whether nothing tells whose process it is: it is in no leaf and no row, not one of ours, and its
 * environment can be read and has no SUPERVISORD_RUN. */
bool members_is_unmarked(const struct ledger *ledger, const struct cgroups *cgroups, pid_t pid);

/* Send a signal to each marked process, verified.  Returns how many were reached. */
size_t members_signal(const struct members *members, int number);

/* A pidfd of some marked process, verified, or -1 when none is left. */
int members_open_one(const struct members *members);

#endif
