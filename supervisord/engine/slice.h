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

/* What command is called in on_event. */
#define SLICE_EXEC "exec"

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
	struct stanza_entry *entries; /* the caller's, SLICE_KEYS of them */
};

/* What a section of this kind is called; NULL: it is none. */
const char *slice_section_name(enum stanza_kind kind);

/* How a key is written in this slice. */
const char *slice_word(const struct slice *slice, const struct key_row *row);

/*
 * Find the kind of the slice `at` and its keys.  What is wrong is told, and blanked so that the
 * rest can be read.  False: nothing of it can.
 */
bool slice_check(struct slice *slice);

/*
 * Let libconfuse read a slice, and give it to `each`.  An error of it is told.  0, -ENOMEM, or what
 * `each` returned.
 */
int slice_read(const struct slice *slice, int (*each)(void *context, const struct stanza *stanza),
    void *context);

#endif
