/* SPDX-License-Identifier: ISC */
/* vclone.c: see vclone.h.  One static stack: callers are single-threaded, and VFORK means one child
 * at a time. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/vclone.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

/* The child calls a few system call wrappers; sanitizer builds need more than those few hundred
 * bytes. */
#define STACK_BYTES (64 * 1024)

static _Alignas(64) unsigned char stack[STACK_BYTES];

pid_t vclone(int (*child)(void *argument), void *argument, int extra_flags, pid_t *parent_tid)
{
	pid_t pid;

	pid = clone(child, stack + sizeof(stack),
	    CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD | extra_flags, argument, parent_tid);
	return pid < 0 ? -errno : pid;
}

int vclone_keep_below(unsigned limit)
{
	return syscall(SYS_close_range, limit, ~0U, CLOSE_RANGE_UNSHARE) < 0 ? -errno : 0;
}
