/* SPDX-License-Identifier: ISC */
/* words.c: see words.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/words.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One word from `at` on, without its quotes, to `to`.  Returns where it ends. */
static const char *take_word(const char *at, const char *end, char **to, bool *ret_open)
{
	char quote = '\0';

	for (; at < end && (quote != '\0' || !is_blank(*at)); at++) {
		if (quote == '\0' && (*at == '\'' || *at == '"')) {
			quote = *at;
		} else if (*at == quote && quote != '\0') {
			quote = '\0';
		} else if (*at == '\\' && at + 1 < end &&
			   (quote == '\0' || (quote == '"' && (at[1] == '"' || at[1] == '\\')))) {
			*(*to)++ = *++at;
		} else {
			*(*to)++ = *at;
		}
	}
	*(*to)++ = '\0';
	*ret_open = quote != '\0';
	return at;
}

int words_split(const char *line, size_t length, struct words *ret_words)
{
	const char *at = line, *end = line + length;
	char *to;

	/* No word is longer than what it was written as, with one byte between two. */
	*ret_words = (struct words){.blank = true};
	ret_words->text = malloc(2 * length + 2);
	ret_words->list = calloc(length / 2 + 2, sizeof(*ret_words->list));
	if (ret_words->text == NULL || ret_words->list == NULL)
		return -ENOMEM;
	to = ret_words->text;
	for (;;) {
		while (at < end && is_blank(*at))
			at++;
		ret_words->blank = at == line || is_blank(at[-1]);
		if (at == end)
			return 0;
		ret_words->list[ret_words->count++] = to;
		at = take_word(at, end, &to, &ret_words->open);
		ret_words->blank = false;
		if (at == end)
			return 0;
	}
}

void words_done(struct words *words)
{
	free(words->list);
	free(words->text);
	*words = (struct words){0};
}
