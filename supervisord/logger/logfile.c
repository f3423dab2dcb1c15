/* SPDX-License-Identifier: ISC */
/* logfile.c: see logfile.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisord/logger/chain.h"
#include "supervisord/logger/logfile.h"

#define FILE_MODE      0640
#define DIRECTORY_MODE 0755

static int open_path(const char *path, int *ret_fd);

void logfile_init(struct logfile *file)
{
	*file = (struct logfile){.fd = -1};
}

void logfile_done(struct logfile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
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

	error = open_path(spec->path, &fd);
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
	logfile_done(file);
	file->fd = fd;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	logfile_set_limit(file, spec);
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

int logfile_rotate(
    struct logfile *file, const struct logspec *spec, uint64_t *size, int *ret_shift_error)
{
	int error = chain_shift(spec->path, spec->keep);

	*ret_shift_error = error;
	if (error < 0) {
		file->rotate_at = *size + spec->max_bytes;
		return 0;
	}
	/* Not to be written again, whatever becomes of the open: it is an archive now. */
	logfile_done(file);
	return logfile_reopen(file, spec, size);
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
	char parent[CHAIN_PATH_SIZE];
	int error = chain_format_path(parent, sizeof(parent), path, 0);

	if (error < 0)
		return error;
	for (char *slash = strchr(parent + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(parent, DIRECTORY_MODE) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int open_path(const char *path, int *ret_fd)
{
	/* Not O_APPEND: splice(2) refuses it.  O_NONBLOCK: a FIFO in the place must not stop the
	 * logger. */
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(path, flags, FILE_MODE), error;

	if (fd < 0 && errno == ENOENT) {
		error = logfile_make_parents(path);
		if (error < 0)
			return error;
		fd = open(path, flags, FILE_MODE);
	}
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}
