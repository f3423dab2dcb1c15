/* SPDX-License-Identifier: ISC */
/* chain.c: see chain.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/limits.h"
#include "supervisord/logger/chain.h"

static unsigned find_free_number(const char *path, unsigned keep);
static int move_up(const char *path, unsigned number);
static bool remove_archive(const char *path, unsigned number);

int chain_format_path(char *ret_path, size_t size, const char *path, unsigned number)
{
	int length;

	if (number == 0)
		length = snprintf(ret_path, size, "%s", path);
	else
		length = snprintf(ret_path, size, "%s.%u", path, number);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

int chain_shift(const char *path, unsigned keep)
{
	if (keep == 0) {
		if (unlink(path) < 0 && errno != ENOENT)
			return -errno;
	} else {
		for (unsigned to = find_free_number(path, keep); to > 0; to--) {
			int error = move_up(path, to - 1);

			if (error < 0)
				return error;
		}
	}
	chain_trim(path, keep, keep);
	return 0;
}

void chain_trim(const char *path, unsigned keep, unsigned known)
{
	for (unsigned number = keep + 1; number <= LIMIT_LOG_KEEP; number++)
		if (!remove_archive(path, number) && number > known)
			return;
}

int chain_find(const char *path, unsigned keep, const struct stat *st)
{
	char name[CHAIN_PATH_SIZE];
	struct stat other;

	for (unsigned number = 0; number <= keep; number++)
		if (chain_format_path(name, sizeof(name), path, number) == 0 &&
		    stat(name, &other) == 0 && other.st_ino == st->st_ino &&
		    other.st_dev == st->st_dev)
			return (int)number;
	return -ENOENT;
}

int chain_open(const char *path, unsigned keep, int from, int step, int *ret_fd,
    struct stat *ret_st, int *ret_number)
{
	char name[CHAIN_PATH_SIZE];

	for (int number = from; number >= 0 && number <= (int)keep; number += step) {
		int error = chain_format_path(name, sizeof(name), path, (unsigned)number);
		int fd;

		if (error < 0)
			return error;
		fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return -errno;
		if (fstat(fd, ret_st) < 0 || !S_ISREG(ret_st->st_mode)) {
			close(fd);
			return -EINVAL;
		}
		*ret_fd = fd;
		*ret_number = number;
		return 0;
	}
	return -ENOENT;
}

/* The lowest number nothing stands under; `keep` when all are taken. */
static unsigned find_free_number(const char *path, unsigned keep)
{
	char name[CHAIN_PATH_SIZE];
	struct stat st;

	for (unsigned number = 1; number < keep; number++)
		if (chain_format_path(name, sizeof(name), path, number) == 0 &&
		    lstat(name, &st) < 0 && errno == ENOENT)
			return number;
	return keep;
}

static int move_up(const char *path, unsigned number)
{
	char from[CHAIN_PATH_SIZE], to[CHAIN_PATH_SIZE];
	int error = chain_format_path(to, sizeof(to), path, number + 1);

	if (error < 0)
		return error;
	(void)chain_format_path(from, sizeof(from), path, number);
	return rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
}

static bool remove_archive(const char *path, unsigned number)
{
	char name[CHAIN_PATH_SIZE];

	return chain_format_path(name, sizeof(name), path, number) == 0 && unlink(name) == 0;
}
