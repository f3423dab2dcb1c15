/* SPDX-License-Identifier: ISC */
/*
 * overridetext.h: the text of one section override "NAME" { … } as superctl set and --persist write
 * it: read, changed, and written anew.  Pure.
 *
 * Values are strings here, as the file says them once quotes and escapes are taken off; what they
 * mean, and whether they are allowed, the load says (value.h).
 */
#ifndef ENGINE_OVERRIDETEXT_H
#define ENGINE_OVERRIDETEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "supervisord/engine/keytable.h"

struct config_source;

struct overridetext_item {
	enum program_key key;
	bool list; /* written as {…} */
	size_t count;
	char **values; /* words_copy() */
};

struct overridetext {
	const char *program; /* borrowed */
	size_t count;
	struct overridetext_item items[PROGRAM_KEY_COUNT]; /* in the order of the keys */
};

/*
 * The source that says nothing but override "PROGRAM" { … } of text->program, or nothing at all.
 * 0, -EBADMSG: it is no such text, -ENOMEM.  overridetext_done() in each case; the rest of *text is
 * empty before.
 */
int overridetext_read(const struct config_source *source, struct overridetext *text);
void overridetext_done(struct overridetext *text);

/* Another value, in place of one that the key had.  0 or -ENOMEM. */
int overridetext_set(struct overridetext *text, enum program_key key, bool list,
    const char *const *values, size_t count);

/* False: the key was not there. */
bool overridetext_unset(struct overridetext *text, enum program_key key);

/* The whole text behind `head`, to be freed; as the stanza program it is one of superctl run.  0 or
 * -ENOMEM. */
int overridetext_write(const struct overridetext *text, const char *head, char **ret_text);
int overridetext_write_program(const struct overridetext *text, char **ret_text);

/* "key = value" of an item, as a section has it. */
void overridetext_write_item(const struct overridetext_item *item, FILE *file);

/* The key of a program that messages call so ("command", "health.check"), or -1. */
int overridetext_find_key(const char *label);

#endif
