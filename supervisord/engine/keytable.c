/* SPDX-License-Identifier: ISC */
/*
 * keytable.c: see keytable.h.
 */
#include <string.h>

#include "supervisord/engine/keytable.h"

/* clang-format off */
#define ROW(owner, key, t, d, min, max, c, h) { \
	.name = #key, .def = d, .help = h, .minimum = min, .maximum = max, .type = KEY_##t, \
	.change = CHANGE_##c, .offset = offsetof(struct owner, key_##key), \
	.size = sizeof(((struct owner *)0)->key_##key)},
#define PROGRAM_ROW(name, type, def, min, max, change, help) \
	ROW(program_config, name, type, def, min, max, change, help)
#define SETTING_ROW(name, type, def, min, max, change, help) \
	ROW(settings, name, type, def, min, max, change, help)

const struct key_row program_rows[PROGRAM_KEY_COUNT] = { PROGRAM_KEYS(PROGRAM_ROW) };
const struct key_row setting_rows[SETTING_KEY_COUNT] = { SETTING_KEYS(SETTING_ROW) };
/* clang-format on */

int keytable_find(const struct key_row *rows, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].name, name) == 0)
			return (int)i;
	return -1;
}
