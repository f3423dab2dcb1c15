/* SPDX-License-Identifier: ISC */
/*
 * probecheck.h: a check of one's own: that of the stanza goes with the stanza, at an apply.  Pure.
 */
#ifndef ENGINE_PROBECHECK_H
#define ENGINE_PROBECHECK_H

#include <stdbool.h>

#include "supervisord/engine/config.h"

/* Returns 0 and a copy, for probecheck_done(); -ENOMEM. */
int probecheck_copy(const struct check *check, struct check *ret_check);

/* Frees what it holds; it is CHECK_NONE after that. */
void probecheck_done(struct check *check);

/* Do they look at the same in the same way? */
bool probecheck_is_same(const struct check *one, const struct check *other);

#endif
