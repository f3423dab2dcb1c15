/* SPDX-License-Identifier: ISC */
/* rotation.c: see rotation.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisord/logger/rotation.h"

#define US_PER_S INT64_C(1000000)
/* Names that somebody else has taken, one after the other. */
#define TRIES 100

static int rename_new(const char *from, const char *to);
static uint64_t count_bytes(struct archives *archives);

int rotation_rotate(struct archives *archives, const struct stat *st, unsigned keep, int64_t now_us,
    struct archive *ret_archive)
{
	struct archive archive = {
	    .time_us = now_us, .ino = (uint64_t)st->st_ino, .bytes = (uint64_t)st->st_size};
	int error = -EEXIST;

	*ret_archive = (struct archive){0};
	if (keep == 0)
		return unlink(archives->path) < 0 && errno != ENOENT ? -errno : 0;
	if (archives->count > 0 && archives->list[archives->count - 1].time_us >= now_us)
		archive.time_us = archives->list[archives->count - 1].time_us + 1;
	for (int i = 0; i < TRIES && error == -EEXIST; i++) {
		char to[ARCHIVE_PATH_SIZE];

		archive.time_us += i > 0;
		error = archive_format_path(to, sizeof(to), archives->path, &archive);
		if (error == 0)
			error = rename_new(archives->path, to);
	}
	if (error == -ENOENT)
		return 0;
	if (error < 0)
		return error;
	*ret_archive = archive;
	/* Without memory for it the list forgets it, until it is read again. */
	(void)archives_add(archives, &archive);
	return 0;
}

int rotation_trim(struct archives *archives, const struct logspec *spec, int64_t now_us)
{
	int error = 0;

	while (archives->count > spec->keep && error == 0)
		error = rotation_drop_oldest(archives);
	while (rotation_next_expiry_us(archives, spec) <= now_us && error == 0)
		error = rotation_drop_oldest(archives);
	if (spec->total_bytes > 0) {
		uint64_t bytes = count_bytes(archives) + spec->max_bytes;

		while (archives->count > 0 && bytes > spec->total_bytes && error == 0) {
			bytes -= archives->list[0].bytes;
			error = rotation_drop_oldest(archives);
		}
	}
	return error;
}

int rotation_drop_oldest(struct archives *archives)
{
	int error;

	if (archives->count == 0)
		return -ENOENT;
	error = archives_unlink(archives, &archives->list[0]);
	if (error == 0)
		archives_remove(archives, 0);
	return error;
}

int64_t rotation_next_expiry_us(const struct archives *archives, const struct logspec *spec)
{
	if (spec->max_age_s == 0 || archives->count == 0)
		return INT64_MAX;
	return archives->list[0].time_us + (int64_t)spec->max_age_s * US_PER_S;
}

/* Never over a file that is there.  Not every file system knows how; those get a plain rename(2).
 */
static int rename_new(const char *from, const char *to)
{
	/* Not every libc has the function. */
	if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (access(to, F_OK) == 0)
		return -EEXIST;
	return rename(from, to) < 0 ? -errno : 0;
}

/* Of all; those that are gone leave the list. */
static uint64_t count_bytes(struct archives *archives)
{
	uint64_t bytes = 0;
	struct stat st;

	for (size_t i = archives->count; i-- > 0;) {
		struct archive *archive = &archives->list[i];

		if (archive->bytes == ARCHIVE_SIZE_UNKNOWN) {
			int error = archives_stat(archives, i, &st);

			if (error == -ENOENT) {
				archives_remove(archives, i);
				continue;
			}
			archive->bytes = error == 0 ? (uint64_t)st.st_size : 0;
		}
		bytes += archive->bytes;
	}
	return bytes;
}
