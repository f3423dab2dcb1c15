/* SPDX-License-Identifier: ISC */
/*
 * logfile.h: a file that streams are written to, open for the splices.  One object a path, however
 * many streams write to it (logfiles.h), so that one of them rotates it for all.
 *
 * All that is known of it is read from the file system before each write: its size is where the
 * next byte goes, its last byte tells whether a line is open, its time whether it is of another
 * day. So a new logger goes on exactly where a killed one was, and a file that somebody truncated,
 * moved or deleted is noticed.  Directories that are missing are made with mode 0755.
 */
#ifndef LOGGER_LOGFILE_H
#define LOGGER_LOGFILE_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/archives.h"

struct logfiles;
struct stream;

struct logfile {
	char *path;
	struct logfiles *owner; /* told of rotations; NULL: nobody */
	int fd;                 /* -1: not open */
	dev_t dev;
	ino_t ino;
	uint64_t rotate_at; /* size past which to rotate; 0: never */
	int64_t written_ns; /* when the file was written last, wall clock, as of the last look */
	int64_t period_start_s, period_end_s; /* of the calendar, around that time */
	bool rotate_asked;                    /* at the next end of a line */
	int rotation_error; /* it was said, and the file grows until the next try; 0 or -errno */
	bool trim_fails;    /* likewise */
	bool archives_are_read;
	struct archives archives;
	/* Who writes to it, see share.h. */
	LIST_HEAD(logfile_users, stream) users;
	unsigned user_count;
	struct stream *last_writer; /* of a shared file; NULL: not known */
	int64_t hold_end_ns;        /* an open line of the last writer is waited for until then */
	/* Whose archives are looked after, see upkeep.h. */
	bool is_kept;
	const struct logspec *upkeep_spec; /* borrowed from the specs in force */
	TAILQ_ENTRY(logfile) of_upkeep;
};

/* What a rotation did. */
struct logfile_rotated {
	struct archive archive; /* what the log became; time 0: there is none */
	int rename_error;       /* the log was not rotated */
	int trim_error;         /* an old archive could not be removed */
};

/* Borrows `path`, for the life of the object. */
void logfile_init(struct logfile *file, char *path);
void logfile_done(struct logfile *file);

/*
 * Bring `file` up to date with what stands at its path: open it if need be.  displaced: the open
 * file is not the one at that path any more: finish the open line in it, then logfile_reopen().  A
 * file without a name is left at once.  Returns 0 or -errno.
 */
int logfile_refresh(
    struct logfile *file, const struct logspec *spec, uint64_t *ret_size, bool *ret_displaced);

/* Open what the path names now, creating it. */
int logfile_reopen(struct logfile *file, const struct logspec *spec, uint64_t *ret_size);

/* Is a file of this size to be rotated at the next end of a line? */
bool logfile_is_due(struct logfile *file, const struct logspec *spec, uint64_t size);

/*
 * Make the file an archive, begin a new one, and remove archives past the limits of the spec.  When
 * the rename fails the old file stays open and grows on to twice its limit and so forth: better a
 * large file than a program that stands still.  Returns 0 with the size of what is open now, or
 * -errno: nothing is open.
 */
int logfile_rotate(struct logfile *file, const struct logspec *spec, uint64_t *size,
    struct logfile_rotated *ret_rotated);

/* The limits of a changed spec apply to the file and its archives as they stand. */
void logfile_set_limits(struct logfile *file, const struct logspec *spec);

/* Read which archives there are, if that was not done yet.  Returns 0 or -errno. */
int logfile_read_archives(struct logfile *file);

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
