/* SPDX-License-Identifier: ISC */
/*
 * route.h: what the value of stdout or stderr means: which of its targets there are, and whether
 * the logger is between.  Pure.
 */
#ifndef ENGINE_ROUTE_H
#define ENGINE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisord/engine/config.h"

/* Does the program write to a pipe of the logger's?  `inherit`: the inherit_format in force. */
bool route_is_logged(const struct stdio *stdio, enum logspec_format inherit);

/* Is there a log file? */
bool route_has_file(const struct stdio *stdio);

/*
 * The next program whose standard input this goes to; `*index` is 0 before the first call.  Borrows
 * from `stdio`; NULL: no more.
 */
const char *route_next_program(const struct stdio *stdio, size_t *index);

/* The targets as they were written, one after the other, likewise.  Only of a logged one. */
const char *route_next_target(const struct stdio *stdio, size_t *index);

#endif
