/* SPDX-License-Identifier: ISC */
/*
 * confdiff.c: what differs between two stanzas, see config_diff_program() in config.h.  One small
 * equality a type; pure.
 */
#include <string.h>

#include "supervisord/engine/config.h"

static bool equal_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool equal_list(const string_list a, const string_list b)
{
	size_t i = 0;

	/* NULL is the empty list. */
	if (a == b)
		return true;
	if (a == NULL || b == NULL)
		return (a == NULL ? b : a)[0] == NULL;
	while (a[i] != NULL && b[i] != NULL && strcmp(a[i], b[i]) == 0)
		i++;
	return a[i] == b[i];
}

static bool equal_stdio(const struct stdio *a, const struct stdio *b)
{
	return a->kind == b->kind && equal_text(a->target, b->target);
}

static bool equal_exits(const struct exit_set *a, const struct exit_set *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* clang-format off */
#define EQUAL_STRING(a, b)      equal_text(*(a), *(b))
#define EQUAL_PATH(a, b)        equal_text(*(a), *(b))
#define EQUAL_COMMAND(a, b)     equal_list(*(a), *(b))
#define EQUAL_ENVIRONMENT(a, b) equal_list(*(a), *(b))
#define EQUAL_NAMES(a, b)       equal_list(*(a), *(b))
#define EQUAL_BOOL(a, b)        (*(a) == *(b))
#define EQUAL_OCTAL(a, b)       (*(a) == *(b))
#define EQUAL_RESTART(a, b)     (*(a) == *(b))
#define EQUAL_DURATION(a, b)    (*(a) == *(b))
#define EQUAL_SIZE(a, b)        (*(a) == *(b))
#define EQUAL_COUNT(a, b)       (*(a) == *(b))
/* Read from text, never calculated: equal texts are equal numbers. */
#define EQUAL_FACTOR(a, b)      (!(*(a) < *(b)) && !(*(a) > *(b)))
#define EQUAL_SIGNAL(a, b)      (*(a) == *(b))
#define EQUAL_EXITS(a, b)       equal_exits((a), (b))
#define EQUAL_STDIN(a, b)       equal_stdio((a), (b))
#define EQUAL_STDOUT(a, b)      equal_stdio((a), (b))
#define EQUAL_STDERR(a, b)      equal_stdio((a), (b))

#define COMPARE(name, type, def, min, max, class, help) \
	if (!EQUAL_##type(&old_config->key_##name, &new_config->key_##name)) { \
		if (each != NULL) \
			each(context, #name, CHANGE_##class); \
		if (CHANGE_##class > strongest) \
			strongest = CHANGE_##class; \
	}
/* clang-format on */

/* NOLINTNEXTLINE(readability-function-size): one comparison a key, by the X-list */
enum change_class config_diff_program(const struct program_config *old_config,
    const struct program_config *new_config,
    void (*each)(void *context, const char *key, enum change_class change), void *context)
{
	enum change_class strongest = CHANGE_NONE;

	PROGRAM_KEYS(COMPARE)
	return strongest;
}
