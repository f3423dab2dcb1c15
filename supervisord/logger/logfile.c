/* SPDX-License-Identifier: ISC */
/* logfile.c: see logfile.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/logger/logfile.h"
#include "supervisord/logger/rotation.h"

#define DIRECTORY_MODE 0755

static void leave(struct logfile *file);
static int remember_path(struct logfile *file, const char *path);
static int read_archives(struct logfile *file);
static int open_path(const struct logspec *spec, int *ret_fd);
static int create(const struct logspec *spec, int *ret_fd);

void logfile_init(struct logfile *file)
{
	*file = (struct logfile){.fd = -1};
}

void logfile_done(struct logfile *file)
{
	leave(file);
	archives_done(&file->archives);
	free(file->path);
	logfile_init(file);
}

int logfile_refresh(
    struct logfile *file, const struct logspec *spec, uint64_t *ret_size, bool *ret_displaced)
{
	struct stat st;
	bool known;

	*ret_displaced = false;
	if (file->fd < 0)
		return logfile_reopen(file, spec, ret_size);
	/* One look by path tells all at once: deleted, moved, replaced, truncated. */
	known = stat(spec->path, &st) == 0;
	if (known && st.st_ino == file->ino && st.st_dev == file->dev) {
		*ret_size = (uint64_t)st.st_size;
		return 0;
	}
	*ret_displaced = known || errno == ENOENT || errno == ENOTDIR;
	if (fstat(file->fd, &st) < 0)
		return -errno;
	if (st.st_nlink == 0) {
		*ret_displaced = false;
		return logfile_reopen(file, spec, ret_size);
	}
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

int logfile_reopen(struct logfile *file, const struct logspec *spec, uint64_t *ret_size)
{
	struct stat st;
	int fd = -1, error;

	error = remember_path(file, spec->path);
	if (error == 0)
		error = open_path(spec, &fd);
	if (error < 0)
		return error;
	if (fstat(fd, &st) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	leave(file);
	file->fd = fd;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	logfile_set_limit(file, spec);
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

int logfile_rotate(struct logfile *file, const struct logspec *spec, uint64_t *size,
    struct archive *ret_archive, int *ret_rotate_error)
{
	int64_t now_us = clock_wall_ns() / 1000;
	struct stat st;
	int error = fstat(file->fd, &st) < 0 ? -errno : read_archives(file);

	*ret_archive = (struct archive){0};
	if (error == 0)
		error = rotation_rotate(&file->archives, &st, spec->keep, now_us, ret_archive);
	if (error < 0) {
		*ret_rotate_error = error;
		file->rotate_at = *size + spec->max_bytes;
		return 0;
	}
	*ret_rotate_error = rotation_trim(&file->archives, spec, now_us);
	/* Not to be written again, whatever becomes of the open: it is an archive now. */
	leave(file);
	return logfile_reopen(file, spec, size);
}

void logfile_trim(struct logfile *file, const struct logspec *spec)
{
	if (remember_path(file, spec->path) == 0 && read_archives(file) == 0)
		(void)rotation_trim(&file->archives, spec, clock_wall_ns() / 1000);
}

void logfile_set_limit(struct logfile *file, const struct logspec *spec)
{
	file->rotate_at = spec->max_bytes;
}

uint64_t logfile_room(uint64_t size, uint64_t rotate_at)
{
	if (rotate_at == 0)
		return UINT64_MAX;
	return size < rotate_at ? rotate_at - size : 0;
}

uint64_t logfile_line_room(uint64_t size, uint64_t rotate_at, uint64_t max_bytes)
{
	if (rotate_at == 0 || max_bytes > UINT64_MAX - rotate_at)
		return UINT64_MAX;
	return size < rotate_at + max_bytes ? rotate_at + max_bytes - size : 0;
}

int logfile_line_is_open(const struct logfile *file, uint64_t size)
{
	char last;
	ssize_t got;

	if (size == 0)
		return 0;
	got = pread(file->fd, &last, 1, (off_t)(size - 1));
	if (got < 0)
		return -errno;
	return got == 1 && last != '\n';
}

int logfile_make_parents(const char *path)
{
	char parent[ARCHIVE_PATH_SIZE];

	if (strlcpy(parent, path, sizeof(parent)) >= sizeof(parent))
		return -ENAMETOOLONG;
	for (char *slash = strchr(parent + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(parent, DIRECTORY_MODE) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static void leave(struct logfile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* The archives are those of another file if it is another path. */
static int remember_path(struct logfile *file, const char *path)
{
	char *copy;

	if (file->path != NULL && strcmp(file->path, path) == 0)
		return 0;
	copy = strdup(path);
	if (copy == NULL)
		return -ENOMEM;
	archives_done(&file->archives);
	free(file->path);
	file->path = copy;
	archives_init(&file->archives, copy);
	file->archives_are_read = false;
	return 0;
}

static int read_archives(struct logfile *file)
{
	int error = file->archives_are_read ? 0 : archives_read(&file->archives);

	file->archives_are_read = file->archives_are_read || error == 0;
	return error;
}

static int open_path(const struct logspec *spec, int *ret_fd)
{
	/* Not O_APPEND: splice(2) refuses it.  O_NONBLOCK: a FIFO in the place must not stop the
	 * logger. */
	const int flags = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(spec->path, flags), error;

	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	if (errno != ENOENT)
		return -errno;
	error = create(spec, ret_fd);
	if (error == -ENOENT) {
		error = logfile_make_parents(spec->path);
		if (error == 0)
			error = create(spec, ret_fd);
	}
	return error;
}

/* With owner and mode as they are to be from the first byte on.  An owner that it cannot get is no
 * reason to lose what is to be written. */
static int create(const struct logspec *spec, int *ret_fd)
{
	mode_t mode = spec->mode != 0 ? spec->mode : LOGSPEC_MODE;
	int fd = open(spec->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

	if (fd < 0)
		return -errno;
	if (fchown(fd, spec->has_uid ? spec->uid : (uid_t)-1,
		spec->has_gid ? spec->gid : (gid_t)-1) < 0)
		log_error(
		    "%s: cannot give %s its owner: %s", spec->name, spec->path, strerror(errno));
	if (fchmod(fd, mode) < 0)
		log_error(
		    "%s: cannot give %s its mode: %s", spec->name, spec->path, strerror(errno));
	*ret_fd = fd;
	return 0;
}
