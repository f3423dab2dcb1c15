/* SPDX-License-Identifier: ISC */
/*
 * confpack.c: the programs of a finished configuration in one piece of memory.
 *
 * While a new configuration is made the old one is in force, and what the load has for a moment
 * stands between: piece by piece, each apply would leave the heap with more holes.  So what every
 * program has (its struct, its own strings and most lists) is moved into one allocation, that is
 * given back as a whole.  What few have stays where it was made, and is freed one by one.
 *
 * Names do not move: lists and groups point to them.  They are apart from the first.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/value.h"

/* Bytes of names in one allocation. */
#define NAMES_BYTES 1000

struct config_names {
	struct config_names *next;
	size_t left; /* bytes that are free, at the end of the data */
	char *free;
	char data[];
};

/* Without data it only counts. */
struct pack {
	char *data;
	size_t used;
	const struct key_row *rows[PROGRAM_KEY_COUNT]; /* of what is moved */
	size_t row_count;
};

static void find_rows(struct pack *pack);
static struct program_config *pack_program(struct pack *pack, const struct program_config *program);
static bool is_packed(const struct key_row *row);
static bool is_own(const struct program_config *program, const struct key_row *row);
static void *pack_value(struct pack *pack, const struct key_row *row, const void *value);
static char *pack_string(struct pack *pack, const char *string);
static string_list pack_list(struct pack *pack, const string_list list);
static void *take(struct pack *pack, size_t size, size_t alignment);
static void free_original(const struct pack *pack, struct program_config *program);

char *build_keep_name(struct build *build, const char *name)
{
	struct config_names *names = build->whole->names;
	size_t size = strlen(name) + 1;
	char *kept;

	if (names == NULL || size > names->left) {
		/* One that is too long is refused, but later. */
		size_t room = size > NAMES_BYTES ? size : NAMES_BYTES;

		names = malloc(sizeof(*names) + room);
		if (names == NULL)
			return NULL;
		names->next = build->whole->names;
		names->left = room;
		names->free = names->data;
		build->whole->names = names;
	}
	kept = memcpy(names->free, name, size);
	names->free += size;
	names->left -= size;
	return kept;
}

void build_free_names(struct config_names *names)
{
	while (names != NULL) {
		struct config_names *next = names->next;

		free(names);
		names = next;
	}
}

int build_pack(struct build *build)
{
	struct config_whole *whole = build->whole;
	struct program_config **programs = whole->config.programs;
	struct pack pack = {.data = NULL};

	find_rows(&pack);
	for (size_t i = 0; i < whole->config.program_count; i++)
		(void)pack_program(&pack, programs[i]);
	if (pack.used == 0)
		return 0;
	pack.data = malloc(pack.used);
	if (pack.data == NULL)
		return -ENOMEM;
	pack.used = 0;
	for (size_t i = 0; i < whole->config.program_count; i++) {
		struct program_config *original = programs[i];

		programs[i] = pack_program(&pack, original);
		free_original(&pack, original);
	}
	whole->pack = pack.data;
	return 0;
}

void build_free_pack(struct config_whole *whole)
{
	struct pack pack = {.data = whole->pack};

	find_rows(&pack);
	for (size_t i = 0; i < whole->config.program_count; i++) {
		struct program_config *program = whole->config.programs[i];

		for (size_t k = 0; k < pack.row_count; k++)
			memset(build_member(program, pack.rows[k]), 0, pack.rows[k]->size);
		build_free_values(program);
	}
	free(whole->pack);
}

/* Of a hundred keys they are a few: not to be looked for once more for each program. */
static void find_rows(struct pack *pack)
{
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++)
		if (is_packed(&program_rows[k]))
			pack->rows[pack->row_count++] = &program_rows[k];
}

static struct program_config *pack_program(struct pack *pack, const struct program_config *program)
{
	struct program_config *copy = take(pack, sizeof(*copy), alignof(struct program_config));

	if (copy != NULL)
		*copy = *program;
	for (size_t k = 0; k < pack->row_count; k++) {
		const struct key_row *row = pack->rows[k];
		void *packed;

		if (!is_own(program, row))
			continue;
		packed = pack_value(pack, row, (const char *)program + row->offset);
		if (copy != NULL)
			memcpy(build_member(copy, row), &packed, sizeof(packed));
	}
	return copy;
}

/* Its member is a pointer to a string or a list that is one allocation, and points to no name. */
static bool is_packed(const struct key_row *row)
{
	return row->part == PART_PROGRAM &&
	       (row->type == KEY_STRING || row->type == KEY_PATH || row->type == KEY_COMMAND ||
		   row->type == KEY_ENVIRONMENT);
}

static bool is_own(const struct program_config *program, const struct key_row *row)
{
	const void *value = (const char *)program + row->offset;

	return memcmp(value, (const char *)program->model + row->offset, row->size) != 0;
}

static void *pack_value(struct pack *pack, const struct key_row *row, const void *value)
{
	bool is_string = row->type == KEY_STRING || row->type == KEY_PATH;
	void *pointer;

	memcpy(&pointer, value, sizeof(pointer));
	if (pointer == NULL)
		return NULL;
	return is_string ? (void *)pack_string(pack, pointer) : (void *)pack_list(pack, pointer);
}

static char *pack_string(struct pack *pack, const char *string)
{
	size_t size = strlen(string) + 1;
	char *copy = take(pack, size, 1);

	return copy != NULL ? memcpy(copy, string, size) : NULL;
}

static string_list pack_list(struct pack *pack, const string_list list)
{
	string_list copy;
	size_t count = 0;

	while (list[count] != NULL)
		count++;
	copy = take(pack, (count + 1) * sizeof(*copy), alignof(char *));
	for (size_t i = 0; i < count; i++) {
		char *word = pack_string(pack, list[i]);

		if (copy != NULL)
			copy[i] = word;
	}
	if (copy != NULL)
		copy[count] = NULL;
	return copy;
}

static void *take(struct pack *pack, size_t size, size_t alignment)
{
	size_t at = (pack->used + alignment - 1) / alignment * alignment;

	pack->used = at + size;
	return pack->data != NULL ? pack->data + at : NULL;
}

/* What is not packed has gone with the copy. */
static void free_original(const struct pack *pack, struct program_config *program)
{
	for (size_t k = 0; k < pack->row_count; k++)
		value_done(pack->rows[k], build_member(program, pack->rows[k]),
		    (const char *)program->model + pack->rows[k]->offset);
	free(program);
}
