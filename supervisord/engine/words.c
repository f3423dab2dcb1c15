/* SPDX-License-Identifier: ISC */
/*
 * words.c: see words.h.  A word never grows when its quotes are taken off, so all words fit into as
 * many bytes as the text has, each with its NUL in place of the blank or quote after it.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/words.h"

struct splitter {
	const char *at;
	char *out; /* NULL: only checks */
	const char *problem;
};

static int take_word(struct splitter *splitter);
static int take_quoted(struct splitter *splitter, char quote);
static void put(struct splitter *splitter, char c);
static int count_words(const char *text, size_t limit, size_t *ret_count, const char **ret_problem);
static bool is_blank(char c);

int words_split(const char *text, size_t limit, char ***ret_words, const char **ret_problem)
{
	struct splitter splitter = {.at = text};
	size_t count;
	char **words;
	int error;

	error = count_words(text, limit, &count, ret_problem);
	if (error < 0)
		return error;
	words = malloc((count + 1) * sizeof(*words) + strlen(text) + 1);
	if (words == NULL)
		return -ENOMEM;
	splitter.out = (char *)(words + count + 1);
	for (size_t i = 0; i < count; i++) {
		while (is_blank(*splitter.at))
			splitter.at++;
		words[i] = splitter.out;
		take_word(&splitter);
		put(&splitter, '\0');
	}
	words[count] = NULL;
	*ret_words = words;
	return 0;
}

char **words_copy(const char *const *words, size_t count)
{
	size_t bytes = 0;
	char **copy, *at;

	for (size_t i = 0; i < count; i++)
		bytes += strlen(words[i]) + 1;
	copy = malloc((count + 1) * sizeof(*copy) + bytes);
	if (copy == NULL)
		return NULL;
	at = (char *)(copy + count + 1);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(words[i]) + 1;

		copy[i] = memcpy(at, words[i], length);
		at += length;
	}
	copy[count] = NULL;
	return copy;
}

static int count_words(const char *text, size_t limit, size_t *ret_count, const char **ret_problem)
{
	struct splitter splitter = {.at = text};
	size_t count = 0;

	for (;;) {
		int error;

		while (is_blank(*splitter.at))
			splitter.at++;
		if (*splitter.at == '\0')
			break;
		error = take_word(&splitter);
		if (error < 0) {
			*ret_problem = splitter.problem;
			return error;
		}
		if (++count > limit)
			return -E2BIG;
	}
	*ret_count = count;
	return 0;
}

static int take_word(struct splitter *splitter)
{
	int error = 0;

	while (error == 0 && *splitter->at != '\0' && !is_blank(*splitter->at)) {
		char c = *splitter->at++;

		if (c == '\'' || c == '"') {
			error = take_quoted(splitter, c);
		} else if (c == '\\' && *splitter->at == '\0') {
			splitter->problem = "a backslash at the end";
			error = -EINVAL;
		} else {
			put(splitter, c == '\\' ? *splitter->at++ : c);
		}
	}
	return error;
}

static int take_quoted(struct splitter *splitter, char quote)
{
	while (*splitter->at != quote) {
		char c = *splitter->at;

		if (c == '\0') {
			splitter->problem =
			    quote == '"' ? "a \" that is not closed" : "a ' that is not closed";
			return -EINVAL;
		}
		splitter->at++;
		if (quote == '"' && c == '\\' && *splitter->at != '\0' &&
		    strchr("\"\\$`", *splitter->at) != NULL)
			c = *splitter->at++;
		put(splitter, c);
	}
	splitter->at++;
	return 0;
}

static void put(struct splitter *splitter, char c)
{
	if (splitter->out != NULL)
		*splitter->out++ = c;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
