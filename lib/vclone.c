/* SPDX-License-Identifier: ISC */
/* vclone.c: see vclone.h.  One static stack: callers are single-threaded, and VFORK means one child
 * at a time. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/vclone.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

/* In the 64 bits of clone3(2) only, so sched.h's CLONE_INTO_CGROUP, where it is there, is the same.
 */
#define INTO_CGROUP UINT64_C(0x200000000)

/* The child calls a few system call wrappers; sanitizer builds need more than those few hundred
 * bytes. */
#define STACK_BYTES (64 * 1024)

/* The kernel's struct clone_args as it is since Linux 5.7; not every libc has its header. */
struct clone3_arguments {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack; /* its lowest address */
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid;
	uint64_t set_tid_size;
	uint64_t cgroup;
};

static _Alignas(64) unsigned char stack[STACK_BYTES];

static long call_clone3(
    const struct clone3_arguments *arguments, int (*child)(void *argument), void *argument);

pid_t vclone(int (*child)(void *argument), void *argument, int extra_flags, pid_t *parent_tid)
{
	pid_t pid;

	pid = clone(child, stack + sizeof(stack),
	    CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD | extra_flags, argument, parent_tid);
	return pid < 0 ? -errno : pid;
}

pid_t vclone_into_cgroup(
    int cgroup, int (*child)(void *argument), void *argument, int extra_flags, pid_t *parent_tid)
{
	struct clone3_arguments arguments = {
	    .flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | (unsigned)extra_flags | INTO_CGROUP,
	    .parent_tid = (uintptr_t)parent_tid,
	    /* With CLONE_PARENT the child's is its siblings', and another one is EINVAL. */
	    .exit_signal = extra_flags & CLONE_PARENT ? 0 : SIGCHLD,
	    .stack = (uintptr_t)stack,
	    .stack_size = sizeof(stack),
	    .cgroup = (unsigned)cgroup,
	};

	return (pid_t)call_clone3(&arguments, child, argument);
}

int vclone_keep_below(unsigned limit)
{
	return syscall(SYS_close_range, limit, ~0U, CLOSE_RANGE_UNSHARE) < 0 ? -errno : 0;
}

/*
 * No libc has a wrapper for it: the child comes back from the system call on a new, empty stack, so
 * nothing but registers may be touched until it is in a function of its own.  A frame pointer and a
 * return address of 0 end its backtrace.
 */
#if defined(__x86_64__) && defined(__LP64__)
static __attribute__((noinline)) long call_clone3(
    const struct clone3_arguments *arguments, int (*child)(void *argument), void *argument)
{
	register int (*entry)(void *) __asm__("r8") = child;
	register void *passed __asm__("r9") = argument;
	long result;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "movq %%r9, %%rdi\n\t"
			 "pushq $0\n\t"
			 "pushq $0\n\t" /* a call needs a stack that is a multiple of 16 */
			 "call *%%r8\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(result)
			 : "0"((long)SYS_clone3), "D"(arguments), "S"(sizeof(*arguments)),
			 "r"(entry), "r"(passed)
			 : "rcx", "r11", "memory", "cc");
	return result;
}
#elif defined(__aarch64__) && defined(__LP64__)
static __attribute__((noinline)) long call_clone3(
    const struct clone3_arguments *arguments, int (*child)(void *argument), void *argument)
{
	register long result __asm__("x0") = (long)arguments;
	register size_t size __asm__("x1") = sizeof(*arguments);
	register int (*entry)(void *) __asm__("x2") = child;
	register void *passed __asm__("x3") = argument;
	register long number __asm__("x8") = SYS_clone3;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x30, xzr\n\t"
			 "mov x0, x3\n\t"
			 "blr x2\n\t"
			 "brk #0\n"
			 "1:"
			 : "+r"(result)
			 : "r"(size), "r"(entry), "r"(passed), "r"(number)
			 : "memory", "cc");
	return result;
}
#else
static long call_clone3(
    const struct clone3_arguments *arguments, int (*child)(void *argument), void *argument)
{
	(void)arguments;
	(void)child;
	(void)argument;
	return -ENOSYS;
}
#endif
