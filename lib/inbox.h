/* SPDX-License-Identifier: ISC */
/*
 * inbox.h: what has come on a channel of lines (newline-delimited JSON) and is not dealt with yet.
 *
 * Lies in shared memory, so that a process that is killed at any instruction is followed by one
 * that goes on with the same bytes.  The trick: what comes is read by the kernel directly into the
 * inbox, everything behind the bytes that are there is zero, and JSON has no zero bytes; so where
 * they end can be seen, and need not be written down after the read (which would be too late).  A
 * line is taken out by one store, after it has been dealt with: killed before it, it is dealt with
 * again.
 *
 * One line longer than LIMIT_IPC_LINE is left out; inbox_next() tells so once, with how it began.
 * Pure but for the memory: reads no descriptor.
 */
#ifndef LIB_INBOX_H
#define LIB_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"

/* A line with its newline, and one zero. */
#define INBOX_BYTES (LIMIT_IPC_LINE + 2)

/* In shared memory; all zero is an empty one. */
struct inbox {
	/* Count of changes << 33 | which of the two is in use << 32 | its first byte not dealt
	 * with. */
	_Atomic uint64_t place;
	_Atomic uint32_t skipping; /* up to the next newline: the rest of a line that is left out */
	_Atomic uint32_t cleaning; /* what was dealt with is being zeroed; else nothing touches the
				      memory of a half that is not used */
	char bytes[2][INBOX_BYTES];
};

/* The view of the process that uses it. */
struct inbox_view {
	struct inbox *box; /* borrowed */
	size_t end;        /* of the bytes that are there */
	size_t seen;       /* no newline up to here */
};

enum inbox_found {
	INBOX_NOTHING, /* no whole line */
	INBOX_LINE,
	INBOX_TOO_LONG, /* the beginning of a line that will be left out */
};

/* Go on with what a process before left there. */
void inbox_attach(struct inbox_view *view, struct inbox *box);

/* Forget everything, and make it all zero. */
void inbox_clear(struct inbox_view *view);

/* Where the next bytes are to be read to, and how many: never none once inbox_next() has told
 * INBOX_NOTHING. */
char *inbox_get_room(struct inbox_view *view, size_t *ret_room);

/* So many bytes have been read there. */
void inbox_add(struct inbox_view *view, size_t count);

/*
 * Look at the first line, without its newline and not terminated.  It stays until inbox_take(); of
 * INBOX_TOO_LONG nothing stays.
 */
enum inbox_found inbox_next(struct inbox_view *view, const char **ret_line, size_t *ret_length);

/* Names the line that inbox_next() has told, also to who comes after us: no other one has that
 * mark, and none has 0. */
uint64_t inbox_get_mark(const struct inbox_view *view);

/* The line of that length, which inbox_next() has just told, is dealt with. */
void inbox_take(struct inbox_view *view, size_t length);

#endif
