/* SPDX-License-Identifier: ISC */
/*
 * ttyframe.h: what a client that is attached to a terminal and the relay say to each other, once
 * the call of Attach or Watch has been answered (see lib/io.superctl.varlink, which describes it
 * for other clients).
 *
 * A frame is a letter, the length of what follows in two bytes, the higher one first, and that:
 *
 *   client  w  4 bytes    rows, columns (two bytes each): the size of its window, 0: it has none.
 *                         The first frame, and whenever it changes.  Nothing is sent before it.
 *           i  bytes      typed
 *           e  nothing    there will be no more: the connection is closed when all is passed on
 *   relay   o  bytes      output
 *           n  text       what has happened to the program
 *           g  8 bytes    so many bytes of output are left out here: the client was too slow
 *
 * Pure but for the buffer.
 */
#ifndef LIB_TTYFRAME_H
#define LIB_TTYFRAME_H

#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"

#define TTYFRAME_HEAD 3

enum ttyframe_type {
	TTYFRAME_WINDOW = 'w',
	TTYFRAME_INPUT = 'i',
	TTYFRAME_END = 'e',
	TTYFRAME_OUTPUT = 'o',
	TTYFRAME_NEWS = 'n',
	TTYFRAME_GAP = 'g',
};

/* One that is received, or sent: `length` bytes of it are there, `done` are dealt with. */
struct ttyframe {
	unsigned char bytes[TTYFRAME_HEAD + LIMIT_TTY_FRAME];
	size_t length;
	size_t done;
};

/* Make it one that is to be sent.  `length` is at most LIMIT_TTY_FRAME. */
void ttyframe_set(
    struct ttyframe *frame, enum ttyframe_type type, const void *payload, size_t length);
void ttyframe_set_window(struct ttyframe *frame, unsigned rows, unsigned columns);
void ttyframe_set_gap(struct ttyframe *frame, uint64_t count);

/* How many more bytes a frame that is being received needs now: to be received behind `length`.
 * 0: it is complete; -EPROTO: it is longer than any. */
int ttyframe_missing(const struct ttyframe *frame);

/* Of a complete one. */
enum ttyframe_type ttyframe_type(const struct ttyframe *frame);
const unsigned char *ttyframe_payload(const struct ttyframe *frame, size_t *ret_length);

/* Numbers in a payload: `size` bytes, the highest one first. */
uint64_t ttyframe_number(const unsigned char *bytes, size_t size);

#endif
