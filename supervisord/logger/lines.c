/* SPDX-License-Identifier: ISC */
/* lines.c: see lines.h. */
#include <string.h>

#include "supervisord/logger/lines.h"

/* Bytes of the longest UTF-8 sequence. */
#define SEQUENCE_MAX 4

static size_t cut(const char *text, size_t length);

void lines_init(struct lines *lines, const char *bytes, size_t length, size_t max, bool flush)
{
	*lines = (struct lines){.at = bytes, .end = bytes + length, .max = max, .flush = flush};
}

bool lines_next(struct lines *lines, struct line *ret_line)
{
	size_t left = (size_t)(lines->end - lines->at);
	/* The newline of a line that is exactly as long as allowed is the next byte. */
	size_t seen = left > lines->max ? lines->max + 1 : left;
	const char *text = lines->at;
	const char *newline = seen > 0 ? memchr(text, '\n', seen) : NULL;
	size_t length;

	if (newline != NULL) {
		*ret_line = (struct line){.text = text, .length = (size_t)(newline - text)};
		lines->at = newline + 1;
		return true;
	}
	if (left > lines->max)
		length = cut(text, lines->max);
	else if (lines->flush && left > 0)
		length = left;
	else
		return false;
	*ret_line = (struct line){.text = text, .length = length, .is_continued = true};
	lines->at = text + length;
	return true;
}

/* At most `length`, and before the sequence that would be cut in two. */
static size_t cut(const char *text, size_t length)
{
	for (size_t back = 0; back < SEQUENCE_MAX && back < length; back++) {
		unsigned char byte = (unsigned char)text[length - back];

		if ((byte & 0xc0) != 0x80)
			return back > 0 && byte < 0xc0 ? length : length - back;
	}
	return length; /* no sequence is that long */
}
