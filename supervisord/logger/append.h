/* SPDX-License-Identifier: ISC */
/*
 * append.h: whole lines at the end of a stream's log file, with rotation between them.
 *
 * For lines that the logger has made itself; what is moved by splice(2) is stream.h's.  A line is
 * in the file whole or not at all: what a full disk or a kill has cut is taken back.
 */
#ifndef LOGGER_APPEND_H
#define LOGGER_APPEND_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisord/logger/stream.h"

/*
 * Append `bytes`, which are whole lines.  Borrows all.  take_back: a line at the end of the file
 * that is not whole is one that a killed logger was writing, and what it was made of is still in
 * the pipe; any other open line is ended.  Returns 0, or -errno when the file takes no more; in
 * both cases *ret_taken is how many bytes are in it, a number of whole lines.
 */
int append_lines(struct stream *stream, struct stream_world *world, bool take_back,
    const char *bytes, size_t length, size_t *ret_taken);

#endif
