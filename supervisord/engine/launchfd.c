/* SPDX-License-Identifier: ISC */
/* launchfd.c: see launchfd.h, dup(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/vclone.h"
#include "supervisord/engine/launchfd.h"

/* Where the further ones begin. */
#define EXTRA_STAGE (LAUNCH_STAGE + 3)
/* Where descriptors are few, so many for the places of further ones: one of this many. */
#define EXTRA_SHARE 8

static int extra_places(void);
static int place_one(int staged, int number);

int launch_fd_reserve(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), places = 3 + extra_places();

	if (null < 0)
		return -errno;
	for (int i = 0; i < places; i++)
		if (dup3(null, LAUNCH_STAGE + i, O_CLOEXEC) < 0 && errno != EINVAL)
			return -errno;
	if (null < LAUNCH_STAGE || null >= LAUNCH_STAGE + places)
		close(null);
	return 0;
}

int launch_fd_sort(
    const struct launch_fd *extra, size_t count, struct launch_fd sorted[LAUNCH_EXTRA])
{
	if (count > LAUNCH_EXTRA)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		size_t at = i;

		if (extra[i].number < 3)
			return -EINVAL;
		for (; at > 0 && sorted[at - 1].number >= extra[i].number; at--) {
			if (sorted[at - 1].number == extra[i].number)
				return -EEXIST;
			sorted[at] = sorted[at - 1];
		}
		sorted[at] = extra[i];
	}
	return 0;
}

int launch_fd_stage(const int streams[3], const struct launch_fd *sorted, size_t count)
{
	int error = 0;

	if (count > 0 && count > (size_t)extra_places())
		return -EMFILE;
	for (int i = 0; i < 3 && error == 0; i++)
		if (streams[i] != STDIN_FILENO && dup3(streams[i], LAUNCH_STAGE + i, O_CLOEXEC) < 0)
			error = -errno;
	for (int i = 0; i < (int)count && error == 0; i++)
		if (dup3(sorted[i].fd, EXTRA_STAGE + i, O_CLOEXEC) < 0)
			error = -errno;
	if (error < 0)
		launch_fd_unstage(streams, count);
	return error;
}

void launch_fd_unstage(const int streams[3], size_t count)
{
	for (int i = 0; i < 3; i++)
		if (streams[i] != STDIN_FILENO)
			(void)dup3(STDIN_FILENO, LAUNCH_STAGE + i, O_CLOEXEC);
	for (int i = 0; i < (int)count; i++)
		(void)dup3(STDIN_FILENO, EXTRA_STAGE + i, O_CLOEXEC);
}

/*
 * A number may be one of the stage itself (fd:12, say).  Both sides ascend, so whatever moves down
 * is copied from the lowest on, and then whatever moves up from the highest on: no copy hits a
 * place that is still to be read.  (Let i move down to d, and j be still on the stage s: for j > i,
 * s is above i's own place and so above d; for j < i, j moves up, and d is above j's number, which
 * is above s.  Of those that move up, the ones left stand below.)
 */
VCLONE_CHILD int launch_fd_place(const struct launch_fd *sorted, size_t count)
{
	int error = 0;

	for (int i = 0; i < 3 && error == 0; i++)
		error = place_one(LAUNCH_STAGE + i, i);
	for (int i = 0; i < (int)count && error == 0; i++)
		if (sorted[i].number <= EXTRA_STAGE + i)
			error = place_one(EXTRA_STAGE + i, sorted[i].number);
	for (int i = (int)count - 1; i >= 0 && error == 0; i--)
		if (sorted[i].number > EXTRA_STAGE + i)
			error = place_one(EXTRA_STAGE + i, sorted[i].number);
	return error;
}

/* Our own limit does not change while we live, so this is always the same. */
static int extra_places(void)
{
	struct rlimit limit;
	rlim_t share;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return LAUNCH_EXTRA;
	share = limit.rlim_cur / EXTRA_SHARE;
	return share < LAUNCH_EXTRA ? (int)share : LAUNCH_EXTRA;
}

/* A copy is not close-on-exec; one that stands right already must cease to be. */
VCLONE_CHILD static int place_one(int staged, int number)
{
	int result = staged == number ? fcntl(staged, F_SETFD, 0) : dup2(staged, number);

	return result < 0 ? -errno : 0;
}
