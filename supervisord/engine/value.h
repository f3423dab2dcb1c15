/* SPDX-License-Identifier: ISC */
/*
 * value.h: the types of keys.h: read a value from the words of the file, check it, print it, free
 * it.
 *
 * The same functions read what the user wrote and the defaults of keys.h.  All text is ours to
 * interpret: libconfuse hands over strings, so that "" as a number, "010" and an overflow are our
 * decision. Strings of a default are shared by all programs: value_done() takes the default and
 * leaves alone what belongs to it.
 */
#ifndef ENGINE_VALUE_H
#define ENGINE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "supervisord/engine/keytable.h"

/* Bytes for value_allowed(). */
#define VALUE_ALLOWED 256

struct value_input {
	const struct key_row *row;
	const char *const *items; /* one when not a list */
	size_t count;
	bool list;  /* written as {…} */
	bool shell; /* COMMAND: by /bin/sh -c */
};

/*
 * Read a value into the member `ret_value`, zeroed before.  Returns 0; -EINVAL and a text "what is
 * wrong: what is allowed", to be freed; -ENOMEM.
 */
int value_parse(const struct value_input *input, void *ret_value, char **ret_problem);

/* The default of keys.h, into the member `ret_value`, zeroed before; nothing where there is none.
 * 0, or -errno as above: one that is not allowed is a fault of keys.h (the unit test walks over
 * all).
 */
int value_read_default(const struct key_row *row, void *ret_value);

/* Whether values of that type may hold memory of their own. */
bool value_has_memory(const struct key_row *row);

/* Free what a value holds and zero it.  `shared` (may be NULL) is the default it may have been
 * copied from. */
void value_done(const struct key_row *row, void *value, const void *shared);

/* As it could stand in a file; nothing for an unset one. */
void value_write(const struct key_row *row, const void *value, FILE *file);

/* What the row takes: "a duration from 0s to 1h, such as 500ms, 10s or 1min30s".  Returns `buffer`.
 */
const char *value_allowed(const struct key_row *row, char buffer[VALUE_ALLOWED]);

/* Is this a name that a program may have; NULL or the rule it breaks. */
const char *value_check_name(const char *name);

/* The same of a name that a program or one of its instances ("web@3") may have. */
const char *value_check_instance(const char *name);

#endif
