/* SPDX-License-Identifier: ISC */
/*
 * keytable.c: see keytable.h.
 */
#include <stdio.h>
#include <string.h>

#include "supervisord/engine/keytable.h"

#define HEALTH_PREFIX  KEYTABLE_HEALTH "_"
#define CONTROL_PREFIX KEYTABLE_CONTROL "_"

/* clang-format off */
#define ROW(owner, in, key, member, t, d, min, max, c, h) { \
	.name = #key, .def = d, .help = h, .minimum = min, .maximum = max, .type = KEY_##t, \
	.change = CHANGE_##c, .part = PART_##in, .offset = offsetof(struct owner, member), \
	.size = sizeof(((struct owner *)0)->member)},
#define PROGRAM_ROW(name, type, def, min, max, change, help) \
	ROW(program_config, PROGRAM, name, key_##name, type, def, min, max, change, help)
#define LIFE_ROW(name, type, def, min, max, change, help) \
	ROW(life_config, LIFE, name, key_##name, type, def, min, max, change, help)
#define GROUP_ROW(name, type, def, min, max, change, help) \
	ROW(group_config, GROUP, name, name, type, def, min, max, change, help)
#define SOCKET_ROW(name, type, def, min, max, change, help) \
	ROW(socket_config, SOCKET, name, key_##name, type, def, min, max, change, help)
#define SETTING_ROW(name, type, def, min, max, change, help) \
	ROW(settings, SETTINGS, name, key_##name, type, def, min, max, change, help)

const struct key_row program_rows[PROGRAM_KEY_COUNT] = {
	PROGRAM_KEYS(PROGRAM_ROW) LIFE_KEYS(LIFE_ROW) LOG_KEYS(LIFE_ROW) };
const struct key_row group_rows[GROUP_KEY_COUNT] = { GROUP_KEYS(GROUP_ROW) };
const struct key_row socket_rows[SOCKET_KEY_COUNT] = { SOCKET_KEYS(SOCKET_ROW) };
const struct key_row setting_rows[SETTING_KEY_COUNT] = { SETTING_KEYS(SETTING_ROW) };
/* clang-format on */

int keytable_find(const struct key_row *rows, size_t count, const char *name)
{
	/* A load asks this for each key of each stanza: most names differ in their first byte. */
	for (size_t i = 0; i < count; i++)
		if (rows[i].name[0] == name[0] && strcmp(rows[i].name, name) == 0)
			return (int)i;
	return -1;
}

bool keytable_is_health(const struct key_row *row)
{
	return row->part == PART_LIFE &&
	       strncmp(row->name, HEALTH_PREFIX, strlen(HEALTH_PREFIX)) == 0;
}

bool keytable_is_control(const struct key_row *row)
{
	return row->part == PART_SETTINGS &&
	       strncmp(row->name, CONTROL_PREFIX, strlen(CONTROL_PREFIX)) == 0;
}

const char *keytable_word(const struct key_row *row)
{
	if (keytable_is_control(row))
		return row->name + strlen(CONTROL_PREFIX);
	return keytable_is_health(row) ? row->name + strlen(HEALTH_PREFIX) : row->name;
}

int keytable_find_health(const char *word)
{
	for (size_t i = 0; i < PROGRAM_KEY_COUNT; i++)
		if (keytable_is_health(&program_rows[i]) &&
		    strcmp(keytable_word(&program_rows[i]), word) == 0)
			return (int)i;
	return -1;
}

int keytable_find_setting(const char *word, bool in_control)
{
	for (size_t i = 0; i < SETTING_KEY_COUNT; i++)
		if (keytable_is_control(&setting_rows[i]) == in_control &&
		    strcmp(keytable_word(&setting_rows[i]), word) == 0)
			return (int)i;
	return -1;
}

const char *keytable_label(const struct key_row *row, char buffer[KEYTABLE_LABEL])
{
	if (!keytable_is_health(row) && !keytable_is_control(row))
		return row->name;
	snprintf(buffer, KEYTABLE_LABEL, "%s.%s",
	    keytable_is_health(row) ? KEYTABLE_HEALTH : KEYTABLE_CONTROL, keytable_word(row));
	return buffer;
}

int keytable_mark(enum program_key key)
{
	static const enum program_key marked[KEYTABLE_MARKS] = {
	    PROGRAM_ready, PROGRAM_watchdog, PROGRAM_fdstore_max, PROGRAM_KEY_COUNT};

	for (int mark = 0; mark < KEYTABLE_MARKS; mark++)
		if (marked[mark] == key)
			return mark;
	return -1;
}

size_t keytable_compare_marks(uint64_t launched, uint64_t now, const char *keys[KEYTABLE_MARKS])
{
	size_t count = 0;

	if (launched == now)
		return 0;
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++) {
		int mark = keytable_mark((enum program_key)k);

		if (mark >= 0 && ((launched ^ now) >> (16 * mark) & 0xffff) != 0)
			keys[count++] = program_rows[k].name;
	}
	return count;
}
