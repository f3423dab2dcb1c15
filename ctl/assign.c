/* SPDX-License-Identifier: ISC */
/* assign.c: see assign.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/assign.h"
#include "ctl/verbs.h"

static bool is_assignment(struct ctl *ctl, const char *word);
static size_t key_length(const char *word);
static bool is_same_key(const char *a, const char *b);
static bool is_repeated(char *const *words, size_t count, size_t at);
static bool was_before(char *const *words, size_t at);
static void write_repeated(char *const *words, size_t count, size_t at, struct jsonw *w);
static bool is_list(const char *value);
static bool write_list(struct ctl *ctl, const char *word, const char *value, struct jsonw *w);
static const char *take_item(const char *at, char *item);

bool assign_write(struct ctl *ctl, char *const *words, size_t count, struct jsonw *w)
{
	bool good = true;

	jsonw_begin_array(w);
	for (size_t i = 0; i < count && good; i++) {
		const char *value;

		good = is_assignment(ctl, words[i]);
		if (!good || was_before(words, i))
			continue;
		value = words[i] + key_length(words[i]) + 1;
		jsonw_begin_object(w);
		jsonw_key(w, "key");
		jsonw_string_n(w, words[i], key_length(words[i]));
		if (is_repeated(words, count, i))
			write_repeated(words, count, i, w);
		else if (is_list(value))
			good = write_list(ctl, words[i], value, w);
		else
			jsonw_member_string(w, "value", value);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
	return good;
}

static bool is_assignment(struct ctl *ctl, const char *word)
{
	size_t length = key_length(word);

	if (length > 0 && word[length] == '=')
		return true;
	ctl_complain(
	    ctl, "%s: %s: KEY=VALUE is needed, such as max_runtime=5min", ctl->verb->name, word);
	return false;
}

static size_t key_length(const char *word)
{
	return strcspn(word, "=");
}

static bool is_same_key(const char *a, const char *b)
{
	return key_length(a) == key_length(b) && strncmp(a, b, key_length(a)) == 0;
}

static bool is_repeated(char *const *words, size_t count, size_t at)
{
	for (size_t i = at + 1; i < count; i++)
		if (is_same_key(words[i], words[at]))
			return true;
	return false;
}

static bool was_before(char *const *words, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (is_same_key(words[i], words[at]))
			return true;
	return false;
}

static void write_repeated(char *const *words, size_t count, size_t at, struct jsonw *w)
{
	jsonw_key(w, "list");
	jsonw_begin_array(w);
	for (size_t i = at; i < count; i++)
		if (is_same_key(words[i], words[at]))
			jsonw_string(w, words[i] + key_length(words[i]) + 1);
	jsonw_end_array(w);
}

static bool is_list(const char *value)
{
	size_t length = strlen(value);

	return length >= 2 && value[0] == '{' && value[length - 1] == '}';
}

static bool write_list(struct ctl *ctl, const char *word, const char *value, struct jsonw *w)
{
	char *item = malloc(strlen(value) + 1);
	const char *at = value + 1;

	if (item == NULL) {
		ctl_complain(ctl, "%s: %s", word, strerror(ENOMEM));
		return false;
	}
	jsonw_key(w, "list");
	jsonw_begin_array(w);
	for (at += strspn(at, " \t\n"); at != NULL && *at != '}';) {
		at = take_item(at, item);
		if (at != NULL)
			jsonw_string(w, item);
		if (at != NULL && *at == ',')
			at += 1 + strspn(at + 1, " \t\n");
		else if (at != NULL && *at != '}')
			at = NULL;
	}
	jsonw_end_array(w);
	free(item);
	if (at != NULL && at[1] == '\0')
		return true;
	ctl_complain(ctl,
	    "%s: a list is {\"one\", \"two\"}: items that have blanks, commas, quotes or braces in "
	    "them stand in quotes",
	    word);
	return false;
}

/* To what stands behind it and the blanks there; NULL: it is none. */
static const char *take_item(const char *at, char *item)
{
	char quote = *at == '"' || *at == '\'' ? *at++ : '\0';
	size_t length = 0;

	if (quote == '\0') {
		length = strcspn(at, " \t\n,{}\"'\\");
		if (length == 0)
			return NULL;
		memcpy(item, at, length);
		at += length;
	}
	while (quote != '\0' && *at != quote) {
		if (quote == '"' && *at == '\\')
			at++;
		if (*at == '\0')
			return NULL;
		item[length++] = *at++;
	}
	item[length] = '\0';
	at += quote != '\0';
	return at + strspn(at, " \t\n");
}
