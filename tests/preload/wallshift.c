/* SPDX-License-Identifier: ISC */
/*
 * wallshift.so: a wall clock that a test may set, for what it is preloaded into (LD_PRELOAD).
 *
 * The file $WALLSHIFT_FILE holds 8 bytes, a number of seconds in host order; CLOCK_REALTIME, in all
 * the ways to ask for it, is off by that, at once and in every process that has it preloaded.  The
 * other clocks, and what the kernel does by itself, are not touched: a machine whose clock was set.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift;

__attribute__((constructor)) static void map_shift(void)
{
	const char *path = getenv("WALLSHIFT_FILE");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(*shift), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		shift = map;
}

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	static int (*real)(clockid_t, struct timespec *);
	int result;

	if (real == NULL) {
		void *symbol = dlsym(RTLD_NEXT, "clock_gettime");

		memcpy(&real, &symbol, sizeof(real)); /* ISO C has no cast for this */
	}
	result = real(clock, ret_time);
	if (result == 0 && shift != NULL &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ret_time->tv_sec += *shift;
	return result;
}

int gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -1;
	ret_time->tv_sec = now.tv_sec;
	ret_time->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *ret_time)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -1;
	if (ret_time != NULL)
		*ret_time = now.tv_sec;
	return now.tv_sec;
}
