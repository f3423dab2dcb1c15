/* SPDX-License-Identifier: ISC */
/* cpus.c: see cpus.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/limits.h"
#include "supervisord/engine/cpus.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
/* The largest set that is tried: the kernel's own limit is 8192. */
#define CPUS_MAX 16384

static uint32_t count_affinity(void);
static uint32_t count_quotas(void);
static uint32_t read_quota(const char *directory);
static bool read_text(const char *path, char *text, size_t size);

uint32_t cpus_count(void)
{
	uint32_t count = count_affinity(), quota = count_quotas();

	if (quota < count)
		count = quota;
	return count == 0 ? 1 : count > LIMIT_INSTANCES ? LIMIT_INSTANCES : count;
}

uint32_t cpus_of_quota(const char *text)
{
	uint64_t quota, period, count;

	if (sscanf(text, "%" SCNu64 " %" SCNu64, &quota, &period) != 2 || period == 0)
		return UINT32_MAX;
	count = quota / period + (quota % period > 0);
	return count == 0 ? 1 : count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

/* A set that is smaller than the kernel's own is refused. */
static uint32_t count_affinity(void)
{
	for (size_t cpus = CPU_SETSIZE; cpus <= CPUS_MAX; cpus *= 2) {
		cpu_set_t *set = CPU_ALLOC(cpus);
		int count = 0, error = 0;

		if (set == NULL)
			break;
		if (sched_getaffinity(0, CPU_ALLOC_SIZE(cpus), set) < 0)
			error = errno;
		else
			count = CPU_COUNT_S(CPU_ALLOC_SIZE(cpus), set);
		CPU_FREE(set);
		if (error != EINVAL)
			return (uint32_t)count;
	}
	return 0;
}

/* The tightest of our cgroup and those around it. */
static uint32_t count_quotas(void)
{
	char text[PATH_MAX], path[PATH_MAX + sizeof(CGROUP_ROOT)];
	uint32_t least = UINT32_MAX;
	char *line, *end;

	if (!read_text("/proc/self/cgroup", text, sizeof(text)))
		return least;
	/* "0::/user.slice"; other lines are of version 1. */
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (line == NULL)
		return least;
	line = strchr(line, '/');
	if (line == NULL)
		return least;
	line[strcspn(line, "\n")] = '\0';
	(void)snprintf(path, sizeof(path), CGROUP_ROOT "%s", line);
	while ((end = strrchr(path, '/')) != NULL && strlen(path) >= sizeof(CGROUP_ROOT) - 1) {
		uint32_t quota = read_quota(path);

		if (quota < least)
			least = quota;
		*end = '\0';
	}
	return least;
}

static uint32_t read_quota(const char *directory)
{
	char path[PATH_MAX + sizeof(CGROUP_ROOT) + sizeof("/cpu.max")], text[64];

	(void)snprintf(path, sizeof(path), "%s/cpu.max", directory);
	return read_text(path, text, sizeof(text)) ? cpus_of_quota(text) : UINT32_MAX;
}

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, text, size - 1);
	close(fd);
	if (got < 0)
		return false;
	text[got] = '\0';
	return true;
}
