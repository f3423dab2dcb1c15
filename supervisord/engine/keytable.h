/* SPDX-License-Identifier: ISC */
/*
 * keytable.h: the rows of keys.h as a table to walk over.
 *
 * Everything that treats all keys alike (parse, value, the load, the manual's generator) uses these
 * rows; only code about one key uses the members of struct program_config.  The keys of a program
 * are one table, in which each row says in which of the two structs its member is.
 */
#ifndef ENGINE_KEYTABLE_H
#define ENGINE_KEYTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/config.h"

/* clang-format off */
/* X(TYPE, takes a list) */
#define KEY_TYPES(X) \
	X(STRING, false) X(PATH, false) X(COMMAND, true) X(BOOL, false) X(OCTAL, false) \
	X(ENVIRONMENT, true) X(NAMES, true) X(PATTERNS, true) X(RESTART, false) X(EXITS, true) \
	X(DURATION, false) X(SIZE, false) X(COUNT, false) X(FACTOR, false) X(SIGNAL, false) \
	X(STDIN, false) X(STDOUT, true) X(STDERR, true) X(LEVEL, false) \
	X(TYPE, false) X(BOOT, false) X(KILL_MODE, false) X(DEPENDS, true) X(READY, true) \
	X(PERCENT, false) X(ON_FAILURE, true) X(STEPS, true) X(HEALTH_ACTION, false) \
	X(LOG_ROTATE, false) X(LOG_COMPRESS, false) X(LOG_FORMAT, false) X(LOG_FULL, false) \
	X(FACILITY, false) X(INHERIT, false) X(LOG_FILTER, true) X(ALLOW, true) \
	X(INSTANCES, false) X(SOCKETS, true) X(SOCKET_AS, false) X(LISTEN, true) \
	X(START, false) X(CLUSTER, false) X(UPDATE, false) X(EVENTS, true)

/* Of a stanza group; its member is in struct group_config.  Columns as in keys.h. */
#define GROUP_KEYS(KEY) \
	KEY(members, NAMES, NULL, 0, LIMIT_LIST, LIVE, \
	    "The programs and other groups that the group consists of. Required.")

#define KEY_TYPE_ENUM(type, list) KEY_##type,
enum key_type { KEY_TYPES(KEY_TYPE_ENUM) KEY_TYPE_COUNT };
#undef KEY_TYPE_ENUM

#define KEY_INDEX(name, type, def, min, max, change, help) PROGRAM_##name,
enum program_key { PROGRAM_KEYS(KEY_INDEX) LIFE_KEYS(KEY_INDEX) LOG_KEYS(KEY_INDEX) PROGRAM_KEY_COUNT };
#undef KEY_INDEX
#define KEY_INDEX(name, type, def, min, max, change, help) GROUP_##name,
enum group_key { GROUP_KEYS(KEY_INDEX) GROUP_KEY_COUNT };
#undef KEY_INDEX
#define KEY_INDEX(name, type, def, min, max, change, help) SOCKET_##name,
enum socket_key { SOCKET_KEYS(KEY_INDEX) SOCKET_KEY_COUNT };
#undef KEY_INDEX
#define KEY_INDEX(name, type, def, min, max, change, help) SETTING_##name,
enum setting_key { SETTING_KEYS(KEY_INDEX) SETTING_KEY_COUNT };
#undef KEY_INDEX
/* clang-format on */

/* The struct that has the member. */
enum key_part {
	PART_PROGRAM, /* program_config */
	PART_LIFE,    /* life_config */
	PART_GROUP,   /* group_config */
	PART_SOCKET,  /* socket_config */
	PART_SETTINGS,
};

struct key_row {
	const char *name;
	const char *def; /* NULL: unset */
	const char *help;
	int64_t minimum;
	int64_t maximum;
	enum key_type type;
	enum change_class change;
	enum key_part part;
	size_t offset; /* of the member in its struct */
	size_t size;
};

/* Indexed by enum program_key, enum group_key, enum socket_key and enum setting_key. */
extern const struct key_row program_rows[PROGRAM_KEY_COUNT];
extern const struct key_row group_rows[GROUP_KEY_COUNT];
extern const struct key_row socket_rows[SOCKET_KEY_COUNT];
extern const struct key_row setting_rows[SETTING_KEY_COUNT];

/* The index of the row of this name, or -1. */
int keytable_find(const struct key_row *rows, size_t count, const char *name);

/* The section of a program that holds the rows whose names begin with health_; and the one of the
 * file with those of the settings that begin with control_. */
#define KEYTABLE_HEALTH  "health"
#define KEYTABLE_CONTROL "control"

/* Is the row written in that section? */
bool keytable_is_health(const struct key_row *row);
bool keytable_is_control(const struct key_row *row);

/* As it is written: its name, in the section without the prefix. */
const char *keytable_word(const struct key_row *row);

/* The index of the row of program_rows that is written as `word` in the section, or -1. */
int keytable_find_health(const char *word);

/* The index of the row of setting_rows that is written as `word` in the section control, or, that
 * not, at the top level; or -1. */
int keytable_find_setting(const char *word, bool in_control);
/* Its place in next_marks (config.h); -1: it has none, being of another class, or about a start of
 * the daemon and not a run (autostart, boot). */
int keytable_mark(enum program_key key);

/* The keys whose marks differ, by label, into `keys`; returns how many. */
#define KEYTABLE_MARKS 4
size_t keytable_compare_marks(uint64_t launched, uint64_t now, const char *keys[KEYTABLE_MARKS]);

/* For messages: "command", "health.check".  Returns `buffer` or the name. */
#define KEYTABLE_LABEL 64
const char *keytable_label(const struct key_row *row, char buffer[KEYTABLE_LABEL]);

#endif
