/* SPDX-License-Identifier: ISC */
/* mounts.c: see mounts.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisord/engine/mounts.h"

#define LIST "/proc/self/mountinfo"

/* In front of the mount point: its number, its parent's, the device, its root there. */
#define FIELDS_BEFORE 4

static bool has_changed(struct mounts *mounts);
static bool read_list(void);
static const char *skip_fields(const char *line, int count);
static bool begins_with(const char *text, const char *word, const char *ends);

/* File systems that wait for a host, or for a process. */
static const char *const served[] = {"9p", "afs", "autofs", "beegfs", "ceph", "cifs", "coda",
    "fuse", "fuseblk", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2",
    "orangefs", "smb3", "smbfs", "virtiofs"};

bool mounts_may_hang(struct mounts *mounts)
{
	if (has_changed(mounts))
		mounts->served = read_list();
	return mounts->served;
}

void mounts_done(struct mounts *mounts)
{
	if (mounts->open)
		close(mounts->fd);
	mounts->open = false;
}

bool mounts_is_served(const char *line)
{
	const char *point = skip_fields(line, FIELDS_BEFORE);
	const char *type = strstr(line, " - ");

	if (point == NULL || type == NULL || begins_with(point, "/", " ") ||
	    begins_with(point, "/proc", " /") || begins_with(point, "/sys", " /"))
		return false;
	type += strlen(" - ");
	for (size_t i = 0; i < sizeof(served) / sizeof(served[0]); i++)
		if (begins_with(type, served[i], " .")) /* "fuse.sshfs" */
			return true;
	return false;
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

static bool read_list(void)
{
	FILE *file = fopen(LIST, "re");
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	if (file == NULL)
		return false;
	while (!found && getline(&line, &size, file) > 0)
		found = mounts_is_served(line);
	free(line);
	(void)fclose(file);
	return found;
}

/* Blanks in a field are written \040.  NULL: there are not so many. */
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
