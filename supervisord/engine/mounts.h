/* SPDX-License-Identifier: ISC */
/*
 * mounts.h: whether a path leads to a file system that somebody else serves, a host or a process,
 * so that a look at it may not return.  Follows symbolic links as path_resolution(7) says, and
 * never touches what is served.  See proc_pid_mountinfo(5).
 */
#ifndef ENGINE_MOUNTS_H
#define ENGINE_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/limits.h"

struct mounts { /* zeroed at first */
	bool open;
	int fd;                            /* of the list, which tells when it changes */
	char *points[LIMIT_SERVED_MOUNTS]; /* where what is served is mounted */
	size_t count;
	bool everywhere; /* more than that, or unknown: any path may lead there */
};

/* Look at the list again if it has changed: whether anything is served.  Costs one system call as
 * long as nothing is mounted or unmounted. */
bool mounts_update(struct mounts *mounts);

void mounts_done(struct mounts *mounts);

/* Whether that absolute path leads to one of the points. */
bool mounts_may_hang(const struct mounts *mounts, const char *path);

/* A line of the list: where it is mounted, malloc'ed, when that is served; NULL: it is not, or out
 * of memory with errno ENOMEM.  The root counts as ours: where it hangs, so do we. */
char *mounts_read_line(const char *line);

#endif
