/* SPDX-License-Identifier: ISC */
/*
 * place.h: where a reader stands in a log and its archives.
 *
 * A place is an open file and an offset, so that rotation, which only renames, cannot move it, and
 * compression, which makes another file, does not either.  What comes after the end of that file
 * is known by the time in the archives' names: the file itself gets one when it is rotated
 * (place_note_rotated()), and the next file is the one that is named next, or the log.  A name that
 * was to come and is gone means that lines were lost, which is told.
 *
 * Compressed archives are unpacked from their beginning in bounded pieces: a call that has done one
 * and has nothing to show for it yet returns -EAGAIN.
 *
 * A place can be written down as text and found again by another logger: by the archive's time, or,
 * while the file is the log, by its inode and the archive before it.  The list of archives is the
 * reader's own and is read again whenever a file is left.
 */
#ifndef LOGGER_PLACE_H
#define LOGGER_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/archives.h"
#include "supervisord/logger/unpack.h"

/* Why lines are missing at a place. */
enum place_loss {
	PLACE_LOST_NOTHING,
	PLACE_LOST_ROTATED, /* removed before they were read */
	PLACE_LOST_DAMAGED, /* the archive cannot be unpacked any further */
	PLACE_LOST_UNSURE   /* nobody knows; some may also come twice */
};

struct place {
	int fd;                /* a plain file; -1: none */
	struct unpack *unpack; /* … or a compressed one; NULL: none */
	uint64_t offset;       /* in the text of the file */
	int64_t time_us;       /* of the archive that the file is; 0: it is (or was) the log */
	int64_t after_us;      /* of the archive before it; 0: none is known */
	int64_t next_us;       /* of the archive after it, as far as there was one; 0 */
	dev_t dev;             /* of the plain file */
	ino_t ino;
	unsigned removed;  /* logs that were removed since this one was opened, itself included */
	bool leaves;       /* the log is at another path now: on there, at … */
	uint64_t enter_at; /* … this offset */
	char *text;        /* unpacked; LIMIT_LOG_BLOCK bytes, NULL while there is no `unpack` */
	size_t at, length; /* what of `text` was not given out */
	uint64_t unpacked; /* offset of the end of `text` */
};

/* The end of the log at one time: a read that does not follow goes so far. */
struct place_end {
	int64_t after_us; /* the file is the first one after this archive … */
	uint64_t size;    /* … and had so many bytes */
};

void place_init(struct place *place);
void place_done(struct place *place);

/* ---- where to begin: each reads the list of archives; returns 0 or -errno ---------------------
 */

int place_seek_end(struct place *place, struct archives *archives);
int place_seek_oldest(struct place *place, struct archives *archives);

/* The first file that was written to at or after this time, else the end. */
int place_seek_time(struct place *place, struct archives *archives, int64_t time_us);

/* Where place_format() was.  -EINVAL: that is no place. */
int place_seek_text(
    struct place *place, struct archives *archives, const char *text, enum place_loss *ret_loss);

/* The start of the file before this one.  Returns 0, -ENOENT: there is none, or -errno. */
int place_go_older(struct place *place, const struct archives *archives);

/* The same file at another offset, which is not past its end.  Returns 0 or -errno. */
int place_move(struct place *place, const struct archives *archives, uint64_t offset);

/* ---- reading on --------------------------------------------------------------------------------
 */

/*
 * Read on from the place, within one file.  Returns bytes, 0 at the end of the log, -EAGAIN: call
 * again, -errno.  *ret_loss: what happened to the lines before them.
 */
ssize_t place_read(struct place *place, struct archives *archives, char *ret_bytes, size_t size,
    enum place_loss *ret_loss);

/* The same without going on to the next file: 0 at the end of this one; -EBADMSG: it is damaged. */
ssize_t place_read_here(struct place *place, char *ret_bytes, size_t size);

/* Give back the last `bytes` of what place_read() returned. */
void place_unread(struct place *place, size_t bytes);

/* ---- what happens to the log -------------------------------------------------------------------
 */

/* The log, inode `archive->ino`, has become this archive. */
void place_note_rotated(struct place *place, const struct archive *archive);

/* The log has been removed; it had no archive. */
void place_note_removed(struct place *place);

/* The log has been emptied, and its archives are gone: that nobody reads them any more is no loss.
 */
void place_note_cleared(struct place *place);

/* The log is at another path from now on, in a file that has `size` bytes already. */
void place_note_moved(struct place *place, uint64_t size);

/* ---- ends and texts ----------------------------------------------------------------------------
 */

/* As it is now. */
int place_find_end(struct archives *archives, struct place_end *ret_end);

/* Bytes that may be read in the file of the place before that end; UINT64_MAX: all. */
uint64_t place_count_to(const struct place *place, const struct place_end *end);

/* `size` of LIMIT_LOG_PLACE is enough.  Returns `buffer`. */
const char *place_format(const struct place *place, char *buffer, size_t size);

#endif
