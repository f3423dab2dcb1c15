/* SPDX-License-Identifier: ISC */
/*
 * cgroup.c: see cgroup.h, cgroups(7).
 *
 * Nothing is remembered of a leaf but where its cgroup.events is open: each question is asked of
 * the kernel again, by name below one open directory.  A pid that was read is a process of the leaf
 * only if a pidfd for it is opened first and the number is found in the leaf after that.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/limits.h"
#include "supervisord/engine/cgroup.h"
#include "supervisord/engine/cgroupbase.h"
#include "supervisord/engine/instname.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
/* Of what kill_mode = process has left behind. */
#define LEFT_NAME "left"
/* "ROW-NAME/cgroup.events" */
#define LEAF_PATH (LIMIT_NAME + 40)
/* "populated 0\nfrozen 0\n" */
#define EVENTS_BYTES 128
/* Looks at a leaf that does not get empty. */
#define ABANDON_ROUNDS 8

/* Where the pids of a walk go. */
struct walk {
	pid_t *pids;
	size_t size;
	size_t count; /* may be more */
};

/* As getdents64(2) has it. */
struct raw_dirent {
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

typedef void (*child_visitor)(int directory, const char *name, int depth, void *context);

static int leaf_path(char path[LEAF_PATH], int row, const char *name, const char *file);
static int read_events(
    const struct cgroups *cgroups, int row, const char *name, char text[EVENTS_BYTES]);
static struct cgroup_look *look_of(const struct cgroups *cgroups, int row);
static int read_look(const struct cgroup_look *look, char text[EVENTS_BYTES]);
static void drop_look(struct cgroup_look *look);
static int write_file(int directory, const char *path, const char *text);
static void walk_cgroup(int directory, int depth, struct walk *walk);
static void walk_child(int directory, const char *name, int depth, void *context);
static void read_procs(int directory, struct walk *walk);
static void note_pid(struct walk *walk, pid_t pid);
static void visit_children(int directory, int depth, child_visitor visit, void *context);
static int watch_events(const struct cgroups *cgroups, int row, const char *name);
static void remove_child(int directory, const char *name, int depth, void *context);

void cgroups_init(struct cgroups *cgroups, uint64_t nonce)
{
	*cgroups = (struct cgroups){.base = -1};
	if (getenv("SUPERVISORD_NO_CGROUP") != NULL)
		(void)snprintf(
		    cgroups->reason, sizeof(cgroups->reason), "SUPERVISORD_NO_CGROUP is set");
	else
		cgroup_base_open(cgroups, nonce);
	if (cgroups->base >= 0)
		cgroups->looks = calloc(LIMIT_CGROUP_LOOKS, sizeof(*cgroups->looks));
}

void cgroups_done(struct cgroups *cgroups)
{
	if (cgroups->base < 0)
		return;
	cgroups_remove(cgroups);
	for (int row = 0; row < LIMIT_CGROUP_LOOKS; row++)
		drop_look(look_of(cgroups, row));
	free(cgroups->looks);
	cgroups->looks = NULL;
	close(cgroups->base);
	cgroups->base = -1;
}

void cgroups_remove(struct cgroups *cgroups)
{
	const char *slash = strrchr(cgroups->path, '/');
	int parent;

	if (cgroups->base < 0 || slash == NULL)
		return;
	parent = openat(cgroups->base, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return;
	(void)cgroup_remove_tree(parent, slash + 1);
	close(parent);
}

bool cgroups_hold(const struct cgroups *cgroups, pid_t pid)
{
	size_t length = strlen(cgroups->path);
	char path[PATH_MAX];

	return cgroups->base >= 0 && cgroup_base_path_of(pid, path, sizeof(path)) > 0 &&
	       strncmp(path, cgroups->path, length) == 0 && path[length] == '/';
}

int cgroup_make(const struct cgroups *cgroups, int row, const char *name)
{
	char path[LEAF_PATH];
	int error = leaf_path(path, row, name, "");

	if (error == 0 && mkdirat(cgroups->base, path, 0755) < 0)
		error = -errno;
	return error;
}

int cgroup_open(const struct cgroups *cgroups, int row, const char *name)
{
	char path[LEAF_PATH];
	int fd, error;

	if (cgroups->base < 0)
		return -ENOENT;
	error = leaf_path(path, row, name, "");
	if (error < 0)
		return error;
	fd = openat(cgroups->base, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno != ENOENT || mkdirat(cgroups->base, path, 0755) < 0)
		return -errno;
	fd = openat(cgroups->base, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

int cgroup_is_populated(const struct cgroups *cgroups, int row, const char *name)
{
	char text[EVENTS_BYTES];
	int error = cgroups->base < 0 ? -ENOENT : read_events(cgroups, row, name, text);

	return error < 0 ? error : strstr(text, "populated 1") != NULL;
}

static int read_events(
    const struct cgroups *cgroups, int row, const char *name, char text[EVENTS_BYTES])
{
	struct cgroup_look *look = look_of(cgroups, row);
	char path[LEAF_PATH];
	int fd, error = leaf_path(path, row, name, "/cgroup.events");

	if (error < 0)
		return error;
	if (look == NULL)
		return cgroup_read_file(cgroups->base, path, text, EVENTS_BYTES);
	if (look->fd > 0 && look->row == row && read_look(look, text) == 0)
		return 0;
	drop_look(look);
	fd = openat(cgroups->base, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*look = (struct cgroup_look){.fd = fd, .row = row};
	/* A clone into the leaf looks at the permissions of its cgroup.procs, and the kernel makes
	 * an inode for that, each time, unless somebody has asked for the file by its name. */
	if (leaf_path(path, row, name, "/cgroup.procs") == 0)
		(void)!faccessat(cgroups->base, path, F_OK, 0);
	error = read_look(look, text);
	if (error < 0)
		drop_look(look);
	return error;
}

/* Where the open one of this row is, or one of another row that shares the place. */
static struct cgroup_look *look_of(const struct cgroups *cgroups, int row)
{
	return cgroups->looks != NULL ? &cgroups->looks[row % LIMIT_CGROUP_LOOKS] : NULL;
}

/* -ENODEV: the leaf was removed, and the one of that name now is another one. */
static int read_look(const struct cgroup_look *look, char text[EVENTS_BYTES])
{
	ssize_t got = pread(look->fd, text, EVENTS_BYTES - 1, 0);

	if (got < 0)
		return -errno;
	text[got] = '\0';
	return 0;
}

static void drop_look(struct cgroup_look *look)
{
	if (look == NULL || look->fd == 0)
		return;
	close(look->fd);
	look->fd = 0;
}

int cgroup_read_leaf(const struct cgroups *cgroups, int row, const char *name, const char *file,
    char *text, size_t size)
{
	char path[LEAF_PATH];
	int error;

	if (cgroups->base < 0)
		return -ENOENT;
	error = leaf_path(path, row, name, "/");
	if (error < 0 || strlen(path) + strlen(file) >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path + strlen(path), file, strlen(file) + 1);
	return cgroup_read_file(cgroups->base, path, text, size);
}

int cgroup_read_file(int directory, const char *path, char *text, size_t size)
{
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	ssize_t got;
	int error = 0;

	if (fd < 0)
		return -errno;
	got = read(fd, text, size - 1);
	if (got < 0)
		error = -errno;
	else
		text[got] = '\0';
	close(fd);
	return error;
}

int cgroup_kill(const struct cgroups *cgroups, int row, const char *name)
{
	char path[LEAF_PATH];
	int error;

	if (cgroups->base < 0)
		return -ENOENT;
	error = leaf_path(path, row, name, "/cgroup.kill");
	return error == 0 ? write_file(cgroups->base, path, "1") : error;
}

int cgroup_list(const struct cgroups *cgroups, int row, const char *name, pid_t *pids, size_t size)
{
	struct walk walk = {.pids = pids, .size = size};
	char path[LEAF_PATH];
	int fd, error;

	if (cgroups->base < 0)
		return -ENOENT;
	error = leaf_path(path, row, name, "");
	if (error < 0)
		return error;
	fd = openat(cgroups->base, path, DIRECTORY_FLAGS);
	if (fd < 0)
		return -errno;
	walk_cgroup(fd, 0, &walk);
	close(fd);
	return walk.count > INT_MAX ? INT_MAX : (int)walk.count;
}

bool cgroup_has(const struct cgroups *cgroups, int row, const char *name, pid_t pid)
{
	size_t base_length = strlen(cgroups->path), leaf_length;
	char leaf[LEAF_PATH], path[PATH_MAX];
	const char *rest = path + base_length + 1;

	if (cgroups->base < 0 || leaf_path(leaf, row, name, "") < 0)
		return false;
	leaf_length = strlen(leaf);
	return cgroup_base_path_of(pid, path, sizeof(path)) > (int)base_length &&
	       strncmp(path, cgroups->path, base_length) == 0 && path[base_length] == '/' &&
	       strncmp(rest, leaf, leaf_length) == 0 &&
	       (rest[leaf_length] == '\0' || rest[leaf_length] == '/');
}

/* A pidfd: it is of whoever had the number when it was opened, and the leaf has the number after
 * that; if that is somebody else by now, the pidfd's process is gone, and nobody is hit. */
int cgroup_open_process(const struct cgroups *cgroups, int row, const char *name, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0 || cgroup_has(cgroups, row, name, pid))
		return fd;
	close(fd);
	return -1;
}

int cgroup_watch(const struct cgroups *cgroups, int row, const char *name)
{
	pid_t pids[LIMIT_CGROUP_CHUNK] = {0};
	int count = cgroup_list(cgroups, row, name, pids, LIMIT_CGROUP_CHUNK);

	for (int i = 0; i < count && i < LIMIT_CGROUP_CHUNK; i++) {
		int fd = cgroup_open_process(cgroups, row, name, pids[i]);

		if (fd >= 0)
			return fd;
	}
	/* There may be processes all the same: one that is half gone is not listed any more, and
	 * one of another pid namespace has no number here. */
	return count < 0 ? count : watch_events(cgroups, row, name);
}

int cgroup_abandon(const struct cgroups *cgroups, int row, const char *name)
{
	pid_t pids[LIMIT_CGROUP_CHUNK] = {0};
	int count;

	if (mkdirat(cgroups->base, LEFT_NAME, 0755) < 0 && errno != EEXIST)
		return -errno;
	for (int round = 0; round < ABANDON_ROUNDS; round++) {
		count = cgroup_list(cgroups, row, name, pids, LIMIT_CGROUP_CHUNK);
		if (count <= 0)
			return count;
		for (int i = 0; i < count && i < LIMIT_CGROUP_CHUNK; i++) {
			char text[16];

			(void)snprintf(text, sizeof(text), "%d", (int)pids[i]);
			(void)write_file(cgroups->base, LEFT_NAME "/cgroup.procs", text);
		}
	}
	return -EBUSY;
}

int cgroup_remove(const struct cgroups *cgroups, int row, const char *name)
{
	struct cgroup_look *look = look_of(cgroups, row);
	char path[LEAF_PATH];
	int error;

	if (cgroups->base < 0)
		return 0;
	if (look != NULL && look->row == row)
		drop_look(look);
	error = leaf_path(path, row, name, "");
	return error == 0 ? cgroup_remove_tree(cgroups->base, path) : error;
}

int cgroup_remove_tree(int directory, const char *name)
{
	if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -errno;
	remove_child(directory, name, 0, NULL);
	return unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

/* A row's number in front: so a leaf can have no name that the kernel gives to a file. */
static int leaf_path(char path[LEAF_PATH], int row, const char *name, const char *file)
{
	/* The directory keeps its name while the instance gets another one. */
	size_t name_length = instname_stable_length(name), file_length = strlen(file), at;
	char number[12];

	/* By hand, as each launch asks three times. */
	at = sizeof(number);
	do {
		number[--at] = (char)('0' + row % 10);
		row /= 10;
	} while (row > 0);
	if (sizeof(number) - at + 1 + name_length + file_length >= LEAF_PATH)
		return -ENAMETOOLONG;
	path = mempcpy(path, number + at, sizeof(number) - at);
	*path++ = '-';
	path = mempcpy(path, name, name_length);
	memcpy(path, file, file_length + 1);
	return 0;
}

static int write_file(int directory, const char *path, const char *text)
{
	int fd = openat(directory, path, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		error = -errno;
	close(fd);
	return error;
}

static void walk_cgroup(int directory, int depth, struct walk *walk)
{
	struct stat st;

	read_procs(directory, walk);
	/* The kernel counts the cgroups below as links; usually there are none to look for. */
	if (depth < LIMIT_CGROUP_DEPTH && (fstat(directory, &st) < 0 || st.st_nlink != 2))
		visit_children(directory, depth + 1, walk_child, walk);
}

static void walk_child(int directory, const char *name, int depth, void *context)
{
	int fd = openat(directory, name, DIRECTORY_FLAGS);

	if (fd < 0)
		return;
	walk_cgroup(fd, depth, context);
	close(fd);
}

/* One that cannot be read is a threaded cgroup: its processes are listed by the one above. */
static void read_procs(int directory, struct walk *walk)
{
	int fd = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char chunk[2048];
	pid_t pid = 0;
	ssize_t got;

	if (fd < 0)
		return;
	while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (chunk[i] >= '0' && chunk[i] <= '9') {
				pid = pid * 10 + (chunk[i] - '0');
				continue;
			}
			note_pid(walk, pid);
			pid = 0;
		}
	}
	close(fd);
}

/* 0 stands for a process that has no number in our pid namespace. */
static void note_pid(struct walk *walk, pid_t pid)
{
	if (pid == 0)
		return;
	if (walk->count < walk->size)
		walk->pids[walk->count] = pid;
	walk->count++;
}

/* Without readdir(3), which allocates. */
static void visit_children(int directory, int depth, child_visitor visit, void *context)
{
	_Alignas(struct raw_dirent) char chunk[1024];
	long got;

	while ((got = syscall(SYS_getdents64, directory, chunk, sizeof(chunk))) > 0) {
		const struct raw_dirent *entry;

		for (long at = 0; at < got; at += entry->length) {
			entry = (const struct raw_dirent *)(const void *)(chunk + at);
			if (entry->type == DT_DIR && entry->name[0] != '.')
				visit(directory, entry->name, depth, context);
		}
	}
}

/* Readable when "populated" has changed. */
static int watch_events(const struct cgroups *cgroups, int row, const char *name)
{
	char leaf[LEAF_PATH], path[LEAF_PATH + 32];
	int fd, error;

	error = leaf_path(leaf, row, name, "/cgroup.events");
	if (error < 0)
		return error;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", cgroups->base, leaf);
	if (inotify_add_watch(fd, path, IN_MODIFY) < 0)
		error = -errno;
	else if (cgroup_is_populated(cgroups, row, name) != 1)
		error = -ESRCH; /* before we watched */
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

static void remove_child(int directory, const char *name, int depth, void *context)
{
	int fd = openat(directory, name, DIRECTORY_FLAGS);

	(void)context;
	if (fd < 0)
		return;
	if (depth < LIMIT_CGROUP_DEPTH)
		visit_children(fd, depth + 1, remove_child, NULL);
	close(fd);
	(void)unlinkat(directory, name, AT_REMOVEDIR);
}
