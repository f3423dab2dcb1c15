/* SPDX-License-Identifier: ISC */
/*
 * memory.c: the engine's memory, all of which goes when the engine dies.  What is freed is spoilt
 * at once, so that whoever still uses it is noticed.  The linker puts these in place of malloc(3)
 * and its kin (-Wl,--wrap).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/memory.h"

#define SPOILT 0x5a

/* In front of what the engine sees. */
struct block {
	struct block *next;
	struct block *previous;
	size_t size;
	size_t unused;
};

void *__real_malloc(size_t size);
void __real_free(void *pointer);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void *__wrap_reallocarray(void *pointer, size_t count, size_t size);
void __wrap_free(void *pointer);
char *__wrap_strdup(const char *text);
int __wrap_asprintf(char **ret_text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_malloc_trim(size_t pad);

static struct block first = {.next = &first, .previous = &first};

void memory_drop_all(void)
{
	while (first.next != &first)
		__wrap_free(first.next + 1);
}

bool memory_is_empty(void)
{
	return first.next == &first;
}

void *__wrap_malloc(size_t size)
{
	struct block *block = __real_malloc(sizeof(*block) + size);

	if (block == NULL)
		abort(); /* the machine's, not the world's */
	*block = (struct block){.next = first.next, .previous = &first, .size = size};
	first.next->previous = block;
	first.next = block;
	return block + 1;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return memset(__wrap_malloc(count * size), 0, count * size);
}

void *__wrap_realloc(void *pointer, size_t size)
{
	void *moved = __wrap_malloc(size);

	if (pointer != NULL) {
		size_t old = ((struct block *)pointer - 1)->size;

		memcpy(moved, pointer, old < size ? old : size);
		__wrap_free(pointer);
	}
	return moved;
}

void *__wrap_reallocarray(void *pointer, size_t count, size_t size)
{
	return __wrap_realloc(pointer, count * size);
}

void __wrap_free(void *pointer)
{
	struct block *block;

	if (pointer == NULL)
		return;
	block = (struct block *)pointer - 1;
	block->next->previous = block->previous;
	block->previous->next = block->next;
	memset(pointer, SPOILT, block->size);
	__real_free(block);
}

char *__wrap_strdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(__wrap_malloc(size), text, size);
}

int __wrap_asprintf(char **ret_text, const char *format, ...)
{
	char text[512];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	*ret_text = __wrap_strdup(text);
	return length;
}

/* The next schedule wants all of it again. */
int __wrap_malloc_trim(size_t pad)
{
	(void)pad;
	return 0;
}
