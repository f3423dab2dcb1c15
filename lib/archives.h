/* SPDX-License-Identifier: ISC */
/*
 * archives.h: the archives of a log file: their names, and which there are.
 *
 * PATH is the log; when it is rotated it is renamed to
 *
 *   PATH.20260131T235959.123456Z     UTC, the time of the rotation
 *   PATH.20260131T235959.123456Z.gz  or .zst: compressed
 *
 * A new archive is always named later than the newest one, also when the wall clock was set back,
 * so the order of the names is the order of the log.  There is no other record: the directory is
 * it.  A file that is being compressed has .tmp behind its name and is none of these.
 */
#ifndef LIB_ARCHIVES_H
#define LIB_ARCHIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/logspec.h"

/* Longest path of an archive with its NUL. */
#define ARCHIVE_PATH_SIZE    4096
#define ARCHIVE_SIZE_UNKNOWN UINT64_MAX
/* Behind the name of one that is being made. */
#define ARCHIVE_HALF ".tmp"

struct archive {
	int64_t time_us; /* since 1970 */
	uint64_t ino; /* of the file that was rotated, 0: not known; stays when it is compressed */
	uint64_t bytes; /* of the file; ARCHIVE_SIZE_UNKNOWN: to be looked up */
	enum logspec_compress form;
};

/* Oldest first.  An archive that is there plain and compressed is there once, plain. */
struct archives {
	const char *path; /* of the log; borrowed */
	struct archive *list;
	size_t count;
	size_t room;
};

/* The path of an archive.  Returns 0 or -ENAMETOOLONG. */
int archive_format_path(
    char *ret_path, size_t size, const char *path, const struct archive *archive);

/*
 * Is this the name of an archive?  Then *ret_stem is how much of it is the name of the log (`name`
 * may be a path as well).
 */
bool archive_parse_name(const char *name, size_t *ret_stem, struct archive *ret_archive);

void archives_init(struct archives *archives, const char *path);
void archives_done(struct archives *archives);

/* List what the directory has; the inodes of those that were known before stay known. 0 or -errno;
 * a directory that is not there has none. */
int archives_read(struct archives *archives);

/* Put one into its place.  Returns 0 or -ENOMEM. */
int archives_add(struct archives *archives, const struct archive *archive);

void archives_remove(struct archives *archives, size_t index);

/* The index of the first one later than that; `count` when there is none: the log itself. */
size_t archives_find_after(const struct archives *archives, int64_t time_us);

/*
 * The index of the file `st`; `count`: it is the log itself; -ENOENT: it is neither.  `st` is of a
 * file that is held open, or else its inode may have become another's.
 */
int archives_find_file(const struct archives *archives, const struct stat *st);

/* The file of an archive, also when it has been compressed meanwhile.  Returns 0 or -errno. */
int archives_stat(const struct archives *archives, size_t index, struct stat *ret_st);

/* Remove an archive in whatever form it is there.  Returns 0 or -errno; one that is gone is none.
 */
int archives_unlink(const struct archives *archives, const struct archive *archive);

/*
 * Open the member at `index` for reading, `count` being the log itself.  An archive that has been
 * compressed meanwhile is opened as such: *ret_form says what it is now.  Returns 0, or -errno;
 * -ENOENT: it is gone.
 */
int archives_open(const struct archives *archives, size_t index, int *ret_fd, struct stat *ret_st,
    enum logspec_compress *ret_form);

#endif
