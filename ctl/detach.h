/* SPDX-License-Identifier: ISC */
/*
 * detach.h: the keys that end superctl attach on a terminal, among what is typed.  Pure.
 */
#ifndef CTL_DETACH_H
#define CTL_DETACH_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/limits.h"

/* As docker(1) has it. */
#define DETACH_DEFAULT "ctrl-p,ctrl-q"

struct detach {
	unsigned char keys[LIMIT_DETACH_KEYS];
	size_t count; /* 0: none */
	size_t held;  /* so many of them were typed, and may be meant */
};

/* "ctrl-p,ctrl-q", "x", "none".  0 or -EINVAL. */
int detach_parse(const char *text, struct detach *ret_detach);

/*
 * What is to be passed on of `length` bytes typed, in `to` (room for length + LIMIT_DETACH_KEYS);
 * returns how many bytes that are.  *ret_detach: the keys were there, and what follows is dropped.
 * The first of several is held back until the next one tells.
 */
size_t detach_filter(struct detach *detach, const unsigned char *from, size_t length,
    unsigned char *to, bool *ret_detach);

#endif
