/* SPDX-License-Identifier: ISC */
/*
 * refusal.h: for tests that want memory to be refused: the Makefile puts these in the place of
 * malloc(3) and the like for all of our objects (not for what libraries ask for).
 *
 *	for (refusal_begin(n = 1); …; refusal_begin(++n)) { do it; if (!refusal_end()) break; }
 *
 * refuses the first, then the second, … request, until there were fewer than n.
 */
#ifndef TESTS_UNIT_REFUSAL_H
#define TESTS_UNIT_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

static unsigned refusal_left; /* requests until the one that is refused; 0: none is */
static bool refusal_came;

static inline void refusal_begin(unsigned number)
{
	refusal_left = number;
	refusal_came = false;
}

/* Whether there was one. */
static inline bool refusal_end(void)
{
	refusal_left = 0;
	return refusal_came;
}

static inline bool refusal_now(void)
{
	if (refusal_left == 0 || --refusal_left > 0)
		return false;
	refusal_came = true;
	return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
	return refusal_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return refusal_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return refusal_now() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return refusal_now() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
	return refusal_now() ? NULL : __real_strdup(text);
}

#endif
