/* SPDX-License-Identifier: ISC */
/*
 * confhash.c: what a run of a program hangs on, as a number: see build_hash() in confbuild.h.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fnv.h"
#include "lib/limits.h"
#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/plan.h"
#include "supervisord/engine/value.h"

/* The value of a key that was written last. */
struct hashed {
	const void *member; /* NULL: none that may be compared with */
	uint64_t hash;
};

struct hasher {
	const struct build *build;
	/* The keys that a hash is of: of class RESTART, or with a mark (else -1). */
	size_t count;
	struct {
		const struct key_row *row;
		int mark;
		uint64_t plain; /* the hash of its default */
	} keys[PROGRAM_KEY_COUNT];
	FILE *file; /* one for all values: it is rewound for each */
	char *text; /* what is written to it */
	size_t length;
	struct hashed last[PROGRAM_KEY_COUNT];
};

static int choose_keys(struct hasher *hasher);
static int hash_default(struct hasher *hasher, const struct key_row *row, uint64_t *ret_hash);
static int hash_program(struct hasher *hasher, struct build_program *program);
static int hash_key(struct hasher *hasher, const struct build_program *program,
    const struct key_row *row, uint64_t *ret_hash);
static void write_text(const struct key_row *row, const void *value, FILE *file);
static int hash_text(struct hasher *hasher, uint64_t *ret_hash);
static void write_for_hash(
    const struct build_program *program, const struct key_row *row, const void *member, FILE *file);
static bool writes_to_filter(const struct program_config *config);

int build_hash(struct build *build)
{
	struct hasher hasher = {.build = build};
	int error = 0;

	hasher.file = open_memstream(&hasher.text, &hasher.length);
	if (hasher.file == NULL)
		return -ENOMEM;
	error = choose_keys(&hasher);
	for (size_t i = 0; i < build->program_count && error == 0; i++)
		error = hash_program(&hasher, &build->programs[i]);
	fclose(hasher.file);
	free(hasher.text);
	return error;
}

static int choose_keys(struct hasher *hasher)
{
	int error = 0;

	for (size_t k = 0; k < PROGRAM_KEY_COUNT && error == 0; k++) {
		const struct key_row *row = &program_rows[k];
		int mark = keytable_mark((enum program_key)k);

		if (row->change != CHANGE_RESTART && mark < 0)
			continue;
		hasher->keys[hasher->count].row = row;
		hasher->keys[hasher->count].mark = mark;
		error = hash_default(hasher, row, &hasher->keys[hasher->count++].plain);
	}
	return error;
}

static int hash_default(struct hasher *hasher, const struct key_row *row, uint64_t *ret_hash)
{
	_Alignas(max_align_t) char value[sizeof(struct life_config)] = {0};
	int error;

	assert(row->size <= sizeof(value));
	error = value_read_default(row, value);
	if (error < 0)
		return error;
	rewind(hasher->file);
	write_text(row, value, hasher->file);
	value_done(row, value, NULL);
	return hash_text(hasher, ret_hash);
}

/*
 * A key that has its default is no part of it: so a version that knows more keys starts nothing
 * anew when it takes over.
 */
static int hash_program(struct hasher *hasher, struct build_program *program)
{
	struct program_config *config = program->program;
	uint64_t hash = FNV_START;

	for (size_t i = 0; i < hasher->count; i++) {
		const struct key_row *row = hasher->keys[i].row;
		int mark = hasher->keys[i].mark;
		uint64_t key_hash;
		int error;

		error = hash_key(hasher, program, row, &key_hash);
		if (error < 0)
			return error;
		if (row->change == CHANGE_RESTART && key_hash != hasher->keys[i].plain)
			hash = fnv_add_number(hash, key_hash);
		if (mark >= 0)
			config->next_marks |= (key_hash >> 48) << (16 * mark);
	}
	/* Which addresses its sockets are is said by other stanzas. */
	config->hash =
	    plan_mark_hash(fnv_add_number(hash, config->sockets_hash), config->life->key_accept);
	return 0;
}

/*
 * Of the name of a key and its value as text.  What is the same, byte by byte, as it was of the
 * program before (a default, mostly) is not written again: the same pointers mean the same texts.
 */
static int hash_key(struct hasher *hasher, const struct build_program *program,
    const struct key_row *row, uint64_t *ret_hash)
{
	struct hashed *last = &hasher->last[row - program_rows];
	const void *member = build_program_member(hasher->build, program, row);
	/* What a program is called decides whether it writes to its own filter. */
	bool by_name = row == &program_rows[PROGRAM_stdout] &&
		       program->program->key_stdout.kind == STDIO_PROGRAM;

	if (by_name || last->member == NULL || memcmp(last->member, member, row->size) != 0) {
		rewind(hasher->file);
		write_for_hash(program, row, member, hasher->file);
		last->member = by_name ? NULL : member;
		if (hash_text(hasher, &last->hash) < 0)
			return -ENOMEM;
	}
	*ret_hash = last->hash;
	return 0;
}

static void write_for_hash(
    const struct build_program *program, const struct key_row *row, const void *member, FILE *file)
{
	/* Its own filter is called otherwise when it is. */
	if (row == &program_rows[PROGRAM_stdout] && writes_to_filter(program->program))
		fprintf(file, "%s=program:" INSTNAME_FILTER "\n", row->name);
	else
		write_text(row, member, file);
}

static void write_text(const struct key_row *row, const void *value, FILE *file)
{
	fputs_unlocked(row->name, file);
	putc_unlocked('=', file);
	value_write(row, value, file);
	putc_unlocked('\n', file);
}

/* Of what was written since it was rewound. */
static int hash_text(struct hasher *hasher, uint64_t *ret_hash)
{
	long end = ftell(hasher->file);

	if (end < 0 || fflush(hasher->file) != 0 || ferror(hasher->file))
		return -ENOMEM;
	*ret_hash = fnv_add_bytes(FNV_START, hasher->text, (size_t)end);
	return 0;
}

static bool writes_to_filter(const struct program_config *config)
{
	char filter[LIMIT_NAME];

	if (config->key_stdout.kind != STDIO_PROGRAM)
		return false;
	instname_of_filter(config->name, filter);
	return strcmp(config->key_stdout.target, filter) == 0;
}
