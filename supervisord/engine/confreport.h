/* SPDX-License-Identifier: ISC */
/*
 * confreport.h: complaints about the configuration, collected while it is read.
 *
 * A load goes on after an error to find the others, so the functions that find one cannot fail:
 * what they could not store for want of memory is remembered here, and the load asks once at its
 * end.
 */
#ifndef ENGINE_CONFREPORT_H
#define ENGINE_CONFREPORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "supervisord/engine/config.h"

struct confreport {
	struct config_errors *errors; /* borrowed */
	bool no_memory;
	bool full;
};

/* One more complaint.  Borrows all; key may be NULL, line 0.  Past LIMIT_CONFIG_ERRORS they are
 * only counted out. */
void confreport_add(struct confreport *report, const char *file, int line, const char *key,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same with arguments that were begun by the caller. */
void confreport_add_list(struct confreport *report, const char *file, int line, const char *key,
    const char *format, va_list arguments) __attribute__((format(printf, 5, 0)));

/* The message of a complaint, for who has to look at it before it is one; to be freed.  NULL: no
 * memory, which is remembered. */
char *confreport_message(struct confreport *report, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Put the errors of each file in the order of its lines. */
void confreport_sort(struct confreport *report);

/* `text` for a message: control bytes as \xNN, at most some eighty bytes, cut ones end in "...". */
#define CONFREPORT_QUOTE 100
const char *confreport_quote(const char *text, char buffer[CONFREPORT_QUOTE]);

#endif
