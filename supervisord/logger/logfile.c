/* SPDX-License-Identifier: ISC */
/* logfile.c: see logfile.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/logger/logfiles.h"
#include "supervisord/logger/period.h"
#include "supervisord/logger/rotation.h"

#define DIRECTORY_MODE 0755

static void note_stat(struct logfile *file, const struct stat *st, uint64_t *ret_size);
static bool is_past_period(struct logfile *file, enum logspec_rotate rotate);
static void leave(struct logfile *file);
static int open_path(const struct logfile *file, const struct logspec *spec, int *ret_fd);
static int create(const struct logfile *file, const struct logspec *spec, int *ret_fd);

void logfile_init(struct logfile *file, char *path)
{
	*file = (struct logfile){.fd = -1, .path = path};
	archives_init(&file->archives, path);
	LIST_INIT(&file->users);
}

void logfile_done(struct logfile *file)
{
	leave(file);
	archives_done(&file->archives);
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
	known = stat(file->path, &st) == 0;
	if (known && st.st_ino == file->ino && st.st_dev == file->dev) {
		note_stat(file, &st, ret_size);
		return 0;
	}
	*ret_displaced = known || errno == ENOENT || errno == ENOTDIR;
	if (fstat(file->fd, &st) < 0)
		return -errno;
	if (st.st_nlink == 0) {
		*ret_displaced = false;
		return logfile_reopen(file, spec, ret_size);
	}
	note_stat(file, &st, ret_size);
	return 0;
}

int logfile_reopen(struct logfile *file, const struct logspec *spec, uint64_t *ret_size)
{
	struct stat st;
	int fd = -1, error;

	error = open_path(file, spec, &fd);
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
	file->rotate_at = spec->max_bytes;
	file->rotate_asked = false;
	note_stat(file, &st, ret_size);
	return 0;
}

bool logfile_is_due(struct logfile *file, const struct logspec *spec, uint64_t size)
{
	return logfile_room(size, file->rotate_at) == 0 || (file->rotate_asked && size > 0) ||
	       (spec->rotate != LOGSPEC_NEVER && size > 0 && is_past_period(file, spec->rotate));
}

int logfile_rotate(struct logfile *file, const struct logspec *spec, uint64_t *size,
    struct logfile_rotated *ret_rotated)
{
	int64_t now_us = clock_wall_ns() / 1000;
	struct stat st;
	int error = fstat(file->fd, &st) < 0 ? -errno : logfile_read_archives(file);

	*ret_rotated = (struct logfile_rotated){0};
	if (error == 0)
		error = rotation_rotate(
		    &file->archives, &st, spec->keep, now_us, &ret_rotated->archive);
	file->rotate_asked = false;
	if (error < 0) {
		ret_rotated->rename_error = error;
		file->rotate_at = spec->max_bytes > 0 ? *size + spec->max_bytes : 0;
		/* The calendar is asked again for the next period. */
		file->written_ns = clock_wall_ns();
		return 0;
	}
	if (file->owner != NULL)
		file->owner->rotated = true;
	ret_rotated->trim_error = rotation_trim(&file->archives, spec, now_us);
	/* Not to be written again, whatever becomes of the open: it is an archive now. */
	leave(file);
	return logfile_reopen(file, spec, size);
}

void logfile_set_limits(struct logfile *file, const struct logspec *spec)
{
	file->rotate_at = spec->max_bytes;
	file->period_end_s = file->period_start_s = 0;
	if (file->archives_are_read)
		(void)rotation_trim(&file->archives, spec, clock_wall_ns() / 1000);
}

int logfile_read_archives(struct logfile *file)
{
	int error = file->archives_are_read ? 0 : archives_read(&file->archives);

	file->archives_are_read = file->archives_are_read || error == 0;
	return error;
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

	if (strlen(path) >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, strlen(path) + 1);
	for (char *slash = strchr(parent + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(parent, DIRECTORY_MODE) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static void note_stat(struct logfile *file, const struct stat *st, uint64_t *ret_size)
{
	*ret_size = (uint64_t)st->st_size;
	file->written_ns = (int64_t)st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec;
}

/*
 * Is the present one a later period than that of the last write?  When the clock was set back the
 * file goes on: its own time follows the clock with the next write.
 */
static bool is_past_period(struct logfile *file, enum logspec_rotate rotate)
{
	int64_t written_s = file->written_ns / NS_PER_S;

	if (written_s < file->period_start_s || written_s >= file->period_end_s)
		period_find(rotate, written_s, &file->period_start_s, &file->period_end_s);
	return clock_wall_ns() / NS_PER_S >= file->period_end_s;
}

static void leave(struct logfile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

static int open_path(const struct logfile *file, const struct logspec *spec, int *ret_fd)
{
	/* Not O_APPEND: splice(2) refuses it.  O_NONBLOCK: a FIFO in the place must not stop the
	 * logger. */
	int fd = open(file->path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), error;

	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	if (errno != ENOENT)
		return -errno;
	error = create(file, spec, ret_fd);
	if (error == -ENOENT) {
		error = logfile_make_parents(file->path);
		if (error == 0)
			error = create(file, spec, ret_fd);
	}
	return error;
}

/* With owner and mode as they are to be from the first byte on.  An owner that it cannot get is no
 * reason to lose what is to be written. */
static int create(const struct logfile *file, const struct logspec *spec, int *ret_fd)
{
	mode_t mode = spec->mode != 0 ? spec->mode : LOGSPEC_MODE;
	int fd = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

	if (fd < 0)
		return -errno;
	if (fchown(fd, spec->has_uid ? spec->uid : (uid_t)-1,
		spec->has_gid ? spec->gid : (gid_t)-1) < 0)
		log_error(
		    "%s: cannot give %s its owner: %s", spec->name, file->path, strerror(errno));
	if (fchmod(fd, mode) < 0)
		log_error(
		    "%s: cannot give %s its mode: %s", spec->name, file->path, strerror(errno));
	*ret_fd = fd;
	return 0;
}
