/* SPDX-License-Identifier: ISC */
/*
 * pathrules.h: the directories whose files the logger may see and write (Landlock, kernel 5.13).
 *
 * A rule belongs to a directory as it stands on the disk, not to its name.  When that directory is
 * replaced, mounted over or deleted, its name leads to files that are closed to this process, and
 * only to a new one open: pathrules_is_outdated() tells.  It never says so twice for the same
 * state of the file system, or the logger would be started again for ever.
 *
 * Besides the log directories, what libc reads is readable: its own files, the time zone, names of
 * hosts and users (/etc and /usr), nothing else.
 */
#ifndef LOGGER_PATHRULES_H
#define LOGGER_PATHRULES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pathrule;

struct pathrules {
	struct pathrule *rules;
	size_t count;
};

/* The directory of this file is to be open.  Borrows `path`, absolute.  Returns 0 or -errno. */
int pathrules_add(struct pathrules *rules, const char *path);

/*
 * Close everything else, for ever.  Directories that are missing are made first; one that cannot be
 * is left out.  Returns 0, -EOPNOTSUPP or -ENOSYS: the kernel cannot, or another -errno: nothing is
 * closed.
 */
int pathrules_enforce(struct pathrules *rules);

/* How many directories are open. */
size_t pathrules_count(const struct pathrules *rules);

/* Is the directory of this file closed here, and would it be open to a new process? */
bool pathrules_is_outdated(const struct pathrules *rules, const char *path);

void pathrules_done(struct pathrules *rules);

#endif
