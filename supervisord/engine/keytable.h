/* SPDX-License-Identifier: ISC */
/*
 * keytable.h: the rows of keys.h as a table to walk over.
 *
 * Everything that treats all keys alike (parse, value, the load, the manual's generator) uses these
 * rows; only code about one key uses the members of struct program_config.
 */
#ifndef ENGINE_KEYTABLE_H
#define ENGINE_KEYTABLE_H

#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/config.h"

/* clang-format off */
/* X(TYPE, takes a list) */
#define KEY_TYPES(X) \
	X(STRING, false) X(PATH, false) X(COMMAND, true) X(BOOL, false) X(OCTAL, false) \
	X(ENVIRONMENT, true) X(NAMES, true) X(PATTERNS, true) X(RESTART, false) X(EXITS, true) \
	X(DURATION, false) X(SIZE, false) X(COUNT, false) X(FACTOR, false) X(SIGNAL, false) \
	X(STDIN, false) X(STDOUT, false) X(STDERR, false) X(LEVEL, false)

#define KEY_TYPE_ENUM(type, list) KEY_##type,
enum key_type { KEY_TYPES(KEY_TYPE_ENUM) KEY_TYPE_COUNT };
#undef KEY_TYPE_ENUM

#define KEY_INDEX(name, type, def, min, max, change, help) PROGRAM_##name,
enum program_key { PROGRAM_KEYS(KEY_INDEX) PROGRAM_KEY_COUNT };
#undef KEY_INDEX
#define KEY_INDEX(name, type, def, min, max, change, help) SETTING_##name,
enum setting_key { SETTING_KEYS(KEY_INDEX) SETTING_KEY_COUNT };
#undef KEY_INDEX
/* clang-format on */

struct key_row {
	const char *name;
	const char *def; /* NULL: unset */
	const char *help;
	int64_t minimum;
	int64_t maximum;
	enum key_type type;
	enum change_class change;
	size_t offset; /* of the member in its struct */
	size_t size;
};

/* Indexed by enum program_key and enum setting_key. */
extern const struct key_row program_rows[PROGRAM_KEY_COUNT];
extern const struct key_row setting_rows[SETTING_KEY_COUNT];

/* The index of the row of this name, or -1. */
int keytable_find(const struct key_row *rows, size_t count, const char *name);

#endif
