/* SPDX-License-Identifier: ISC */
/* mounts.c: see mounts.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisord/engine/mounts.h"

#define LIST "/proc/self/mountinfo"

/* In front of the mount point: its number, its parent's, the device, its root there. */
#define FIELDS_BEFORE 4
/* What the kernel follows in one path. */
#define MOST_LINKS 40

/* A path that is being followed. */
struct walk {
	char done[PATH_MAX]; /* so far, without links; "" is the root */
	char rest[PATH_MAX];
};

static bool has_changed(struct mounts *mounts);
static void read_list(struct mounts *mounts);
static void forget(struct mounts *mounts);
static bool is_point(const struct mounts *mounts, const char *path);
static bool take_component(struct walk *walk);
static bool follow(struct walk *walk, const char *target, size_t length);
static void drop_last(struct walk *walk);
static char *copy_point(const char *field);
static const char *skip_fields(const char *line, int count);
static bool begins_with(const char *text, const char *word, const char *ends);

/* File systems that wait for a host, or for a process. */
static const char *const served[] = {"9p", "afs", "autofs", "beegfs", "ceph", "cifs", "coda",
    "fuse", "fuseblk", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2",
    "orangefs", "smb3", "smbfs", "virtiofs"};

bool mounts_update(struct mounts *mounts)
{
	if (has_changed(mounts))
		read_list(mounts);
	return mounts->everywhere || mounts->count > 0;
}

void mounts_done(struct mounts *mounts)
{
	forget(mounts);
	if (mounts->open)
		close(mounts->fd);
	mounts->open = false;
}

bool mounts_may_hang(const struct mounts *mounts, const char *path)
{
	char target[PATH_MAX];
	struct walk walk;
	int links = 0;

	if (mounts->everywhere)
		return true;
	walk.done[0] = '\0';
	if (strlen(path) >= sizeof(walk.rest))
		return false; /* nobody opens that */
	memcpy(walk.rest, path, strlen(path) + 1);
	while (take_component(&walk)) {
		ssize_t length;

		if (is_point(mounts, walk.done))
			return true;
		length = readlink(walk.done, target, sizeof(target));
		if (length < 0 && errno == EINVAL)
			continue; /* no link */
		if (length <= 0 || ++links > MOST_LINKS || !follow(&walk, target, (size_t)length))
			return false; /* nor does anybody who opens it come further */
	}
	return false;
}

char *mounts_read_line(const char *line)
{
	const char *point = skip_fields(line, FIELDS_BEFORE);
	const char *type = strstr(line, " - ");

	errno = 0;
	if (point == NULL || type == NULL || begins_with(point, "/", " ") ||
	    begins_with(point, "/proc", " /") || begins_with(point, "/sys", " /"))
		return NULL;
	type += strlen(" - ");
	for (size_t i = 0; i < sizeof(served) / sizeof(served[0]); i++)
		if (begins_with(type, served[i], " .")) /* "fuse.sshfs" */
			return copy_point(point);
	return NULL;
}

static bool has_changed(struct mounts *mounts)
{
	struct pollfd changed = {.fd = mounts->fd, .events = POLLPRI};

	if (mounts->open)
		return poll(&changed, 1, 0) > 0;
	mounts->fd = open(LIST, O_RDONLY | O_CLOEXEC);
	mounts->open = mounts->fd >= 0;
	return mounts->open;
}

static void read_list(struct mounts *mounts)
{
	FILE *file = fopen(LIST, "re");
	char *line = NULL, *point;
	size_t size = 0;

	forget(mounts);
	mounts->everywhere = file == NULL;
	while (file != NULL && getline(&line, &size, file) > 0) {
		point = mounts_read_line(line);
		if (point != NULL && mounts->count < LIMIT_SERVED_MOUNTS) {
			mounts->points[mounts->count++] = point;
		} else if (point != NULL || errno == ENOMEM) {
			free(point);
			mounts->everywhere = true;
		}
	}
	free(line);
	if (file != NULL)
		(void)fclose(file);
}

static void forget(struct mounts *mounts)
{
	while (mounts->count > 0)
		free(mounts->points[--mounts->count]);
	mounts->everywhere = false;
}

static bool is_point(const struct mounts *mounts, const char *path)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (strcmp(mounts->points[i], path) == 0)
			return true;
	return false;
}

/* Move the next name from what is left to what is done.  False: nothing is left, or it is too long
 * for anybody. */
static bool take_component(struct walk *walk)
{
	size_t done, length;
	const char *name;

	for (;;) {
		name = walk->rest + strspn(walk->rest, "/");
		length = strcspn(name, "/");
		done = strlen(walk->done);
		if (length == 0 || done + 1 + length >= sizeof(walk->done))
			return false;
		if (length == 2 && memcmp(name, "..", 2) == 0)
			drop_last(walk);
		else if (length != 1 || name[0] != '.')
			break;
		memmove(walk->rest, name + length, strlen(name + length) + 1);
	}
	walk->done[done] = '/';
	memcpy(walk->done + done + 1, name, length);
	walk->done[done + 1 + length] = '\0';
	memmove(walk->rest, name + length, strlen(name + length) + 1);
	return true;
}

/* Go on with where the link points to that is the end of what is done. */
static bool follow(struct walk *walk, const char *target, size_t length)
{
	size_t rest = strlen(walk->rest);

	if (length + 1 + rest >= sizeof(walk->rest))
		return false;
	memmove(walk->rest + length + 1, walk->rest, rest + 1);
	memcpy(walk->rest, target, length);
	walk->rest[length] = '/';
	if (target[0] == '/')
		walk->done[0] = '\0';
	else
		drop_last(walk);
	return true;
}

/* The root's parent is the root. */
static void drop_last(struct walk *walk)
{
	char *last = strrchr(walk->done, '/');

	if (last != NULL)
		*last = '\0';
}

/* Blanks, tabs, newlines and backslashes are written as \040 and so on. */
static char *copy_point(const char *field)
{
	size_t length = strcspn(field, " "), at = 0;
	char *point = malloc(length + 1);

	if (point == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < length; i++) {
		if (field[i] == '\\' && length - i > 3) {
			point[at++] = (char)((field[i + 1] - '0') << 6 | (field[i + 2] - '0') << 3 |
					     (field[i + 3] - '0'));
			i += 3;
		} else {
			point[at++] = field[i];
		}
	}
	point[at] = '\0';
	return point;
}

/* NULL: there are not so many. */
static const char *skip_fields(const char *line, int count)
{
	for (; count > 0 && line != NULL; count--) {
		line = strchr(line, ' ');
		line = line != NULL ? line + 1 : NULL;
	}
	return line;
}

/* With one of `ends` behind it. */
static bool begins_with(const char *text, const char *word, const char *ends)
{
	size_t length = strlen(word);

	return strncmp(text, word, length) == 0 && text[length] != '\0' &&
	       strchr(ends, text[length]) != NULL;
}
