/* SPDX-License-Identifier: ISC */
/* cgroupmemory.c: see cgroupmemory.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisord/engine/cgroupmemory.h"

/* From a leaf up to where no limit is set any more. */
#define LEVELS 16
/* memory.events has a dozen short lines. */
#define FILE_BYTES 512

static bool has_word(const char *text, const char *word);
static bool find_count(const char *text, const char *key, uint64_t *ret_count);
static int64_t find_limit(const struct cgroups *cgroups, int row, const char *name);
static bool read_limit(const char *text, int64_t *ret_bytes);

bool cgroup_memory_enable(int base)
{
	char text[FILE_BYTES];
	int fd = openat(base, "cgroup.subtree_control", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		/* Refused where it is not to be had; what counts is what is there then. */
		(void)!write(fd, "+memory", strlen("+memory"));
		close(fd);
	}
	return cgroup_read_file(base, "cgroup.subtree_control", text, sizeof(text)) == 0 &&
	       has_word(text, "memory");
}

int cgroup_memory_look(
    const struct cgroups *cgroups, int row, const char *name, struct cgroup_memory *ret_memory)
{
	struct cgroup_memory memory = {0};
	char text[FILE_BYTES];
	int error;

	error = cgroup_read_leaf(cgroups, row, name, "memory.events", text, sizeof(text));
	if (error < 0)
		return error;
	if (!find_count(text, "oom_kill", &memory.oom_kills))
		return -EBADMSG;
	if (cgroup_read_leaf(cgroups, row, name, "memory.peak", text, sizeof(text)) == 0)
		memory.peak_bytes = strtoll(text, NULL, 10);
	memory.limit_bytes = find_limit(cgroups, row, name);
	*ret_memory = memory;
	return 0;
}

static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = text; (at = strstr(at, word)) != NULL; at += length)
		if ((at == text || at[-1] == ' ') && strchr(" \n", at[length]) != NULL)
			return true;
	return false;
}

/* "KEY NUMBER" in a line of its own. */
static bool find_count(const char *text, const char *key, uint64_t *ret_count)
{
	size_t length = strlen(key);

	for (const char *line = text; line != NULL;
	     line = (line = strchr(line, '\n')) != NULL ? line + 1 : NULL)
		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			return sscanf(line + length, "%" SCNu64, ret_count) == 1;
	return false;
}

/* The least of all above it. */
static int64_t find_limit(const struct cgroups *cgroups, int row, const char *name)
{
	char path[LEVELS * 3 + sizeof("memory.max")] = "memory.max", text[64];
	int64_t least = 0, bytes;

	if (cgroup_read_leaf(cgroups, row, name, "memory.max", text, sizeof(text)) == 0 &&
	    read_limit(text, &bytes))
		least = bytes;
	for (int level = 0; level < LEVELS; level++) {
		if (cgroup_read_file(cgroups->base, path, text, sizeof(text)) < 0)
			break; /* the root has none */
		if (read_limit(text, &bytes) && (least == 0 || bytes < least))
			least = bytes;
		memmove(path + 3, path, strlen(path) + 1);
		memcpy(path, "../", 3);
	}
	return least;
}

/* False: "max". */
static bool read_limit(const char *text, int64_t *ret_bytes)
{
	return sscanf(text, "%" SCNd64, ret_bytes) == 1;
}
