/* SPDX-License-Identifier: ISC */
/*
 * conflex.h: the tokens of a configuration file, for confguard.c alone.
 *
 * Works in place: a comment is overwritten with blanks, line ends stay, all else is left.  A
 * lexical error is reported here and becomes TOKEN_BAD; the caller decides where to go on.
 */
#ifndef ENGINE_CONFLEX_H
#define ENGINE_CONFLEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/confreport.h"

enum conflex_token {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_EQUAL,
	TOKEN_COMMA,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_BAD,
};

struct conflex {
	const char *file;
	char *text; /* NUL after `length` bytes */
	uint32_t length;
	uint32_t at;
	int at_line;
	struct confreport *report;
	unsigned error_count;
	bool quiet; /* errors are counted, not reported */

	enum conflex_token token;
	uint32_t begin; /* of the token */
	uint32_t end;
	int line;
	uint32_t last_end; /* of the token before */
	int last_line;
	int long_string; /* the line where the string before the token began, when it spans lines;
			    else 0 */
};

/* False, and one error, for bytes that have no place in a text: the file is then not to be scanned.
 */
bool conflex_check_bytes(
    const char *file, const char *text, size_t length, struct confreport *report);

/* Borrows all.  `text` has a NUL after its `length` bytes and none in them. */
void conflex_init(
    struct conflex *lex, const char *file, char *text, size_t length, struct confreport *report);

void conflex_next(struct conflex *lex);

/* Read on from a token that was seen before. */
void conflex_rewind(struct conflex *lex, uint32_t begin, int line);

/* The token in words, for "X instead of Y". */
void conflex_describe(const struct conflex *lex, char buffer[CONFREPORT_QUOTE + 8]);

/* Report; returns -EBADMSG. */
int conflex_error(struct conflex *lex, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
