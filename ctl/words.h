/* SPDX-License-Identifier: ISC */
/* words.h: a line that somebody typed as words, the way sh(1) quotes; nothing else means anything.
 */
#ifndef CTL_WORDS_H
#define CTL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct words {
	char **list;
	size_t count;
	bool open;  /* a quote is not closed */
	bool blank; /* the line ends between words: the next one has not begun */
	char *text; /* of all words */
};

/* 0 or -ENOMEM; words_done() is due in both cases. */
int words_split(const char *line, size_t length, struct words *ret_words);
void words_done(struct words *words);

#endif
