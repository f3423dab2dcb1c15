/* SPDX-License-Identifier: ISC */
/* probecheck.c: see probecheck.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/probecheck.h"

static int copy_words(const string_list words, string_list *ret_words);
static void free_words(string_list words);
static bool are_same_words(const string_list one, const string_list other);

int probecheck_copy(const struct check *check, struct check *ret_check)
{
	struct check copy = {.kind = check->kind, .fd = check->fd};

	if (check->target != NULL) {
		copy.target = strdup(check->target);
		if (copy.target == NULL)
			return -ENOMEM;
	}
	if (check->words != NULL && copy_words(check->words, &copy.words) < 0) {
		probecheck_done(&copy);
		return -ENOMEM;
	}
	*ret_check = copy;
	return 0;
}

void probecheck_done(struct check *check)
{
	free(check->target);
	free_words(check->words);
	*check = (struct check){.kind = CHECK_NONE};
}

bool probecheck_is_same(const struct check *one, const struct check *other)
{
	if (one->kind != other->kind || one->fd != other->fd ||
	    (one->target == NULL) != (other->target == NULL) ||
	    (one->words == NULL) != (other->words == NULL))
		return false;
	if (one->target != NULL && strcmp(one->target, other->target) != 0)
		return false;
	return one->words == NULL || are_same_words(one->words, other->words);
}

static int copy_words(const string_list words, string_list *ret_words)
{
	string_list copy;
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	if (copy == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		copy[i] = strdup(words[i]);
		if (copy[i] == NULL) {
			free_words(copy);
			return -ENOMEM;
		}
	}
	*ret_words = copy;
	return 0;
}

static void free_words(string_list words)
{
	for (char **word = words; word != NULL && *word != NULL; word++)
		free(*word);
	free(words);
}

static bool are_same_words(const string_list one, const string_list other)
{
	size_t i = 0;

	while (one[i] != NULL && other[i] != NULL && strcmp(one[i], other[i]) == 0)
		i++;
	return one[i] == NULL && other[i] == NULL;
}
