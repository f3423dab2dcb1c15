/* SPDX-License-Identifier: ISC */
/*
 * jsonw.h: write JSON (RFC 8259) into one growing buffer.
 *
 * For replies of thousands of records, where building a tree first costs ten times the writing. The
 * caller writes in document order; commas are the writer's business.  Output is always valid UTF-8:
 * a byte that is not part of a well-formed sequence becomes U+FFFD.  The first error (-ENOMEM,
 * -EMSGSIZE past the limit) sticks, later calls do nothing, and jsonw_error() tells it.
 */
#ifndef LIB_JSONW_H
#define LIB_JSONW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonw {
	char *data;
	size_t length;
	size_t size;
	size_t limit; /* of length, in bytes */
	int error;    /* 0 or -errno */
	bool comma;   /* the next value needs one before it */
};

void jsonw_init(struct jsonw *w, size_t limit);
void jsonw_done(struct jsonw *w);
/* Forget the content, keep the memory. */
void jsonw_reset(struct jsonw *w);
int jsonw_error(const struct jsonw *w);

void jsonw_begin_object(struct jsonw *w);
void jsonw_end_object(struct jsonw *w);
void jsonw_begin_array(struct jsonw *w);
void jsonw_end_array(struct jsonw *w);
/* A key of the object that is open; plain ASCII without quotes, as all our keys are. */
void jsonw_key(struct jsonw *w, const char *key);
/* NULL is written as null. */
void jsonw_string(struct jsonw *w, const char *text);
void jsonw_string_n(struct jsonw *w, const char *text, size_t length);
void jsonw_int(struct jsonw *w, int64_t value);
void jsonw_bool(struct jsonw *w, bool value);
void jsonw_null(struct jsonw *w);
/* Bytes as they are: a NUL that ends a Varlink message, or JSON made elsewhere. */
void jsonw_raw(struct jsonw *w, const char *bytes, size_t length);

/* Key and value in one. */
void jsonw_member_string(struct jsonw *w, const char *key, const char *text);
void jsonw_member_int(struct jsonw *w, const char *key, int64_t value);
void jsonw_member_bool(struct jsonw *w, const char *key, bool value);
void jsonw_member_null(struct jsonw *w, const char *key);

#endif
