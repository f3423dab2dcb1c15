/* SPDX-License-Identifier: ISC */
/*
 * parse.h: the text of one file into stanzas of strings, by libconfuse behind the guard.
 *
 * Says which keys there are, that each is known and stands once, and that a list is one where the
 * row wants none; knows nothing of values.
 */
#ifndef ENGINE_PARSE_H
#define ENGINE_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisord/engine/confreport.h"
#include "supervisord/engine/keytable.h"

/* The keys of STANZA_CONTROL are settings, too. */
enum stanza_kind {
	STANZA_SETTING,
	STANZA_CONTROL,
	STANZA_DEFAULTS,
	STANZA_PROGRAM,
	STANZA_ON_EVENT, /* a program, too */
	STANZA_GROUP,
	STANZA_SOCKET,
	STANZA_OVERRIDE, /* other values for a program */
};

struct stanza_entry {
	size_t key; /* index into parse_rows(): enum setting_key, program_key, group_key or
		       socket_key */
	int line;
	bool list;
	size_t count;
	const char **items;
};

struct stanza {
	enum stanza_kind kind;
	int line;
	size_t begin; /* its bytes in the text, up to `end` */
	size_t end;
	const char *title; /* of a program, group, socket or override */
	bool spoiled;      /* it had more keys, which were refused */
	size_t count;      /* of a setting: 1 */
	const struct stanza_entry *entries;
};

struct parse_result {
	bool complete; /* false: there were stanzas that could not be given */
};

/* The table of the keys of a kind of stanza. */
const struct key_row *parse_rows(enum stanza_kind kind, size_t *ret_count);

/*
 * Parse the text of `file` and give each stanza to `each` in their order; what it gets it only
 * borrows. Errors go to the report.  Returns 0, -ENOMEM, or what `each` returned when that was not
 * 0. Not re-entrant: libconfuse is not.
 */
int parse_text(const char *file, const char *text, size_t length, struct confreport *report,
    int (*each)(void *context, const struct stanza *stanza), void *context,
    struct parse_result *ret_result);

#endif
