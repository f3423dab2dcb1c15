/* SPDX-License-Identifier: ISC */
/*
 * assign.h: "key=value" of a command line as a value for the daemon.
 *
 * What stands behind the first = is the value, as it would stand between quotes in a file.  One in
 * braces is a list, with commas between its items and quotes (then a backslash makes the next
 * character literal) or '…' around those that need them.  A key that is given several times is a
 * list of these, which is also what a shell makes of environment={A=1,B=2}.
 */
#ifndef CTL_ASSIGN_H
#define CTL_ASSIGN_H

#include "ctl/ctl.h"
#include "lib/jsonw.h"

/* Write the array of settings that `words` are.  False: one is wrong, and the user was told. */
bool assign_write(struct ctl *ctl, char *const *words, size_t count, struct jsonw *w);

#endif
