/* SPDX-License-Identifier: ISC */
/*
 * tiny.c: the few C library functions of stamp.c, so that it can be linked without one.
 *
 * An exec of a static glibc program takes about 30 page faults, of this one about 8.  The cost of
 * the program is the same for every supervisor, but it is also in the bare loop's figure: the
 * smaller it is, the less it flatters a ratio.  On machines other than these two, and with
 * sanitizers, stamp.c is linked to the C library instead (targets.mk).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv);
void tiny_start(long *stack) __attribute__((noreturn));

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n"
	"\tcall tiny_start\n");

static long tiny_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl tiny_start\n");

static long tiny_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#else
#error "tiny.c knows x86_64 and aarch64"
#endif

/* The stack of a new process: argc, argv…, NULL, environment…. */
void tiny_start(long *stack)
{
	long status = main((int)stack[0], (char **)(stack + 1));

	for (;;)
		tiny_syscall(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

/* What errno is, in glibc and musl alike. */
int *__errno_location(void)
{
	static int error;

	return &error;
}

static long tiny_result(long r)
{
	if (r >= 0 || r < -4095)
		return r;
	errno = (int)-r;
	return -1;
}

/* stamp.c never creates a file: no mode. */
int open(const char *path, int flags, ...)
{
	return (int)tiny_result(tiny_syscall(SYS_openat, AT_FDCWD, (long)path, flags, 0, 0, 0));
}

int close(int fd)
{
	return (int)tiny_result(tiny_syscall(SYS_close, fd, 0, 0, 0, 0, 0));
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	long r = tiny_syscall(SYS_mmap, (long)at, (long)size, protection, flags, fd, offset);

	return (void *)tiny_result(r);
}

ssize_t write(int fd, const void *data, size_t size)
{
	return tiny_result(tiny_syscall(SYS_write, fd, (long)data, (long)size, 0, 0, 0));
}

ssize_t readlink(const char *restrict path, char *restrict text, size_t size)
{
	long r = tiny_syscall(SYS_readlinkat, AT_FDCWD, (long)path, (long)text, (long)size, 0, 0);

	return tiny_result(r);
}

pid_t getpid(void)
{
	return (pid_t)tiny_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

int pause(void)
{
	return (int)tiny_result(tiny_syscall(SYS_ppoll, 0, 0, 0, 0, 0, 0));
}

int nanosleep(const struct timespec *wanted, struct timespec *ret_left)
{
	long r = tiny_syscall(SYS_nanosleep, (long)wanted, (long)ret_left, 0, 0, 0, 0);

	return (int)tiny_result(r);
}

int clock_gettime(clockid_t id, struct timespec *ret_now)
{
	return (int)tiny_result(tiny_syscall(SYS_clock_gettime, id, (long)ret_now, 0, 0, 0, 0));
}

static int tiny_ioctl(int fd, unsigned long request, void *argument)
{
	long r = tiny_syscall(SYS_ioctl, fd, (long)request, (long)argument, 0, 0, 0);

	return (int)tiny_result(r);
}

#ifdef __GLIBC__
int ioctl(int fd, unsigned long request, ...)
#else
int ioctl(int fd, int request, ...)
#endif
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	return tiny_ioctl(fd, (unsigned long)request, argument);
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

void *memset(void *at, int byte, size_t size)
{
	volatile unsigned char *p = at;

	while (size--)
		*p++ = (unsigned char)byte;
	return at;
}
