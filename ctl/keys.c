/* SPDX-License-Identifier: ISC */
/* keys.c: see keys.h. */
#include <string.h>

#include "ctl/keys.h"
#include "lib/nearest.h"

const struct key keys_table[] = {
#include "keys.inc"
};
const size_t keys_count = sizeof(keys_table) / sizeof(keys_table[0]);

const struct key *keys_find(const char *name, const struct key *from)
{
	for (const struct key *key = from; key < keys_table + keys_count; key++)
		if (strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

const char *keys_nearest(const char *name)
{
	const char *names[sizeof(keys_table) / sizeof(keys_table[0])];

	for (size_t i = 0; i < keys_count; i++)
		names[i] = keys_table[i].name;
	return nearest_find(name, names, keys_count);
}
