/* SPDX-License-Identifier: ISC */
/*
 * out.h: text for a person, gathered and written in one go.
 *
 * What comes from elsewhere (names, reasons) goes through out_text(), which shows control
 * characters as \xNN: nothing that a program is called or says can move the cursor or forge a line.
 */
#ifndef CTL_OUT_H
#define CTL_OUT_H

#include <stdbool.h>
#include <stddef.h>

struct out {
	int fd; /* -1: what is gathered stays in `data`, out_flush() leaves it there */
	char *data;
	size_t length;
	size_t size;
	int error; /* 0 or -errno: the first one */
	bool tty;
	bool colour;
	bool utf8;      /* the locale's characters: lines may be drawn */
	bool silent;    /* nothing is kept or written */
	unsigned width; /* columns of the terminal, 0: no terminal, nothing is cut */
};

enum out_style {
	OUT_PLAIN,
	OUT_BOLD,
	OUT_DIM,
	OUT_GREEN,
	OUT_YELLOW,
	OUT_RED,
	OUT_BLUE,
	OUT_MAGENTA,
	OUT_CYAN
};

/* Looks at the terminal and at NO_COLOR and TERM. */
void out_init(struct out *out, int fd);
void out_done(struct out *out);

/* Bytes as they are. */
void out_bytes(struct out *out, const char *bytes, size_t length);
void out_string(struct out *out, const char *text);
void out_format(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void out_pad(struct out *out, size_t spaces);
/* Text from elsewhere, at most `columns` wide (0: all of it), cut with "...". */
void out_text(struct out *out, const char *text, size_t columns);
/* Nothing without colour. */
void out_style(struct out *out, enum out_style style);

/* End the line that began when out->length was `start`.  What does not fit on the terminal goes on,
 * `indent` columns from the left, where a word begins. */
void out_end_line(struct out *out, size_t start, size_t indent);

/* The columns out_text() takes for all of `text`: one a character. */
size_t out_measure(const char *text);

/* Write all that was gathered.  Returns 0 or -errno: of now or of before. */
int out_flush(struct out *out);

#endif
