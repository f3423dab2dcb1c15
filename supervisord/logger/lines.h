/* SPDX-License-Identifier: ISC */
/*
 * lines.h: bytes of a pipe into lines.  Pure; keeps nothing between two chunks: what has no newline
 * yet stays where it is (in the pipe) and comes again with the next chunk.
 */
#ifndef LOGGER_LINES_H
#define LOGGER_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct lines {
	const char *at; /* the first byte that was not given */
	const char *end;
	size_t max; /* bytes of a line without its newline; longer ones are given in parts; > 4 */
	bool flush; /* give what has no newline, too */
};

struct line {
	const char *text;
	size_t length;     /* without the newline */
	bool is_continued; /* no newline: more of this line may follow */
};

void lines_init(struct lines *lines, const char *bytes, size_t length, size_t max, bool flush);

/*
 * The next line or part.  false: what is left, if anything, is an unfinished line of at most `max`
 * bytes.  A part does not end within a UTF-8 sequence.
 */
bool lines_next(struct lines *lines, struct line *ret_line);

#endif
