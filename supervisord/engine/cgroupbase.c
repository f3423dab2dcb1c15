/* SPDX-License-Identifier: ISC */
/*
 * cgroupbase.c: see cgroupbase.h, cgroups(7), proc(5).
 *
 * The cgroup2 file system may be mounted anywhere (a hybrid system has it at
 * /sys/fs/cgroup/unified), and a container may see a part of it only; so its place comes from
 * mountinfo, ours in it from /proc/self/cgroup, and whether we may write there from writing there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisord/engine/cgroupbase.h"
#include "supervisord/engine/cgroupmemory.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
/* A hybrid system has a line for each old controller. */
#define PROC_CGROUP_BYTES (PATH_MAX + 4096)

static int find_directory(const char *own, char *directory, size_t size);
static bool is_cgroup2(const char *line);
static int place_in_mount(char *line, const char *own, char *directory, size_t size);
static void unescape(char *text);
static int make_base(struct cgroups *cgroups, int parent, const char *name);
static bool is_usable(int parent, int base);

void cgroup_base_open(struct cgroups *cgroups, uint64_t nonce)
{
	char own[PATH_MAX] = "", directory[PATH_MAX] = "", name[40];
	int length, parent, error;

	error = cgroup_base_path_of(0, own, sizeof(own));
	if (error >= 0 && strncmp(own, "/..", 3) == 0)
		error = -ENOENT; /* above all that our cgroup namespace shows */
	if (error < 0) {
		(void)snprintf(cgroups->reason, sizeof(cgroups->reason), "/proc/self/cgroup: %s",
		    error == -ENOENT ? "we are in no cgroup v2" : strerror(-error));
		return;
	}
	error = find_directory(own, directory, sizeof(directory));
	if (error < 0) {
		(void)snprintf(cgroups->reason, sizeof(cgroups->reason), "%s",
		    error == -ENOENT ? "no cgroup2 file system is mounted" : strerror(-error));
		return;
	}
	(void)snprintf(name, sizeof(name), "supervisord.%016llx", (unsigned long long)nonce);
	length = snprintf(
	    cgroups->path, sizeof(cgroups->path), "%s/%s", strcmp(own, "/") == 0 ? "" : own, name);
	parent = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	error = parent < 0                                ? -errno
		: (size_t)length >= sizeof(cgroups->path) ? -ENAMETOOLONG
							  : make_base(cgroups, parent, name);
	if (error < 0)
		(void)snprintf(cgroups->reason, sizeof(cgroups->reason), "%.80s: %s", directory,
		    strerror(-error));
	if (parent >= 0)
		close(parent);
}

int cgroup_base_path_of(pid_t pid, char *path, size_t size)
{
	char file[32], text[PROC_CGROUP_BYTES];
	size_t length = 0;
	ssize_t got;
	int fd;

	if (pid == 0)
		(void)snprintf(file, sizeof(file), "/proc/self/cgroup");
	else
		(void)snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (length < sizeof(text) - 1 &&
	       (got = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	close(fd);
	text[length] = '\0';
	for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		if (strncmp(line, "0::", 3) != 0)
			continue;
		*end = '\0';
		length = strlen(line + 3);
		if (length == 0 || length >= size)
			return -ENAMETOOLONG;
		memcpy(path, line + 3, length + 1);
		return (int)length;
	}
	return -ENOENT;
}

/* The directory of our own cgroup in some mount of it. */
static int find_directory(const char *own, char *directory, size_t size)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;
	int error = -ENOENT;

	if (mounts == NULL)
		return -errno;
	while (error < 0 && getline(&line, &room, mounts) > 0)
		if (is_cgroup2(line))
			error = place_in_mount(line, own, directory, size);
	free(line);
	fclose(mounts);
	return error;
}

/* The type stands behind a dash that ends a list of optional fields. */
static bool is_cgroup2(const char *line)
{
	const char *dash = strstr(line, " - ");

	return dash != NULL && strncmp(dash + 3, "cgroup2 ", 8) == 0;
}

/* "ID PARENT MAJOR:MINOR ROOT MOUNTPOINT …": what is mounted may be a part that we are not in. */
static int place_in_mount(char *line, const char *own, char *directory, size_t size)
{
	char *save, *root, *point;
	size_t length;
	int written;

	(void)strtok_r(line, " ", &save);
	(void)strtok_r(NULL, " ", &save);
	(void)strtok_r(NULL, " ", &save);
	root = strtok_r(NULL, " ", &save);
	point = strtok_r(NULL, " ", &save);
	if (root == NULL || point == NULL)
		return -ENOENT;
	unescape(root);
	unescape(point);
	length = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(own, root, length) != 0 || (own[length] != '/' && own[length] != '\0'))
		return -ENOENT;
	written = snprintf(
	    directory, size, "%s%s", point, strcmp(own + length, "/") == 0 ? "" : own + length);
	return written < 0 || (size_t)written >= size ? -ENAMETOOLONG : 0;
}

/* The kernel writes blanks, backslashes and '#' as \040. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static int make_base(struct cgroups *cgroups, int parent, const char *name)
{
	int base, error;

	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	base = openat(parent, name, DIRECTORY_FLAGS);
	error = base < 0 ? -errno : is_usable(parent, base) ? 0 : -errno;
	if (error == 0) {
		cgroups->base = base;
		cgroups->memory = cgroup_memory_enable(base);
		return 0;
	}
	if (base >= 0)
		close(base);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
	return error;
}

/* Whoever moves between two cgroups must be allowed to write to both, and to what they have in
 * common; and a threaded one takes no processes. */
static bool is_usable(int parent, int base)
{
	char type[16] = "";
	int fd;

	if (faccessat(parent, "cgroup.procs", W_OK, AT_EACCESS) < 0 ||
	    faccessat(base, "cgroup.procs", W_OK, AT_EACCESS) < 0)
		return false;
	fd = openat(base, "cgroup.type", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	(void)!read(fd, type, sizeof(type) - 1);
	close(fd);
	if (strcmp(type, "domain\n") == 0)
		return true;
	errno = EOPNOTSUPP;
	return false;
}
