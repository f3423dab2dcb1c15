/* SPDX-License-Identifier: ISC */
/*
 * confguard.h: what stands between a file and libconfuse.
 *
 * libconfuse's lexer is global, quadratic on some input, silent about unclosed comments and
 * sections, cuts values at a NUL and stops at the first error (its pitfalls are tests here).  So
 * every byte is looked at here first, by a strict scanner of the same language that:
 *   - refuses what libconfuse takes wrongly: byte order marks, NUL and control bytes, unclosed
 * strings, comments, sections and ${, characters like * and | outside quotes, += , parentheses,
 * words beyond LIMIT_CONFIG_WORD, sections deeper than LIMIT_CONFIG_DEPTH;
 *   - blanks comments and keeps line ends;
 *   - cuts the text into top-level slices and notes each key of a slice with its line and its
 * values, which makes unknown and double keys ours to find and leaves libconfuse to say what a
 * value is. A slice with an error is marked bad and the scan goes on behind it.  It knows no key.
 */
#ifndef ENGINE_CONFGUARD_H
#define ENGINE_CONFGUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/confreport.h"

enum guard_form { GUARD_VALUE, GUARD_LIST, GUARD_SECTION };

/* A word or a string, with its quotes, where a value or a title stands. */
struct guard_value {
	uint32_t begin; /* offsets into guard.text */
	uint32_t end;
	int line;
};

/*
 * A key of a slice: `key = value`, `key = {…}`, or a section in the section.  Behind such a section
 * follow the keys in it, as entries of their own; what is deeper is none.
 */
struct guard_entry {
	uint32_t key; /* offset into guard.text */
	uint32_t key_length;
	uint32_t begin;
	uint32_t end;
	int line;
	enum guard_form form;
	uint32_t inner; /* of a section: how many follow */
	uint32_t first; /* index into guard.values */
	uint32_t count;
};

/* A top-level option (with itself as its one entry) or section. */
struct guard_slice {
	uint32_t name;
	uint32_t name_length;
	uint32_t begin;
	uint32_t end;
	int line;
	bool section;
	bool titled;
	struct guard_value title;
	bool bad; /* not to be parsed: told in the report */
	size_t first;
	size_t count;
};

struct guard {
	char *text; /* a copy: comments blanked */
	size_t length;
	size_t slice_count;
	struct guard_slice *slices;
	size_t entry_count;
	struct guard_entry *entries;
	size_t value_count;
	struct guard_value *values;
};

/*
 * Scan the text of `file`.  Borrows all.  Returns 0 (errors, if any, are in the report, and the
 * slices without one are good) or -ENOMEM; guard_done() in each case.
 */
int guard_scan(const char *file, const char *text, size_t length, struct confreport *report,
    struct guard *ret_guard);

void guard_done(struct guard *guard);

#endif
