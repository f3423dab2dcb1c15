/* SPDX-License-Identifier: ISC */
/*
 * expand.c: see expand.h.  Two passes over the text, one that counts and one that writes, so that
 * the result is one allocation of the right size.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/expand.h"

struct word {
	const char *name;
	size_t offset;
};

#define WORD(name)                                                                                 \
	{                                                                                          \
#name, offsetof(struct expand_words, name)                                         \
	}

static const struct word known[] = {
    WORD(name),
    WORD(program),
    WORD(instance),
    WORD(user),
    WORD(home),
    WORD(run_dir),
    WORD(percent),
};

static const struct word *find_word(const char *text, size_t *ret_length);
static size_t write_expanded(const char *text, const struct expand_words *words, char *ret_text);

int expand_string(const char *text, const struct expand_words *words, char **ret_text)
{
	char *result;

	if (strstr(text, "%{") == NULL) {
		*ret_text = strdup(text);
		return *ret_text != NULL ? 0 : -ENOMEM;
	}
	if (expand_check(text) >= 0)
		return -EINVAL;
	result = malloc(write_expanded(text, words, NULL) + 1);
	if (result == NULL)
		return -ENOMEM;
	result[write_expanded(text, words, result)] = '\0';
	*ret_text = result;
	return 0;
}

int expand_check(const char *text)
{
	size_t length;

	for (const char *at = strstr(text, "%{"); at != NULL; at = strstr(at + length, "%{"))
		if (find_word(at, &length) == NULL)
			return (int)(at - text);
	return -1;
}

/* The word of the %{…} that `text` begins with, and the length of all of it; or NULL. */
static const struct word *find_word(const char *text, size_t *ret_length)
{
	const char *end = strchr(text, '}');

	if (end == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t length = strlen(known[i].name);

		if ((size_t)(end - text) == length + 2 &&
		    memcmp(text + 2, known[i].name, length) == 0) {
			*ret_length = length + 3;
			return &known[i];
		}
	}
	return NULL;
}

/* Without ret_text only counts. */
static size_t write_expanded(const char *text, const struct expand_words *words, char *ret_text)
{
	size_t length = 0, used;

	for (; *text != '\0'; text += used) {
		const struct word *word =
		    text[0] == '%' && text[1] == '{' ? find_word(text, &used) : NULL;
		const char *value = text;
		size_t count = 1;

		if (word == NULL) {
			used = 1;
		} else {
			value = *(
			    const char *const *)(const void *)((const char *)words + word->offset);
			if (value == NULL && word->offset == offsetof(struct expand_words, percent))
				value = "%";
			count = value == NULL ? 0 : strlen(value);
		}
		if (ret_text != NULL && count > 0)
			memcpy(ret_text + length, value, count);
		length += count;
	}
	return length;
}
