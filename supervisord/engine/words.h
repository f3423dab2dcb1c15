/* SPDX-License-Identifier: ISC */
/*
 * words.h: a command line cut into words like a shell does it, without a shell.
 *
 * Blanks, tabs and newlines part words; '…' is literal; in "…" a backslash takes its meaning from "
 * \ $ and ` and stays itself before anything else; outside quotes a backslash makes the next
 * character literal. Nothing is expanded: $ ; | & * ? ~ ( ) < > # are characters like any other.
 * Pure.
 */
#ifndef ENGINE_WORDS_H
#define ENGINE_WORDS_H

#include <stddef.h>

/*
 * Returns 0 and gives a NULL-terminated array, strings and pointers in one allocation.  -EINVAL: a
 * quote that is not closed or a backslash at the end, *ret_problem (static text) says which.
 * -E2BIG: more than `limit` words.  -ENOMEM.
 */
int words_split(const char *text, size_t limit, char ***ret_words, const char **ret_problem);

/* A copy of `count` strings as such an array; NULL when out of memory. */
char **words_copy(const char *const *words, size_t count);

#endif
