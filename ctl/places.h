/* SPDX-License-Identifier: ISC */
/*
 * places.h: programs with accept = true for people: their instances are places for connections,
 * most of them free.  What is free is one line, of the program; who is connected has a line each.
 */
#ifndef CTL_PLACES_H
#define CTL_PLACES_H

#include <stddef.h>

#include "ctl/program.h"

/* Fold `programs`, by name, in place where all instances of such a program are there.  Gives their
 * number, and the texts that were made for that (places_done()).  0 or -ENOMEM. */
struct places {
	char **texts;
	size_t count;
};
int places_fold(struct program *programs, size_t *count, struct places *ret_places);
void places_done(struct places *places);

/* It is up, or ready to take a connection. */
bool places_is_up(const struct program *program);

#endif
