/* SPDX-License-Identifier: ISC */
/*
 * mounts.h: whether a path may be on a file system that somebody else serves, a host or a process,
 * so that a look at it may not return.  Not which paths: a symbolic link may lead there from
 * anywhere.  See proc_pid_mountinfo(5).
 */
#ifndef ENGINE_MOUNTS_H
#define ENGINE_MOUNTS_H

#include <stdbool.h>

struct mounts { /* zeroed at first */
	bool open;
	int fd; /* of the list, which tells when it changes */
	bool served;
};

/* Whether there is one.  Costs one system call as long as nothing is mounted or unmounted. */
bool mounts_may_hang(struct mounts *mounts);

void mounts_done(struct mounts *mounts);

/* A line of the list.  The root counts as ours: where it hangs, so do we. */
bool mounts_is_served(const char *line);

#endif
