/* SPDX-License-Identifier: ISC */
/* launchlook.c: see launchlook.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisord/engine/launchlook.h"

static int touch_one(struct filelooks *looks, const char *directory, const char *path);
static int touch(struct filelooks *looks, const char *path);
static FILELOOK_ACT(open_and_read);
static bool is_hanging(int error);

int launchlook_touch(
    struct filelooks *looks, const struct launch_plan *plan, enum launch_step *ret_step)
{
	int error;

	if (!mounts_update(&looks->mounts))
		return 0;
	*ret_step = LAUNCH_DIRECTORY;
	error = touch(looks, plan->directory);
	if (is_hanging(error))
		return error;
	*ret_step = LAUNCH_EXEC;
	for (char **path = plan->paths; *path != NULL; path++) {
		error = touch_one(looks, plan->directory, *path);
		if (error == 0 || is_hanging(error))
			return error;
	}
	return 0;
}

static int touch_one(struct filelooks *looks, const char *directory, const char *path)
{
	char *full;
	int error;

	if (path[0] == '/')
		return touch(looks, path);
	if (asprintf(&full, "%s/%s", directory, path) < 0)
		return -ENOMEM;
	error = touch(looks, full);
	free(full);
	return error;
}

/* Whoever hangs there already hangs for this one, too. */
static int touch(struct filelooks *looks, const char *path)
{
	struct filelook_answer answer;

	if (!mounts_may_hang(&looks->mounts, path))
		return access(path, X_OK) < 0 ? -errno : 0;
	if (filelook_hangs(looks, path))
		return -ETIMEDOUT;
	return filelook_now(looks, path, open_and_read, 0, LIMIT_FILE_WAIT_MS, &answer);
}

/* An answer from a cache of names would say nothing of the server. */
static FILELOOK_ACT(open_and_read)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int error = -errno;
	struct stat st;
	char byte;

	(void)option;
	(void)ret_answer;
	if (fd < 0)
		return error;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		(void)!read(fd, &byte, 1);
	close(fd);
	return 0;
}

/* Anything else is the child's to find out. */
static bool is_hanging(int error)
{
	return error == -ETIMEDOUT || error == -EAGAIN;
}
