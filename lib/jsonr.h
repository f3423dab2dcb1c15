/* SPDX-License-Identifier: ISC */
/*
 * jsonr.h: read JSON (RFC 8259) in place.
 *
 * One pass checks the whole text and notes where each value is in one array of tokens; nothing is
 * copied. Building jansson's tree from the status of 1000 programs takes 12 ms, this takes under
 * one, and that is the difference between a command that feels instant and one that does not.
 * Strict: UTF-8, escapes, numbers and nesting are checked before a caller sees any of it.
 *
 * A value is named by the number of its token, an `int`; JSONR_NONE is "not there".  Every reader
 * takes JSONR_NONE and values of other types and answers with the fallback, so that a chain of
 * look-ups needs one check at its end.
 */
#ifndef LIB_JSONR_H
#define LIB_JSONR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSONR_NONE (-1)
#define JSONR_ROOT 0

enum jsonr_type {
	JSONR_NULL,
	JSONR_FALSE,
	JSONR_TRUE,
	JSONR_NUMBER,
	JSONR_STRING,
	JSONR_ARRAY,
	JSONR_OBJECT
};

/* A key is a string token of its own, its value is the token after it. */
struct jsonr_token {
	uint32_t type : 8;
	uint32_t escaped : 1; /* a string that is not decoded yet */
	uint32_t start;       /* in text; of a string: past its quote */
	uint32_t length;
	uint32_t after; /* the token after this value and all in it */
};

struct jsonr {
	char *text; /* borrowed */
	struct jsonr_token *tokens;
	size_t count;
	size_t size;
};

void jsonr_init(struct jsonr *json);
void jsonr_done(struct jsonr *json);

/*
 * Read `text`, which must stay as long as the values are used, and which reading values changes.
 * Nested deeper than `depth` is an error.  Forgets what was read before.  Returns 0, -EBADMSG,
 * -EMSGSIZE (4 GB) or -ENOMEM; not 0 leaves no values.
 */
int jsonr_parse(struct jsonr *json, char *text, size_t length, unsigned depth);

bool jsonr_is(const struct jsonr *json, int value, enum jsonr_type type);

/* The value of a member; of two with the same key the first. */
int jsonr_member(const struct jsonr *json, int object, const char *key);

/* Walk an array, or the keys of an object (the value is the token after its key). */
int jsonr_first(const struct jsonr *json, int container);
int jsonr_next(const struct jsonr *json, int container, int element);

/* NUL-terminated text of a string, `fallback` when it is none or has a NUL inside. */
const char *jsonr_text(struct jsonr *json, int value, const char *fallback);

/* All bytes of a string, also NULs; NULL when it is none. */
const char *jsonr_bytes(struct jsonr *json, int value, size_t *ret_length);

/* An integer that fits; a fraction or an exponent is not one. */
int64_t jsonr_int(const struct jsonr *json, int value, int64_t fallback);

bool jsonr_bool(const struct jsonr *json, int value, bool fallback);

/* The text of a value as it was received, if no string in it was read yet. */
const char *jsonr_raw(const struct jsonr *json, int value, size_t *ret_length);

#endif
