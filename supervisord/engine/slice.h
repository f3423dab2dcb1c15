/* SPDX-License-Identifier: ISC */
/*
 * slice.h: one top-level item of a file on its way through parse.c, and the two things that are
 * done to it: its keys are looked up in the tables (slicecheck.c), and libconfuse reads its values
 * (sliceread.c).  Nobody but these three files uses it.
 */
#ifndef ENGINE_SLICE_H
#define ENGINE_SLICE_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisord/engine/confguard.h"
#include "supervisord/engine/parse.h"

/* Keys of one slice: each is there once. */
#define SLICE_KEYS (PROGRAM_KEY_COUNT + SETTING_KEY_COUNT)

/* Of the text that is parsed. */
struct slice_text {
	const char *file;
	struct confreport *report;
	struct guard guard;
	bool complete; /* false: a slice could not be given */
};

struct slice {
	struct slice_text *text;
	const struct guard_slice *at;
	enum stanza_kind kind;
	const struct key_row *rows;
	size_t row_count;
	bool spoiled;
	int health_line; /* where its section health is, or 0 */
	size_t count;
	/* The caller's, SLICE_KEYS of each: the keys, and where they are written. */
	struct stanza_entry *entries;
	const struct guard_entry **written;
};

/*
 * Find the kind of the slice `at` and its keys.  What is wrong is told and left out.  False:
 * nothing of it can be read.
 */
bool slice_check(struct slice *slice);

/*
 * Let libconfuse read the values of some slices of a text, and give each to `each`.  An error in
 * one is told, and the others are given.  0, -ENOMEM, or what `each` returned.
 */
int slice_read(const struct slice *slices, size_t count,
    int (*each)(void *context, const struct stanza *stanza), void *context);

/* How many values slice_read() has to read for it. */
size_t slice_count_values(const struct slice *slice);

#endif
