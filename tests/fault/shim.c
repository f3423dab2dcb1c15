/* SPDX-License-Identifier: ISC */
/*
 * shim.c: a library that is loaded into the logger (LD_PRELOAD) and lets its system calls fail as
 * plan.h says.  FAULT_PLAN in the environment is the file of the plan; it is mapped before main(),
 * because the logger cannot open it later.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/fault/plan.h"

static struct plan nothing;
static struct plan *plan = &nothing;

/* The function of libc that ours stands before.  POSIX has the cast, ISO C has not. */
#define NEXT(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void map_plan(void)
{
	const char *path = getenv("FAULT_PLAN");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd >= 0 ? mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
			   : MAP_FAILED;

	if (fd >= 0)
		close(fd);
	if (at != MAP_FAILED)
		plan = at;
}

/* Whether this call fails; its errno is set. */
static bool fails(_Atomic long *count, long every, long number)
{
	if (every <= 0 || ++*count % every != 0)
		return false;
	plan->hits++;
	errno = (int)number;
	return true;
}

static size_t cut(size_t length, long most)
{
	if (most <= 0 || length <= (size_t)most)
		return length;
	plan->hits++;
	return (size_t)most;
}

static bool is_regular(int fd)
{
	struct stat st;
	int saved = errno;
	bool is = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	errno = saved;
	return is;
}

ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t length, unsigned flags)
{
	static _Atomic long count;

	if (fails(&count, plan->splice_every, plan->splice_errno))
		return -1;
	return NEXT(splice)(in, in_at, out, out_at, cut(length, plan->splice_most), flags);
}

static _Atomic long write_count;

ssize_t write(int fd, const void *bytes, size_t length)
{
	if (!is_regular(fd))
		return NEXT(write)(fd, bytes, length);
	if (fails(&write_count, plan->write_every, plan->write_errno))
		return -1;
	return NEXT(write)(fd, bytes, cut(length, plan->write_most));
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
	if (fails(&write_count, plan->write_every, plan->write_errno))
		return -1;
	return NEXT(pwrite)(fd, bytes, cut(length, plan->write_most), at);
}

/* Cut to the first piece. */
ssize_t writev(int fd, const struct iovec *pieces, int count)
{
	if (!is_regular(fd) || (plan->write_every == 0 && plan->write_most == 0))
		return NEXT(writev)(fd, pieces, count);
	return write(fd, pieces[0].iov_base, pieces[0].iov_len);
}

int rename(const char *from, const char *to)
{
	static _Atomic long count;

	return fails(&count, plan->rename_every, plan->rename_errno) ? -1 : NEXT(rename)(from, to);
}

int open(const char *path, int flags, ...)
{
	static _Atomic long count;
	mode_t mode = 0;
	va_list arguments;

	if (flags & O_CREAT) {
		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		va_end(arguments);
		if (fails(&count, plan->open_every, plan->open_errno))
			return -1;
	}
	return NEXT(open)(path, flags, mode);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	int result = NEXT(clock_gettime)(id, now);

	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		now->tv_sec += plan->clock_step_s;
	return result;
}

time_t time(time_t *now)
{
	struct timespec real;

	(void)clock_gettime(CLOCK_REALTIME, &real);
	if (now != NULL)
		*now = real.tv_sec;
	return real.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec real;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &real);
	*now = (struct timeval){.tv_sec = real.tv_sec, .tv_usec = real.tv_nsec / 1000};
	return 0;
}
