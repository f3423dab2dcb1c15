/* SPDX-License-Identifier: ISC */
/*
 * steps.h: the steps of a plan or an apply, as a person reads them: what, why, and how each key
 * changes.
 */
#ifndef CTL_STEPS_H
#define CTL_STEPS_H

#include <stddef.h>

#include "ctl/call.h"

/* The array `steps` of the reply in hand, to stdout.  Returns how many there were. */
size_t steps_print(struct call *call, int steps);

/* The member `left` of Plan and Apply: a line of our own, if there is anything. */
void steps_tell_left(struct call *call, int left);

#endif
