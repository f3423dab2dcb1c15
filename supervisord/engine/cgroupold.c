/* SPDX-License-Identifier: ISC */
/* cgroupold.c: see cgroupold.h.  One path a line, absolute; anything else is passed over. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/cgroupold.h"

#define CGROUP2_MAGIC 0x63677270L /* CGROUP2_SUPER_MAGIC of linux/magic.h */
#define TEXT_BYTES    ((LIMIT_OLD_CGROUPS + 1) * PATH_MAX)
#define PREFIX        "supervisord."

static int read_all(int fd, char *text);
static int own_place(const struct cgroups *cgroups, char place[PATH_MAX]);
static bool is_left(char *path);
static bool is_ours(const char *name);
static int write_all(int fd, const char *text);

int cgroupold_sweep(const struct cgroups *cgroups, int lock_fd)
{
	char *old = malloc(TEXT_BYTES), *kept = malloc(TEXT_BYTES), place[PATH_MAX], *save = NULL;
	unsigned count = 0;
	size_t length = 0;
	int error = -ENOMEM;

	if (old == NULL || kept == NULL)
		goto out;
	error = read_all(lock_fd, old);
	if (error < 0)
		goto out;
	if (own_place(cgroups, place) == 0)
		length = (size_t)snprintf(kept, TEXT_BYTES, "%s\n", place);
	else
		place[0] = kept[0] = '\0';
	for (char *line = strtok_r(old, "\n", &save); line != NULL && count < LIMIT_OLD_CGROUPS;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strcmp(line, place) == 0 || strlen(line) >= PATH_MAX || !is_left(line))
			continue;
		log_warning("%s: programs of a supervisord that was killed still run there, beside "
			    "those that are started now",
		    line);
		length += (size_t)snprintf(kept + length, TEXT_BYTES - length, "%s\n", line);
		count++;
	}
	error = write_all(lock_fd, kept);
out:
	free(old);
	free(kept);
	return error;
}

/* Longer files are not ours: what does not fit is not looked at. */
static int read_all(int fd, char *text)
{
	ssize_t got = pread(fd, text, TEXT_BYTES - 1, 0);

	if (got < 0)
		return -errno;
	text[got] = '\0';
	return 0;
}

/* The directory, as it is mounted here. */
static int own_place(const struct cgroups *cgroups, char place[PATH_MAX])
{
	char link[40];
	ssize_t length;

	if (cgroups->base < 0)
		return -ENOENT;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", cgroups->base);
	length = readlink(link, place, PATH_MAX - 1);
	if (length < 0)
		return -errno;
	place[length] = '\0';
	return memchr(place, '\n', (size_t)length) == NULL ? 0 : -EINVAL;
}

/* Remove it as far as it is empty; whether something is left that may be removed later. */
static bool is_left(char *path)
{
	char *slash = strrchr(path, '/');
	struct statfs fs;
	bool left = false;
	int parent;

	if (path[0] != '/' || slash == path || !is_ours(slash + 1))
		return false;
	*slash = '\0';
	parent = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	if (parent < 0)
		return false;
	if (fstatfs(parent, &fs) == 0 && fs.f_type == CGROUP2_MAGIC)
		left = cgroup_remove_tree(parent, slash + 1) < 0;
	close(parent);
	return left;
}

/* A name that cgroup_base_open() gives. */
static bool is_ours(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) == 0 && strlen(name) == strlen(PREFIX) + 16 &&
	       strspn(name + strlen(PREFIX), "0123456789abcdef") == 16;
}

static int write_all(int fd, const char *text)
{
	size_t length = strlen(text);
	ssize_t written;

	if (ftruncate(fd, 0) < 0)
		return -errno;
	written = pwrite(fd, text, length, 0);
	if (written < 0)
		return -errno;
	return (size_t)written == length ? 0 : -ENOSPC;
}
