/* SPDX-License-Identifier: ISC */
/* archives.c: see archives.h. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/archives.h"

#define US_PER_S INT64_C(1000000)
/* ".20260131T235959.123456Z" */
#define STAMP_LENGTH 24

static const char *const suffixes[] = {
    [LOGSPEC_PLAIN] = "", [LOGSPEC_GZIP] = ".gz", [LOGSPEC_ZSTD] = ".zst"};
#define FORMS (sizeof(suffixes) / sizeof(suffixes[0]))

static bool parse_stamp(const char *stamp, int64_t *ret_us);
static int parse_digits(const char *text, int count);
static int read_directory(struct archives *archives, DIR *directory, const char *name);
static void keep_inodes(struct archives *archives, const struct archives *old);
static int open_regular(const char *path, int *ret_fd, struct stat *ret_st);

int archive_format_path(
    char *ret_path, size_t size, const char *path, const struct archive *archive)
{
	time_t seconds = (time_t)(archive->time_us / US_PER_S);
	struct tm tm;
	int length;

	gmtime_r(&seconds, &tm);
	length = snprintf(ret_path, size, "%s.%04d%02d%02dT%02d%02d%02d.%06dZ%s", path,
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    (int)(archive->time_us % US_PER_S), suffixes[archive->form]);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

bool archive_parse_name(const char *name, size_t *ret_stem, struct archive *ret_archive)
{
	size_t length = strlen(name);
	struct archive archive = {.bytes = ARCHIVE_SIZE_UNKNOWN};

	for (size_t i = 1; i < FORMS; i++) {
		size_t suffix = strlen(suffixes[i]);

		if (length > suffix && strcmp(name + length - suffix, suffixes[i]) == 0) {
			archive.form = (enum logspec_compress)i;
			length -= suffix;
			break;
		}
	}
	if (length <= STAMP_LENGTH || !parse_stamp(name + length - STAMP_LENGTH, &archive.time_us))
		return false;
	*ret_stem = length - STAMP_LENGTH;
	*ret_archive = archive;
	return true;
}

void archives_init(struct archives *archives, const char *path)
{
	*archives = (struct archives){.path = path};
}

void archives_done(struct archives *archives)
{
	free(archives->list);
	archives_init(archives, archives->path);
}

int archives_read(struct archives *archives)
{
	struct archives fresh = {.path = archives->path};
	const char *slash = strrchr(archives->path, '/');
	char parent[ARCHIVE_PATH_SIZE];
	size_t length = slash == NULL ? 0 : (size_t)(slash - archives->path) + 1;
	DIR *directory;
	int error;

	if (length >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, archives->path, length);
	parent[length] = '\0';
	directory = opendir(length > 0 ? parent : ".");
	if (directory == NULL && errno != ENOENT)
		return -errno;
	if (directory != NULL) {
		error = read_directory(&fresh, directory, archives->path + length);
		closedir(directory);
		if (error < 0) {
			archives_done(&fresh);
			return error;
		}
	}
	keep_inodes(&fresh, archives);
	free(archives->list);
	*archives = fresh;
	return 0;
}

int archives_add(struct archives *archives, const struct archive *archive)
{
	size_t at = archives->count;

	while (at > 0 && archives->list[at - 1].time_us > archive->time_us)
		at--;
	if (at > 0 && archives->list[at - 1].time_us == archive->time_us) {
		struct archive *same = &archives->list[at - 1];

		if (archive->form == LOGSPEC_PLAIN)
			same->form = LOGSPEC_PLAIN;
		if (archive->ino != 0)
			same->ino = archive->ino;
		same->bytes = archive->bytes;
		return 0;
	}
	if (archives->count == archives->room) {
		size_t room = archives->room == 0 ? 8 : archives->room * 2;
		struct archive *list = realloc(archives->list, room * sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		archives->list = list;
		archives->room = room;
	}
	memmove(&archives->list[at + 1], &archives->list[at],
	    (archives->count - at) * sizeof(*archives->list));
	archives->list[at] = *archive;
	archives->count++;
	return 0;
}

void archives_remove(struct archives *archives, size_t index)
{
	archives->count--;
	memmove(&archives->list[index], &archives->list[index + 1],
	    (archives->count - index) * sizeof(*archives->list));
}

size_t archives_find_after(const struct archives *archives, int64_t time_us)
{
	size_t low = 0, high = archives->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (archives->list[middle].time_us <= time_us)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int archives_find_file(const struct archives *archives, const struct stat *st)
{
	char path[ARCHIVE_PATH_SIZE];
	struct stat other;

	if (stat(archives->path, &other) == 0 && other.st_ino == st->st_ino &&
	    other.st_dev == st->st_dev)
		return (int)archives->count;
	for (size_t i = archives->count; i-- > 0;) {
		const struct archive *archive = &archives->list[i];

		if (archive->ino != 0 && archive->ino == st->st_ino)
			return (int)i;
		if (archive->ino == 0 && archive->form == LOGSPEC_PLAIN &&
		    archive_format_path(path, sizeof(path), archives->path, archive) == 0 &&
		    stat(path, &other) == 0 && other.st_ino == st->st_ino &&
		    other.st_dev == st->st_dev)
			return (int)i;
	}
	return -ENOENT;
}

int archives_stat(const struct archives *archives, size_t index, struct stat *ret_st)
{
	struct archive archive = archives->list[index];
	int error = -ENOENT;

	for (size_t i = 0; i < FORMS && error == -ENOENT; i++) {
		char path[ARCHIVE_PATH_SIZE];

		error = archive_format_path(path, sizeof(path), archives->path, &archive);
		if (error == 0 && stat(path, ret_st) < 0)
			error = -errno;
		archive.form = (enum logspec_compress)((archive.form + 1) % FORMS);
	}
	return error;
}

int archives_unlink(const struct archives *archives, const struct archive *archive)
{
	struct archive one = *archive;

	for (size_t i = 0; i < FORMS; i++) {
		char path[ARCHIVE_PATH_SIZE];
		int error;

		one.form = (enum logspec_compress)i;
		error = archive_format_path(path, sizeof(path), archives->path, &one);
		if (error == 0 && unlink(path) < 0 && errno != ENOENT)
			error = -errno;
		if (error < 0)
			return error;
	}
	return 0;
}

int archives_open(const struct archives *archives, size_t index, int *ret_fd, struct stat *ret_st,
    enum logspec_compress *ret_form)
{
	struct archive archive;
	int error = -ENOENT;

	*ret_form = LOGSPEC_PLAIN;
	if (index >= archives->count)
		return open_regular(archives->path, ret_fd, ret_st);
	archive = archives->list[index];
	/* As it was, or as it may have become; plain is tried again at last: it goes when the other
	 * one is there. */
	for (size_t i = 0; i < FORMS && error == -ENOENT; i++) {
		char path[ARCHIVE_PATH_SIZE];

		error = archive_format_path(path, sizeof(path), archives->path, &archive);
		if (error == 0)
			error = open_regular(path, ret_fd, ret_st);
		if (error == 0)
			*ret_form = archive.form;
		archive.form = (enum logspec_compress)((archive.form + 1) % FORMS);
	}
	return error;
}

static bool parse_stamp(const char *stamp, int64_t *ret_us)
{
	struct tm tm = {
	    .tm_year = parse_digits(stamp + 1, 4),
	    .tm_mon = parse_digits(stamp + 5, 2),
	    .tm_mday = parse_digits(stamp + 7, 2),
	    .tm_hour = parse_digits(stamp + 10, 2),
	    .tm_min = parse_digits(stamp + 12, 2),
	    .tm_sec = parse_digits(stamp + 14, 2),
	};
	int us = parse_digits(stamp + 17, 6);
	struct tm given;
	time_t seconds;

	if (stamp[0] != '.' || stamp[9] != 'T' || stamp[16] != '.' || stamp[23] != 'Z' ||
	    tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mday < 1 || tm.tm_hour < 0 ||
	    tm.tm_min < 0 || tm.tm_sec < 0 || us < 0)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	given = tm;
	seconds = timegm(&tm);
	/* Only the one way to write a time: the 31st of February is none. */
	if (tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday ||
	    tm.tm_hour != given.tm_hour || tm.tm_min != given.tm_min || tm.tm_sec != given.tm_sec)
		return false;
	*ret_us = (int64_t)seconds * US_PER_S + us;
	return true;
}

/* -1 for anything else. */
static int parse_digits(const char *text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static int read_directory(struct archives *archives, DIR *directory, const char *name)
{
	size_t length = strlen(name), stem;
	const struct dirent *entry;
	struct archive archive;
	int error = 0;

	while (error == 0 && (errno = 0, entry = readdir(directory)) != NULL)
		if (strncmp(entry->d_name, name, length) == 0 &&
		    archive_parse_name(entry->d_name, &stem, &archive) && stem == length)
			error = archives_add(archives, &archive);
	return error == 0 && entry == NULL ? -errno : error;
}

static void keep_inodes(struct archives *archives, const struct archives *old)
{
	size_t at = 0;

	for (size_t i = 0; i < archives->count; i++) {
		while (at < old->count && old->list[at].time_us < archives->list[i].time_us)
			at++;
		if (at < old->count && old->list[at].time_us == archives->list[i].time_us)
			archives->list[i].ino = old->list[at].ino;
	}
}

static int open_regular(const char *path, int *ret_fd, struct stat *ret_st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (fstat(fd, ret_st) < 0 || !S_ISREG(ret_st->st_mode)) {
		close(fd);
		return -EINVAL;
	}
	*ret_fd = fd;
	return 0;
}
