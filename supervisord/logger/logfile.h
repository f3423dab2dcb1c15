/* SPDX-License-Identifier: ISC */
/*
 * logfile.h: the file that a stream is written to, open for the splices.
 *
 * All that is known of it is read from the file system before each write: its size is where the
 * next byte goes, its last byte tells whether a line is open.  So a new logger goes on exactly
 * where a killed one was, and a file that somebody truncated, moved or deleted is noticed.
 * Directories that are missing are made with mode 0755.
 */
#ifndef LOGGER_LOGFILE_H
#define LOGGER_LOGFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/archives.h"

struct logfile {
	int fd;              /* -1: not open */
	bool rotation_fails; /* it was said, and the file grows until the next try */
	uint64_t rotate_at;  /* size past which to rotate; 0: never */
	dev_t dev;
	ino_t ino;
	char *path; /* that is or was open */
	struct archives archives;
	bool archives_are_read;
};

void logfile_init(struct logfile *file);
void logfile_done(struct logfile *file);

/*
 * Bring `file` up to date with what stands at the spec's path: open it if need be.  displaced: the
 * open file is not the one at that path any more (moved away, or the spec names another): finish
 * the open line in it, then logfile_reopen().  A file without a name is left at once.  Returns 0 or
 * -errno.
 */
int logfile_refresh(
    struct logfile *file, const struct logspec *spec, uint64_t *ret_size, bool *ret_displaced);

/* Open what the path names now, creating it. */
int logfile_reopen(struct logfile *file, const struct logspec *spec, uint64_t *ret_size);

/*
 * Make the file an archive, begin a new one, and remove archives past the limits of the spec.  When
 * the rename fails the old file stays open and grows on to twice its limit and so forth: better a
 * large file than a program that stands still.  Returns 0 with the size of what is open now and
 * what became of the old one in *ret_archive (see rotation_rotate()), and the reason of a failed
 * rename or removal, or 0; or -errno: nothing is open.
 */
int logfile_rotate(struct logfile *file, const struct logspec *spec, uint64_t *size,
    struct archive *ret_archive, int *ret_rotate_error);

/* Remove archives past the limits of a spec. */
void logfile_trim(struct logfile *file, const struct logspec *spec);

/* The rotation settings of a changed spec apply to the file as it stands. */
void logfile_set_limit(struct logfile *file, const struct logspec *spec);

/* Bytes that go into a file of `size` before its line must end; UINT64_MAX without a limit. */
uint64_t logfile_room(uint64_t size, uint64_t rotate_at);

/* Bytes that may still be added to finish a line, before it is split: a file stays <= 2 x its
 * limit. */
uint64_t logfile_line_room(uint64_t size, uint64_t rotate_at, uint64_t max_bytes);

/* Make the directories that `path` needs.  Returns 0 or -errno. */
int logfile_make_parents(const char *path);

/* Does the file end in the middle of a line?  1, 0, or -errno. */
int logfile_line_is_open(const struct logfile *file, uint64_t size);

#endif
