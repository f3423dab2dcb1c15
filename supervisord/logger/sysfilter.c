/* SPDX-License-Identifier: ISC */
/* sysfilter.c: see sysfilter.h. */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisord/logger/sandbox.h"
#include "supervisord/logger/sysfilter.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define NATIVE_ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__) && __BYTE_ORDER == __LITTLE_ENDIAN
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__) && __BYTE_ORDER == __LITTLE_ENDIAN
#define NATIVE_ARCH AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER == __LITTLE_ENDIAN
#define NATIVE_ARCH AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define NATIVE_ARCH AUDIT_ARCH_S390X
#endif

/* x32 shares the architecture of x86-64 and has numbers of its own above this bit. */
#define X32_BIT 0x40000000

/* The kernel swaps the first two arguments of clone(2) there. */
#ifdef __s390x__
#define CLONE_FLAGS_ARGUMENT 1
#else
#define CLONE_FLAGS_ARGUMENT 0
#endif

#define CLONE_NAMESPACES                                                                           \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	    CLONE_NEWPID | CLONE_NEWNET)

#ifndef TIOCLINUX
#define TIOCLINUX 0x541C
#endif
#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1UL << 2)
#endif

/*
 * Every call has its number or, where the architecture or the kernel headers do not know it, is
 * left out: newer ones have the same number everywhere.
 */
/* clang-format off */
static const uint32_t denied[] = {
	/* become another program */
	SYS_execve, SYS_execveat,
	/* look into, or take from, other processes */
#ifndef SANDBOX_SANITIZED
	SYS_ptrace, /* the leak check traces its own process */
#endif
	SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_perf_event_open,
	438 /* pidfd_getfd */, 440 /* process_madvise */,
	/* another view of the system */
	SYS_setns, SYS_unshare, SYS_chroot, SYS_pivot_root, SYS_mount, SYS_umount2,
	428 /* open_tree */, 429 /* move_mount */, 430 /* fsopen */, 431 /* fsconfig */,
	432 /* fsmount */, 433 /* fspick */, 442 /* mount_setattr */,
	SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_personality,
	/* the kernel itself */
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
	SYS_bpf, SYS_userfaultfd, SYS_syslog, SYS_quotactl, SYS_acct, SYS_swapon, SYS_swapoff,
	SYS_reboot, SYS_sethostname, SYS_setdomainname, SYS_vhangup,
#ifdef SYS_iopl
	SYS_iopl, SYS_ioperm, SYS_modify_ldt,
#endif
	/* calls that no filter sees */
	425 /* io_uring_setup */, 426 /* io_uring_enter */, 427 /* io_uring_register */,
	/* keys and time */
	SYS_add_key, SYS_request_key, SYS_keyctl, SYS_clock_settime, SYS_settimeofday,
	SYS_adjtimex, SYS_clock_adjtime,
};
/* clang-format on */

#define DENIED_COUNT (sizeof(denied) / sizeof(denied[0]))
#define FILTER_MAX   (DENIED_COUNT + 24)

/* Jumps of BPF are counted in instructions from the next one, and have 8 bits. */
_Static_assert(FILTER_MAX < 255, "every jump must reach the end of the filter");

#ifdef NATIVE_ARCH

struct filter {
	struct sock_filter code[FILTER_MAX];
	unsigned short length;
};

static void emit(struct filter *filter, struct sock_filter instruction);
static void load(struct filter *filter, size_t offset);
static size_t argument_offset(unsigned number);
static void emit_numbers(struct filter *filter);
static void emit_arguments(struct filter *filter);

#define RETURN(value) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (value)))
/* If the loaded word is this, the next instruction is done, else skipped. */
#define ONLY_IF(test, value) ((struct sock_filter)BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), 0, 1))

#define DENY RETURN(SECCOMP_RET_ERRNO | EPERM)

int sysfilter_enforce(void)
{
	struct filter filter = {.length = 0};
	struct sock_fprog program;

	load(&filter, offsetof(struct seccomp_data, arch));
	emit(&filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0));
	emit(&filter, RETURN(SECCOMP_RET_KILL_PROCESS));
	load(&filter, offsetof(struct seccomp_data, nr));
	emit_numbers(&filter);
	emit_arguments(&filter);
	emit(&filter, RETURN(SECCOMP_RET_ALLOW));

	program = (struct sock_fprog){.len = filter.length, .filter = filter.code};
	/* Without the flag, old kernels slow down every branch of a process that has a filter. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		&program) == 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
		return 0;
	return -errno;
}

static void emit(struct filter *filter, struct sock_filter instruction)
{
	filter->code[filter->length++] = instruction;
}

static void load(struct filter *filter, size_t offset)
{
	emit(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset));
}

/* The low half of an argument: flags and requests have no other. */
static size_t argument_offset(unsigned number)
{
	return offsetof(struct seccomp_data, args) + number * sizeof(uint64_t) +
	       (__BYTE_ORDER == __BIG_ENDIAN ? sizeof(uint32_t) : 0);
}

static void emit_numbers(struct filter *filter)
{
#ifdef __x86_64__
	emit(filter, ONLY_IF(BPF_JGE, X32_BIT));
	emit(filter, DENY);
#endif
	/* All of them jump to the one instruction behind them, which the last one steps over. */
	for (size_t i = 0; i < DENIED_COUNT; i++)
		emit(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, denied[i],
				 (uint8_t)(DENIED_COUNT - 1 - i), i + 1 == DENIED_COUNT));
	emit(filter, DENY);
	/* Its flags are in memory, out of a filter's sight: libc takes clone(2) instead. */
	emit(filter, ONLY_IF(BPF_JEQ, 435 /* clone3 */));
	emit(filter, RETURN(SECCOMP_RET_ERRNO | ENOSYS));
}

static void emit_arguments(struct filter *filter)
{
	emit(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4));
	load(filter, argument_offset(CLONE_FLAGS_ARGUMENT));
	emit(filter, ONLY_IF(BPF_JSET, CLONE_NAMESPACES));
	emit(filter, DENY);
	emit(filter, RETURN(SECCOMP_RET_ALLOW));
	/* Typing into the terminal that supervisord was started from. */
	emit(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 5));
	load(filter, argument_offset(1));
	emit(filter, ONLY_IF(BPF_JEQ, TIOCSTI));
	emit(filter, DENY);
	emit(filter, ONLY_IF(BPF_JEQ, TIOCLINUX));
	emit(filter, DENY);
}

#else

int sysfilter_enforce(void)
{
	return -ENOTSUP;
}

#endif
