/* SPDX-License-Identifier: ISC */
/*
 * vclone.h: start a process without copying anything.
 *
 * clone(2) with CLONE_VM|CLONE_VFORK|CLONE_FILES: the child runs on a stack of its own in our
 * memory while we stand still, until it calls execve(2) or _exit(2).  The descriptor table is
 * shared until the child calls vclone_keep_below(), which gives it a private table of just the
 * lowest ones: so a start costs the same with ten descriptors open as with twenty thousand.
 *
 * The child function may do prepared system calls and nothing else: no malloc, no stdio, no locks,
 * no return into our frames.  Signals must be blocked by the caller, and no handlers installed.
 */
#ifndef LIB_VCLONE_H
#define LIB_VCLONE_H

#include <sys/types.h>

/*
 * Run child(argument) in a new process; it must not return.  `extra_flags`: CLONE_PARENT and
 * CLONE_PARENT_SETTID, or 0.  `parent_tid` is where the kernel writes the pid before the child runs
 * (with CLONE_PARENT_SETTID), or NULL.  Returns the pid or -errno.
 */
pid_t vclone(int (*child)(void *argument), void *argument, int extra_flags, pid_t *parent_tid);

/* In the child: a private descriptor table that has only descriptors below `limit`.  0 or -errno.
 */
int vclone_keep_below(unsigned limit);

#endif
