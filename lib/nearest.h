/* SPDX-License-Identifier: ISC */
/* nearest.h: what somebody may have meant who mistyped a name.  Pure. */
#ifndef LIB_NEAREST_H
#define LIB_NEAREST_H

#include <stddef.h>

/* Longer words are not compared; LIMIT_NAME fits. */
#define NEAREST_WORD 64

/*
 * Insertions, deletions, replacements and swaps of neighbours that turn one word into the other
 * (optimal string alignment); NEAREST_WORD when one is too long.
 */
unsigned nearest_distance(const char *a, const char *b);

/* The one of `count` names that `word` was probably meant to be, or NULL. */
const char *nearest_find(const char *word, const char *const *names, size_t count);

#endif
