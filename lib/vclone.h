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

/* Stands before each function that the child calls: not instrumented, because the child runs on a
 * borrowed stack in its parent's memory. */
#if defined(__clang__) || defined(__SANITIZE_ADDRESS__)
#define VCLONE_CHILD __attribute__((no_sanitize("address", "undefined"))) __attribute__((noinline))
#else
#define VCLONE_CHILD __attribute__((noinline))
#endif

/*
 * Run child(argument) in a new process; it must not return.  `extra_flags`: CLONE_PARENT and
 * CLONE_PARENT_SETTID, or 0.  `parent_tid` is where the kernel writes the pid before the child runs
 * (with CLONE_PARENT_SETTID), or NULL.  Returns the pid or -errno.
 */
pid_t vclone(int (*child)(void *argument), void *argument, int extra_flags, pid_t *parent_tid);

/*
 * The same, and the child is in the cgroup from its first instruction on: `cgroup` is the open
 * directory of a cgroup v2 (O_PATH will do).  Besides what the kernel says of the cgroup (EACCES,
 * EBUSY, ENODEV, EOPNOTSUPP): -ENOSYS where this cannot be had, on machines without the few lines
 * of assembly that it takes, and before Linux 5.7; a seccomp(2) filter may say -EPERM, too.  Then
 * use vclone() and let the child write to cgroup.procs.
 */
pid_t vclone_into_cgroup(
    int cgroup, int (*child)(void *argument), void *argument, int extra_flags, pid_t *parent_tid);

/* In the child: a private descriptor table that has only descriptors below `limit`.  0 or -errno.
 */
int vclone_keep_below(unsigned limit);

#endif
