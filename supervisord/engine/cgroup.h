/* SPDX-License-Identifier: ISC */
/*
 * cgroup.h: a cgroup v2 leaf for each ledger row, where that can be had.
 *
 * The leaf is made at the first launch and kept for the next runs of the row: there is at most one
 * live run of it, and what an earlier one was allowed to leave behind (kill_mode = process) moves
 * to a leaf for all such before the next.  Its name is ROW-NAME, under a directory of this
 * guardian's own ("supervisord.NONCE" beside the daemon's own processes), so two supervisors on a
 * machine do not meet.  See cgroups(7).
 *
 * No controller is needed: membership, "populated" and cgroup.kill (Linux 5.14) are in the core.
 * That of memory is used if it can be had (cgroupmemory.h).
 */
#ifndef ENGINE_CGROUP_H
#define ENGINE_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The open cgroup.events of a leaf: in a storm of crashes it is asked for again and again. */
struct cgroup_look {
	int fd; /* 0: none */
	int row;
};

/* One for the engine. */
struct cgroups {
	int base;            /* directory of ours, -1: there is none */
	struct cgroup_look
	    *looks;          /* LIMIT_CGROUP_LOOKS, each row's in its place; NULL: no memory */
	bool memory;         /* leaves have the memory controller, see cgroupmemory.h */
	bool told;           /* that a leaf could not be made or used */
	char reason[128];    /* why there is none, "" when there is */
	char path[PATH_MAX]; /* of it, as /proc/PID/cgroup shows it */
};

/*
 * Find out whether we may have cgroups and make our directory, or find that of a previous engine
 * (same nonce).  Never fails: without cgroups `base` is -1 and `reason` says why, such as "no
 * cgroup2 file system is mounted", "/sys/fs/cgroup/x: Read-only file system".
 * The environment variable SUPERVISORD_NO_CGROUP (of the daemon) makes it -1 too, for tests.
 */
void cgroups_init(struct cgroups *cgroups, uint64_t nonce);

/* The engine ends: close it, after cgroups_remove(). */
void cgroups_done(struct cgroups *cgroups);

/* Remove our directory, as far as it is empty: what has processes stays for the next engine, which
 * makes the rest anew. */
void cgroups_remove(struct cgroups *cgroups);

/* Whether the process is in some leaf of ours. */
bool cgroups_hold(const struct cgroups *cgroups, pid_t pid);

/* Make the leaf of a row.  0, -EEXIST: it is there, or another -errno. */
int cgroup_make(const struct cgroups *cgroups, int row, const char *name);

/* Make (or find) it and open it: a directory descriptor (O_PATH, close-on-exec), or -errno. */
int cgroup_open(const struct cgroups *cgroups, int row, const char *name);

/* 1: live processes (also in cgroups that the program has made below), 0: none; -ENOENT: there is
 * no leaf, or another -errno. */
int cgroup_is_populated(const struct cgroups *cgroups, int row, const char *name);

/* What a file of its leaf says, or one below a directory: at most `size` with the NUL.  0 or
 * -errno. */
int cgroup_read_leaf(const struct cgroups *cgroups, int row, const char *name, const char *file,
    char *text, size_t size);
int cgroup_read_file(int directory, const char *path, char *text, size_t size);

/* KILL to all of it at once.  0 or -errno; -ENOENT before Linux 5.14, too. */
int cgroup_kill(const struct cgroups *cgroups, int row, const char *name);

/* A signal, and CONT after it, to each process, also to those that appear meanwhile; to each once.
 * Returns how many were reached, or -errno. */
int cgroup_signal(const struct cgroups *cgroups, int row, const char *name, int number);

/*
 * Pids of the processes in it and in cgroups below, at most `size`; returns how many there are, or
 * -errno.  The numbers may be out of date when they are read: verify before use.
 */
int cgroup_list(const struct cgroups *cgroups, int row, const char *name, pid_t *pids, size_t size);

/* Whether the process is in it (or below) now. */
bool cgroup_has(const struct cgroups *cgroups, int row, const char *name, pid_t pid);

/* A pidfd of the process, if it is in it.  -1: it is not. */
int cgroup_open_process(const struct cgroups *cgroups, int row, const char *name, pid_t pid);

/*
 * A descriptor (close-on-exec) that becomes readable when something in the leaf has changed for
 * which it is worth to look again: a pidfd of one process, or notice that the last one has gone.
 * -ESRCH: there is none any more, or -errno.
 */
int cgroup_watch(const struct cgroups *cgroups, int row, const char *name);

/* Move what is in it to where nobody looks any more.  0 or -errno. */
int cgroup_abandon(const struct cgroups *cgroups, int row, const char *name);

/* Remove a cgroup and all below it, from the bottom up, as far as the kernel lets us: not what has
 * processes.  0 (also when there is none) or -errno. */
int cgroup_remove_tree(int directory, const char *name);

/* Remove the leaf and what the program has made below it.  0, -EBUSY while a process is left. */
int cgroup_remove(const struct cgroups *cgroups, int row, const char *name);

#endif
