/* SPDX-License-Identifier: ISC */
/*
 * place.h: where a reader stands in a log and its archives.
 *
 * A place is an open file and an offset, so that rotation, which only renames, cannot move it; what
 * comes after the end of that file is found by looking up which archive the file has become.
 * `behind` counts the bytes between the place and the end of the log: the stream adds to it what it
 * writes, and when the file is gone, it says where to go on and how much has been lost. The
 * archives are the reader's own list; it is read again whenever a file is left.
 */
#ifndef LOGGER_PLACE_H
#define LOGGER_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct archives;

struct place {
	int fd; /* -1: there is no file yet */
	uint64_t offset;
	uint64_t behind;
};

/* A search for the last lines, backwards; see place_search(). */
struct line_search {
	uint64_t lines; /* still to find */
	bool begun;     /* the last byte of the log was seen */
};

void place_init(struct place *place);
void place_done(struct place *place);

/*
 * Stand `bytes` before the end; UINT64_MAX: at the start of all there is.  *ret_missing: how much
 * less there is, the place is then at the start of the oldest file.  Returns 0 or -errno.
 */
int place_seek_end(
    struct place *place, struct archives *archives, uint64_t bytes, uint64_t *ret_missing);

/*
 * Go back through at most one block towards the first of the last lines.  Returns 1 when the place
 * is there, 0 when there is more to do, -errno.
 */
int place_search(struct place *place, struct archives *archives, struct line_search *search);

/*
 * Read on from the place, within one file.  Returns bytes, 0 at the end of the log, -errno.
 * *ret_lost: bytes before them that were rotated away unread.
 */
ssize_t place_read(struct place *place, struct archives *archives, char *ret_bytes, size_t size,
    uint64_t *ret_lost);

/* Give back the last `bytes` of what place_read() returned. */
void place_unread(struct place *place, size_t bytes);

/*
 * The search in one block of memory, backwards.  Returns true with the offset at which the first
 * wanted line starts, false when it is further back.
 */
bool line_search_block(
    struct line_search *search, const char *block, size_t length, size_t *ret_start);

#endif
